import ArgumentParser
import Core

/// Which cluster a command is about: found by the settings that `run` would have.
struct ClusterArguments: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The settings file. Without it hydrant.toml of the working folder is read, if there is one.",
            valueName: "file"))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Sets one setting, over file and environment. May be repeated.",
            valueName: "key=value"))
    var set: [String] = []

    func settings() throws -> Settings { try Glue.loadSettings(file: config, overrides: set) }
}
