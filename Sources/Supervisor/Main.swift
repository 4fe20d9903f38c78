import ArgumentParser

@main
struct Hydrant: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hydrant",
        abstract: "Takes tracking pixels, keeps them safe, and hands them to Amazon Data Firehose.",
        discussion: """
            Start here: `hydrant run` starts a cluster with a local stand-in for Firehose, and \
            prints what to try.
            """,
        subcommands: [
            RunCommand.self, CheckCommand.self, StatusCommand.self, QueryCommand.self,
            FlushCommand.self, StopCommand.self, SchemaCommand.self, ConfigCommand.self,
            VersionCommand.self, DocsCommand.self, RouterCommand.self, WorkerCommand.self,
            LocalFirehoseCommand.self,
        ])
}
