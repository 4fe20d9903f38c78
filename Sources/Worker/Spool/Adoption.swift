import Core
import Platform

/// The shards that this worker takes in: those whose own worker is gone because fewer were started
/// than before. Shard s of n workers' times goes to worker s mod n. Each keeps its folder, its
/// cursor and so its ledger; only the stream is the adopter's.
///
/// One at a time, under the shard's own lock: where another process still has it (the old worker, on
/// its way out) it is tried again later.
struct Adoption: ~Copyable {
    struct Limits {
        var spoolFolder: String
        var worker: Int
        var workers: Int
        var bytesMax: UInt64
        var badBytesMax: UInt64
        var segmentBytes: UInt64
    }

    enum Event: Equatable {
        case none
        /// Both its lanes may have rows to deliver.
        case adopted(shard: Int)
        /// Nothing waits any more; its lock is free. `hits`: of those that waited, delivered.
        case finished(shard: Int, hits: UInt64)
        /// Tried again later. Told once a shard.
        case failed(shard: Int, String)
    }

    static let lookEveryMs: UInt64 = 1000
    /// After an attempt that failed.
    static let retryMs: UInt64 = 5000

    private let limits: Limits
    private let files: Files
    private(set) var shard: Int?
    private let spool = UnsafeMutablePointer<ShardSpool>.allocate(capacity: 1)
    /// Undelivered when it was adopted, and dropped by then.
    private var hits: UInt64 = 0
    private var droppedBefore: UInt64 = 0
    /// Found with nothing to deliver, under their lock: nobody adds to them.
    private var settled: Set<Int> = []
    private var toldFailures: Set<Int> = []
    private var nextLookMs: UInt64 = 0
    /// Of shards that are finished.
    private var damageBefore = Damage()
    /// Of shards that are closed; not told yet.
    private var notices: [SpoolNotice] = []

    /// What lanes found since the start.
    struct Damage: Equatable {
        var recordsUnreadable: UInt64 = 0
        var hitsUnreadable: UInt64 = 0
        var quarantinedBytes: UInt64 = 0
        var quarantineRefusedBytes: UInt64 = 0
        var filesIgnored: UInt64 = 0
    }

    init(_ limits: Limits, files: Files = Files()) {
        self.limits = limits
        self.files = files
    }

    deinit {
        if shard != nil { spool.deinitialize(count: 1) }
        spool.deallocate()
    }

    /// The shards without a worker that fall to this one.
    static func orphans(among shards: [Int], worker: Int, workers: Int) -> [Int] {
        shards.filter { $0 >= workers && $0 % workers == worker }
    }

    /// The adopted shard's spool, while there is one.
    var adopted: UnsafeMutablePointer<ShardSpool>? { shard == nil ? nil : spool }

    var damage: Damage {
        var sum = damageBefore
        guard let adopted else { return sum }
        sum.add(adopted.pointee.good)
        sum.add(adopted.pointee.bad)
        return sum
    }

    /// What is to be told of since the last call.
    mutating func takeNotices() -> [SpoolNotice] {
        defer { notices.removeAll() }
        return notices + (shard == nil ? [] : spool.pointee.takeNotices())
    }

    /// The adopted shard's files, as `ShardSpool.lookAfter` has it for the worker's own.
    mutating func lookAfter() -> [ShardSpool.Finding] {
        shard == nil ? [] : spool.pointee.lookAfter()
    }

    /// Call a few times a second.
    mutating func tick(nowMs: UInt64, good: inout LaneQueue, bad: inout LaneQueue) -> Event {
        if let shard {
            guard spool.pointee.good.undeliveredHits == 0, spool.pointee.bad.undeliveredHits == 0
            else { return .none }
            good.release()
            bad.release()
            let dropped = spool.pointee.ledger.dropped - droppedBefore
            close()
            settled.insert(shard)
            return .finished(shard: shard, hits: hits - min(hits, dropped))
        }
        guard nowMs >= nextLookMs else { return .none }
        nextLookMs = nowMs + Self.lookEveryMs
        guard let shard = nextOrphan() else { return .none }
        do throws(SpoolError) {
            guard try open(shard) else { return .none }
        } catch {
            nextLookMs = nowMs + Self.retryMs
            let isNew = toldFailures.insert(shard).inserted
            return isNew ? .failed(shard: shard, error.description) : .none
        }
        let badLane = withUnsafeMutablePointer(to: &spool.pointee.bad) { $0 }
        good.adopt(
            withUnsafeMutablePointer(to: &spool.pointee.good) { $0 }, badLane: badLane)
        bad.adopt(badLane)
        return .adopted(shard: shard)
    }

    /// At a stop, when no delivery reads any more.
    mutating func close() {
        guard shard != nil else { return }
        damageBefore = damage
        spool.pointee.close()
        notices += spool.pointee.takeNotices()
        spool.deinitialize(count: 1)
        shard = nil
    }

    private func nextOrphan() -> Int? {
        guard let shards = try? SpoolSummary.shards(in: limits.spoolFolder, files: files) else {
            return nil
        }
        return Self.orphans(among: shards, worker: limits.worker, workers: limits.workers)
            .first { !settled.contains($0) }
    }

    /// False when there is nothing to deliver.
    private mutating func open(_ shard: Int) throws(SpoolError) -> Bool {
        spool.initialize(
            to: try ShardSpool.open(
                spoolFolder: limits.spoolFolder, shard: shard, bytesMax: limits.bytesMax,
                badBytesMax: limits.badBytesMax, segmentBytes: limits.segmentBytes, files: files))
        self.shard = shard
        hits = spool.pointee.good.undeliveredHits + spool.pointee.bad.undeliveredHits
        droppedBefore = spool.pointee.ledger.dropped
        if hits > 0 { return true }
        close()
        settled.insert(shard)
        nextLookMs = 0
        return false
    }
}

extension Adoption.Damage {
    mutating func add(_ lane: borrowing SpoolLane) {
        recordsUnreadable += lane.recordsUnreadable
        hitsUnreadable += lane.hitsUnreadable
        quarantinedBytes += lane.quarantinedBytes
        quarantineRefusedBytes += lane.quarantineRefusedBytes
        filesIgnored += lane.filesIgnored
    }
}
