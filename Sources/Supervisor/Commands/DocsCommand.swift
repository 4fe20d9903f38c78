import ArgumentParser
import Config

/// Writes the pages of documentation that are made from tables, to stdout.
struct DocsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docs", abstract: "Print a generated page of the documentation.",
        shouldDisplay: false)

    enum Page: String, ExpressibleByArgument, CaseIterable {
        case settings, counters, example, scenarios
    }

    @Argument(help: "Which page.")
    var page: Page

    func run() {
        switch page {
        case .settings: print(SettingsReference.markdown, terminator: "")
        case .counters: print(CountersReference.markdown, terminator: "")
        case .example: print(SettingsReference.example, terminator: "")
        case .scenarios: print(ScenarioReference.markdown, terminator: "")
        }
    }
}
