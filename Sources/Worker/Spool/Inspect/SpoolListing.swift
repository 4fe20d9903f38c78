import Core
import Platform

/// What a shard's folder holds, lane by lane. Reads heads, cursors and what the cursors have not
/// passed of the newest segments; takes no lock.
public struct SpoolListing: Equatable, Sendable {
    public struct Lane: Equatable, Sendable {
        public var lane: SpoolLaneName
        public var segments = 0
        /// The newest segment's number.
        public var newest: UInt64 = 0
        public var ledger = LaneLedger()
        /// Not passed by the cursor, and in no file, as far as that shows without reading all; in
        /// `ledger` they are dropped.
        public var missing: UInt64 = 0
        /// Segments in its folder that are of another lane, shard or version: those that a worker has
        /// renamed, and of the others those that show without reading all. Nobody delivers their rows.
        public var foreignFiles = 0
        public var quarantinedSpans = 0
        public var quarantinedBytes: UInt64 = 0
    }

    public var shard: Int
    public var folder: String
    /// The process that has the shard's lock; nil when none has.
    public var holder: Holder?
    public var lanes: [Lane] = []

    public struct Holder: Equatable, Sendable {
        /// Nil when the lock file does not tell.
        public var pid: Int?
    }

    public static func read(spoolFolder: String, shard: Int) throws(Failure) -> SpoolListing {
        let folder = ShardSpool.folder(spoolFolder: spoolFolder, shard: shard)
        var listing = SpoolListing(
            shard: shard, folder: folder, holder: ShardSpool.holder(of: folder))
        let quarantine = Quarantine(
            folder: ShardSpool.quarantineFolder(folder), files: Files())
        let spans = try quarantine.spans()
        for name in SpoolLaneName.allCases {
            var lane = try read(name, of: folder, shard, quarantine)
            let its = spans.filter { $0.lane == name }
            lane.quarantinedSpans = its.count
            lane.quarantinedBytes = its.reduce(0) { $0 &+ $1.byteCount }
            listing.lanes.append(lane)
        }
        return listing
    }

    /// Who has the shard's lock; nil when nobody has.
    public static func holder(spoolFolder: String, shard: Int) -> Holder? {
        ShardSpool.holder(of: ShardSpool.folder(spoolFolder: spoolFolder, shard: shard))
    }

    private static func read(
        _ name: SpoolLaneName, of folder: String, _ shard: Int, _ quarantine: Quarantine
    ) throws(Failure) -> Lane {
        var lane = Lane(lane: name)
        do throws(Failure) {
            let found = try LaneRecovery(
                folder: LaneFolder(path: "\(folder)/\(name.folder)"), lane: name,
                shard: UInt16(shard), quarantine: quarantine, readsOrigins: false)
            lane.segments = found.segments.count
            let renamed = SmallFile.names(in: "\(folder)/\(name.folder)").count {
                $0.contains(".segment.foreign-")
            }
            lane.foreignFiles = found.foreign.count + renamed
            lane.newest = found.segments.last?.number ?? 0
            lane.ledger = found.ledger
            lane.missing = found.missing.count
        } catch {
            if !error.isAbsent { throw error }
        }
        return lane
    }
}

extension ShardSpool {
    /// Who has the lock of a shard's folder. Takes it for an instant to find out.
    static func holder(of folder: String) -> SpoolListing.Holder? {
        guard let file = try? Files.open("\(folder)/lock") else { return nil }
        defer { Files.close(file) }
        if (try? Files.lock(file)) ?? true { return nil }
        return SpoolListing.Holder(pid: readPid(file, Files()))
    }
}
