import ArgumentParser
import Core
import Platform
import Worker

/// `hydrant spool …`: looks into a spool, and mends it.
struct SpoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool",
        abstract: "Look into the spool, check it, print its rows, mend it.",
        discussion: """
            All but `repair` only read, and work beside a running cluster. What each file of a spool \
            is: docs/spool.md.
            """,
        subcommands: [
            SpoolListCommand.self, SpoolVerifyCommand.self, SpoolCatCommand.self,
            SpoolExportCommand.self, SpoolRepairCommand.self,
        ])
}

/// Which part of which spool.
struct SpoolOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only this shard.", valueName: "number"))
    var shard: Int?

    @OptionGroup var cluster: ConfigOptions

    /// The spool's folder and the shards that are meant, all of which exist.
    func find() throws -> (settings: Settings, shards: [Int]) {
        let settings = try cluster.settings()
        let all = try SpoolSummary.shards(in: settings.spoolFolder)
        if all.isEmpty {
            throw ClusterFailure(
                "there is no spool in \(settings.spoolFolder)",
                hint: "go to the folder the cluster was started in, or name it with --config or "
                    + "--set data=…",
                exitCode: ClusterExit.unavailable)
        }
        guard let shard else { return (settings, all) }
        guard all.contains(shard) else {
            throw ClusterFailure(
                "there is no shard \(shard) in \(settings.spoolFolder)",
                hint: "there are: \(all.map(String.init).joined(separator: ", "))",
                exitCode: ClusterExit.failed)
        }
        return (settings, [shard])
    }
}

/// Of a command that tells something of the spool.
struct SpoolReportOptions: ParsableArguments {
    @Flag(help: "One line of JSON.")
    var json = false

    @OptionGroup var spool: SpoolOptions

    /// - Parameter body: gets the settings, the shards that are meant, and whether to speak JSON.
    func make(_ body: (Settings, [Int], Bool) throws -> Void) throws {
        try reporting {
            let (settings, shards) = try spool.find()
            try body(settings, shards, json)
        }
    }
}

enum LaneArgument: String, ExpressibleByArgument, CaseIterable {
    case good, bad

    var name: SpoolLaneName { self == .good ? .good : .bad }
}

extension SpoolLaneName {
    var word: String { folder }
}
