import ArgumentParser
import Config

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Look at the schema.", subcommands: [Show.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Print the schema in force: the file that `schema` names, or the embedded one.",
            discussion: "Save it, change it, and name it: hydrant run --set schema=schema.toml")

        @OptionGroup var options: ConfigOptions

        func run() throws {
            let loaded = try options.load(startsCluster: false)
            let file = try reportingProblems { () throws(ConfigProblems) in
                try StartChecks.schema(of: loaded.settings)
            }
            print(file.text, terminator: file.text.hasSuffix("\n") ? "" : "\n")
        }
    }
}
