import ArgumentParser
import Config

/// The scenarios that come with the program.
struct LoadScenariosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenarios",
        abstract: "List the built-in scenarios, or print one to start from.",
        discussion: "Example: hydrant load scenarios adtech > mine.toml")

    @Argument(help: "Which one to print.")
    var name: String?

    func run() throws {
        try loadReporting {
            guard let name else {
                for name in ScenarioFile.builtInNames {
                    let scenario = try ScenarioFile.named(name).scenario
                    try printOut(
                        name + String(repeating: " ", count: max(1, 10 - name.count))
                            + scenario.description + "\n")
                }
                return
            }
            try printOut(try ScenarioFile.named(name).text)
        }
    }
}
