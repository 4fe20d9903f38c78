import Core
import Platform

/// Why what was appended to a lane could not be made durable.
typealias LaneLoss = Failure

/// `ack = "fsync"`: groups of frames, and the syncs that settle them.
extension ShardIntake {
    enum SyncAction {
        /// Nobody waits, or a sync is under way.
        case none
        /// Make these durable (−1: no file), without holding up the loop; then `finishSync`.
        case sync(good: Int32, bad: Int32)
        /// No need to wait for the disk.
        case settled(Settled)
    }

    /// Acks of groups up to `group` may leave. Of lanes that are lost all that waits is refused
    /// first, whichever group it is in.
    struct Settled {
        var group: UInt64
        var lostGood: LaneLoss?
        var lostBad: LaneLoss?
    }

    /// How long a lane refuses hits after a disk refused it twice: else each frame would cost two
    /// segments.
    static let restMs: UInt64 = 1000

    /// Enough waits for the disk: read no more frames until a group is settled.
    var isSaturated: Bool {
        waitsForSync
            && (spool.pointee.good.unsynced.isFull || spool.pointee.bad.unsynced.isFull)
    }

    mutating func beginSync(nowMs: UInt64) -> SyncAction {
        guard waitsForSync, commit.begin() else { return .none }
        let good = Self.begin(&spool.pointee.good, &lostGood)
        let bad = Self.begin(&spool.pointee.bad, &lostBad)
        if good < 0 && bad < 0 { return .settled(settle(nowMs: nowMs)) }
        return .sync(good: good, bad: bad)
    }

    /// The sync that `beginSync` asked for is over, with what came of each file.
    mutating func finishSync(
        good: Failure?, bad: Failure?, nanoseconds: UInt64, nowMs: UInt64
    ) -> Settled {
        counters.add(to: .spoolSyncs)
        counters.raise(.spoolSyncNanosecondsLongest, to: nanoseconds)
        syncTimes.note(nanoseconds: nanoseconds)
        Self.finish(&spool.pointee.good, good, &lostGood, counters)
        Self.finish(&spool.pointee.bad, bad, &lostBad, counters)
        return settle(nowMs: nowMs)
    }

    /// Counts hits that waited and are refused now.
    func didRefuse(_ hits: Int) { counters.add(UInt64(hits), to: .hitsRefusedFailure) }

    /// Lets lanes go on that have rested, and sees to records that no frame waits for. `beginSync`
    /// is to follow.
    mutating func tick(nowMs: UInt64) {
        if !waitsForSync { return }
        if syncTimes.hasNew {
            counters.set(.spoolSyncNanosecondsMedian, to: syncTimes.median())
        }
        if nowMs >= restUntilMs {
            spool.pointee.good.isResting = false
            spool.pointee.bad.isResting = false
        }
        if spool.pointee.good.hasUnsynced || spool.pointee.bad.hasUnsynced { _ = commit.join() }
    }

    private static func begin(_ lane: inout SpoolLane, _ lost: inout LaneLoss?) -> Int32 {
        switch lane.beginSync() {
        case .clean: return -1
        case .file(let file): return file
        case .lost(let failure):
            lost = failure
            return -1
        }
    }

    private static func finish(
        _ lane: inout SpoolLane, _ failure: Failure?, _ lost: inout LaneLoss?,
        _ counters: CounterPage
    ) {
        if lane.syncingFile < 0 { return }
        if failure != nil { counters.add(to: .spoolSyncsFailed) }
        if case .lost(let failure) = lane.finishSync(failure) { lost = failure }
    }

    private mutating func settle(nowMs: UInt64) -> Settled {
        let settled = Settled(group: commit.finish(), lostGood: lostGood, lostBad: lostBad)
        (lostGood, lostBad) = (nil, nil)
        if settled.lostGood != nil { spool.pointee.good.isResting = true }
        if settled.lostBad != nil { spool.pointee.bad.isResting = true }
        if settled.lostGood != nil || settled.lostBad != nil { restUntilMs = nowMs + Self.restMs }
        return settled
    }
}
