import ArgumentParser
import Config
import Core

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Look at the schema, or check a file.",
        subcommands: [Show.self, Check.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract:
                "Print the schema in force: the file that `schema` names, or the embedded one.",
            discussion: """
                Save it, change it, check it and run with it:

                  hydrant schema show > schema.toml
                  hydrant schema check schema.toml
                  hydrant run --set schema=schema.toml
                """)

        @OptionGroup var options: ConfigOptions

        func run() throws {
            let loaded = try options.load(for: .use)
            let file = try reportingProblems { () throws(ConfigProblems) in
                try StartChecks.schema(of: loaded.settings)
            }
            print(file.text, terminator: file.text.hasSuffix("\n") ? "" : "\n")
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Say what a schema file gives, or everything that is wrong with it.",
            discussion: "Exit status 78 if `hydrant run` would refuse it.")

        @Argument(help: ArgumentHelp("The schema file.", valueName: "file"))
        var file: String

        func run() throws {
            let schema = try reportingProblems { () throws(ConfigProblems) in
                try StartChecks.schema(atPath: file)
            }
            print(Self.summary(schema.schema), terminator: "")
        }

        static func summary(_ schema: Schema) -> String {
            let required = schema.columns.filter { $0.required && !$0.isAlwaysPresent }.map(\.name)
            return """
                ok: \(counted(schema.columns.count, "column"))
                  table     \(schema.table), bad rows in \(schema.badTable)
                  required  \(required.isEmpty ? "nothing" : required.joined(separator: ", "))

                """
        }
    }
}
