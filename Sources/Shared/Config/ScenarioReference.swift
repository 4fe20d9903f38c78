import Core

/// loadtest/scenarios/README.md, made from the table of keys.
public enum ScenarioReference {
    public static var markdown: String {
        var out = """
            # Scenarios

            Made by `hydrant docs scenarios` from `ScenarioKey.all`; a test keeps it so.

            A scenario says what the load of `hydrant load` looks like: who asks for what, with which
            faults, and how the load moves over time. `--scenario NAME` takes one of the built-in
            ones, which are the files of this folder; a name with a `/` or `.toml` is a file of your
            own.

            | Scenario | What it is |
            |---|---|

            """
        for name in ScenarioFile.builtInNames {
            let text = (try? ScenarioFile.named(name).scenario.description) ?? ""
            out += "| `\(name)` | \(text) |\n"
        }
        out += """

            Every key is optional. Shares are parts of 1; weights are compared with each other. A
            request follows from the seed and its number alone, so a run can be repeated byte by
            byte. Whatever `-H` sets replaces the header of that name.

            """
        var section: String??
        for key in ScenarioKey.all {
            if section != .some(key.section) {
                out += "\n## \(key.section.map { "[\($0)]" } ?? "Top level")\n\n"
                out += "| Key | Value | Unit | Default | Meaning |\n|---|---|---|---|---|\n"
                section = .some(key.section)
            }
            let name = key.isWeights ? "any name" : "`\(key.name)`"
            out +=
                "| \(name) | \(cell(key.form)) | \(key.unit) | \(cell(code(key))) |"
                + " \(cell(key.help)) |\n"
        }
        return out
    }

    /// Values as code; words stay prose.
    private static func code(_ key: ScenarioKey) -> String {
        key.key == "name" ? key.defaultText : "`\(key.defaultText)`"
    }

    private static func cell(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}
