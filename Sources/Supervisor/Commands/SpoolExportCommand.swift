import ArgumentParser
import Core
import Glibc
import LocalFirehose
import Platform
import Worker

struct SpoolExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write rows that are in the spool to GZIP files, as Firehose would.",
        discussion: """
            Files have the names and the content that the local Firehose gives its objects, so they \
            can be copied to S3 and loaded by the same COPY. The spool stays as it is: a cluster \
            that is started afterwards delivers the rows too (their ids tell).

            Example: hydrant spool export /mnt/rescue
            """)

    @Argument(help: "Folder to write to; it is made.")
    var folder: String

    @Option(help: "good or bad.")
    var lane = LaneArgument.good

    @Flag(help: "Only rows that are not delivered (default), or all that are still on disk.")
    var which = SpoolCatCommand.Which.undelivered

    @OptionGroup var spool: SpoolOptions

    func run() throws {
        try reporting {
            let (settings, shards) = try spool.find()
            var rows = SpoolRows(
                lane: lane.name, includesDelivered: which == .all, from: nil, limit: .max)
            var objects = 0
            for shard in shards {
                objects += try export(shard, settings, &rows)
            }
            for line in rows.skipped { writeLine("warning: skipped \(line)", to: STDERR_FILENO) }
            print(
                "\(grouped(rows.rowCount)) rows in \(counted(objects, "file")) below \(folder)")
            if lane == .good, which == .undelivered { try tellOfBadRows(settings, shards) }
        }
    }

    /// Whoever rescues rows wants these too.
    private func tellOfBadRows(_ settings: Settings, _ shards: [Int]) throws {
        var bad: UInt64 = 0
        for shard in shards {
            let listing = try SpoolListing.read(spoolFolder: settings.spoolFolder, shard: shard)
            bad += listing.lanes.filter { $0.lane == .bad }.reduce(0) { $0 + $1.ledger.undelivered }
        }
        if bad > 0 {
            print(
                "besides, \(grouped(bad)) bad \(bad == 1 ? "row" : "rows"): the same with --lane bad"
            )
        }
    }

    private func export(
        _ shard: Int, _ settings: Settings, _ rows: inout SpoolRows
    ) throws -> Int {
        let host = hostName()
        let stream =
            lane == .good
            ? settings.streamName(shard: shard, host: host)
            : settings.badStreamName(shard: shard, host: host)
        let export = ObjectExport(folder: folder, stream: stream)
        var bar: SpoolProgress?
        let shown = { (read: UInt64, total: UInt64) in
            if bar == nil { bar = SpoolProgress("exporting shard \(shard)", bytesTotal: total) }
            bar!.show(read)
        }
        defer { bar?.end() }
        do {
            try rows.read(settings.spoolFolder, shard, progress: shown) {
                try export.append($0)
                return true
            }
            try export.finish()
        } catch let failure as Failure {
            throw ClusterFailure(
                "\(folder): \(failure)",
                hint: "a folder that you may write, on a disk with room",
                exitCode: ClusterExit.cannotCreate)
        }
        return export.objects.count
    }
}
