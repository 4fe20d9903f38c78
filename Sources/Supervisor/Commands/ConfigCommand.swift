import ArgumentParser
import Config
import Core

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at the settings.", subcommands: [Show.self])

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print every setting as it is in force, as a config file.",
            discussion: "What it prints is a valid config file with absolute paths.")

        @OptionGroup var options: ConfigOptions

        @Flag(help: "Say after each value where it came from.")
        var origin = false

        func run() throws {
            let loaded = try options.load(for: .use)
            print(text(of: loaded), terminator: "")
        }

        func text(of loaded: LoadedSettings) -> String {
            SettingsFile.text(for: loaded.settings) { setting in
                origin ? loaded.origins[setting.key]?.text : nil
            }
        }
    }
}
