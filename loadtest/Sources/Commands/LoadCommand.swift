import ArgumentParser

/// `hydrant load URL`, and what is made of its results.
public struct LoadCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Generate load, measure it honestly, and prove that nothing was lost.",
        usage: "hydrant load URL [options]\nhydrant load report | merge | scenarios",
        discussion: """
            hydrant load URL -R 20k -z 30s            20,000 requests a second for 30 s
            hydrant load URL --scenario adtech        traffic that looks like adtech's
            hydrant load URL --find-max 'p99<10ms'    the highest rate that holds
            hydrant load URL --ledger FILE --against var --expect lost=0

            All options: hydrant load run --help
            """,
        subcommands: [
            LoadRunCommand.self, LoadReportCommand.self, LoadMergeCommand.self,
            LoadScenariosCommand.self,
        ],
        defaultSubcommand: LoadRunCommand.self)

    public init() {}
}
