import ArgumentParser
import LoadTest

@main
struct Hydrant: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hydrant",
        abstract: "Takes tracking pixels, keeps them safe, and hands them to Amazon Data Firehose.",
        discussion: """
            Start here: `hydrant run` starts a cluster with a local stand-in for Firehose, and \
            prints what to try.
            """,
        version: VersionCommand.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, StatusCommand.self, QueryCommand.self,
            FlushCommand.self, ReloadCommand.self, StopCommand.self, SpoolCommand.self,
            StreamsCommand.self, PlanCommand.self, CredentialsCommand.self, LoadCommand.self,
            FaultsCommand.self, SchemaCommand.self, ConfigCommand.self,
            VersionCommand.self, DocsCommand.self, RouterCommand.self, WorkerCommand.self,
            LocalFirehoseCommand.self, LoadWorkerCommand.self,
        ])

    static func main() {
        if let stray = UnknownCommand.find(in: Array(CommandLine.arguments.dropFirst())) {
            Terminal.printError(stray.description + "\n")
            exit(withError: ExitCode.validationFailure)
        }
        main(nil)
    }
}
