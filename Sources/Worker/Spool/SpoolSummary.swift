import Core
import Platform

/// The ledger of a shard as its folder tells it: for `hydrant status` on a stopped cluster. Takes
/// no lock and changes nothing; of a running cluster it may be a moment old.
public struct SpoolSummary: Equatable, Sendable {
    public var shard: Int
    public var ledger = SpoolLedger()

    /// Reads one shard. A lane that does not exist yet is all zeros.
    ///
    /// - Parameter folder: the shard's folder, `<spool folder>/shard-<k>`.
    public static func read(folder: String, shard: Int) throws(Failure) -> SpoolSummary {
        var summary = SpoolSummary(shard: shard)
        summary.ledger.good = try lane(.good, of: folder, shard: shard)
        summary.ledger.bad = try lane(.bad, of: folder, shard: shard)
        return summary
    }

    public static func read(spoolFolder: String, shard: Int) throws(Failure) -> SpoolSummary {
        try read(folder: ShardSpool.folder(spoolFolder: spoolFolder, shard: shard), shard: shard)
    }

    /// Reads every shard there is in a spool folder, in order; none when the folder is absent.
    public static func readAll(spoolFolder: String) throws(Failure) -> [SpoolSummary] {
        var summaries: [SpoolSummary] = []
        for shard in try shards(in: spoolFolder) {
            summaries.append(try read(spoolFolder: spoolFolder, shard: shard))
        }
        return summaries
    }

    /// Bytes of all segments there are, as the folders list them; what cannot be listed counts 0.
    public static func byteCount(spoolFolder: String) -> UInt64 {
        var sum: UInt64 = 0
        for shard in (try? shards(in: spoolFolder)) ?? [] {
            let folder = ShardSpool.folder(spoolFolder: spoolFolder, shard: shard)
            for lane in SpoolLaneName.allCases {
                for entry in (try? Files.list("\(folder)/\(lane.folder)")) ?? []
                where entry.isRegular {
                    sum &+= entry.byteCount
                }
            }
        }
        return sum
    }

    /// The numbers of the shards that have a folder.
    public static func shards(in spoolFolder: String) throws(Failure) -> [Int] {
        try shards(in: spoolFolder, files: Files())
    }

    static func shards(in spoolFolder: String, files: Files) throws(Failure) -> [Int] {
        do throws(Failure) {
            return try files.list(spoolFolder).compactMap { entry in
                guard entry.name.hasPrefix("shard-"), let shard = UInt16(entry.name.dropFirst(6)),
                    entry.name == "shard-\(shard)"
                else { return nil }
                return Int(shard)
            }.sorted()
        } catch {
            if error.isAbsent { return [] }
            throw error
        }
    }

    private static func lane(
        _ lane: SpoolLaneName, of folder: String, shard: Int
    ) throws(Failure) -> LaneLedger {
        let quarantine = Quarantine(
            folder: ShardSpool.quarantineFolder(folder), files: Files())
        let folder = LaneFolder(path: "\(folder)/\(lane.folder)")
        do throws(Failure) {
            return try LaneRecovery(
                folder: folder, lane: lane, shard: UInt16(shard), quarantine: quarantine,
                readsOrigins: false
            ).ledger
        } catch {
            if error.isAbsent { return LaneLedger() }
            throw error
        }
    }
}
