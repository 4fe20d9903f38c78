import Core

/// Watches one shard from its counters: whether its backlog moves, and whether it refuses hits.
/// A pure machine; every time is the supervisor's monotonic clock.
struct ProgressWatch: Equatable {
    /// How long after the last refusal a shard counts as refusing. Whoever takes this host out of
    /// service on that word sends no more hits that could be refused: then it is tried again.
    static let refusalMemoryMs: UInt64 = 5000

    /// One look at a shard.
    struct Look: Equatable {
        var goodWaiting: UInt64 = 0
        var goodPassed: UInt64 = 0
        var badWaiting: UInt64 = 0
        var badPassed: UInt64 = 0
        /// The lane's last call failed, and it has not got through since.
        var goodFails = false
        var badFails = false
        /// Totals of hits refused since the cluster's start: a lane at its cap, a failing disk.
        var refusedFull: UInt64 = 0
        var refusedFailure: UInt64 = 0
    }

    private struct Lane: Equatable {
        var passed: UInt64 = 0
        /// Since when rows have waited and none has passed; nil when none waits.
        var standsSinceMs: UInt64?
        /// Since when calls fail; nil when they do not.
        var failsSinceMs: UInt64?

        mutating func look(waiting: UInt64, passed: UInt64, fails: Bool, nowMs: UInt64) {
            failsSinceMs = fails ? failsSinceMs ?? nowMs : nil
            if waiting == 0 {
                standsSinceMs = nil
            } else if passed != self.passed || standsSinceMs == nil {
                standsSinceMs = nowMs
            }
            self.passed = passed
        }
    }

    private struct Refusals: Equatable {
        var total: UInt64?
        var lastMs: UInt64?

        /// The first look only remembers: what was refused before is no news.
        mutating func look(_ total: UInt64, nowMs: UInt64) {
            if let before = self.total, total > before { lastMs = nowMs }
            self.total = total
        }

        func areRecent(nowMs: UInt64) -> Bool {
            lastMs.map { nowMs < $0 + ProgressWatch.refusalMemoryMs } ?? false
        }
    }

    private var good = Lane()
    private var bad = Lane()
    private var full = Refusals()
    private var failure = Refusals()

    mutating func look(_ look: Look, nowMs: UInt64) {
        good.look(
            waiting: look.goodWaiting, passed: look.goodPassed, fails: look.goodFails, nowMs: nowMs)
        bad.look(
            waiting: look.badWaiting, passed: look.badPassed, fails: look.badFails, nowMs: nowMs)
        full.look(look.refusedFull, nowMs: nowMs)
        failure.look(look.refusedFailure, nowMs: nowMs)
    }

    /// For how long the lane has had rows and passed none; 0 when it moves or is empty.
    func standsMs(good isGood: Bool, nowMs: UInt64) -> UInt64 {
        (isGood ? good : bad).standsSinceMs.map { nowMs - $0 } ?? 0
    }

    /// For how long the lane's calls have failed; 0 when they do not.
    func failsMs(good isGood: Bool, nowMs: UInt64) -> UInt64 {
        (isGood ? good : bad).failsSinceMs.map { nowMs - $0 } ?? 0
    }

    func refusesFull(nowMs: UInt64) -> Bool { full.areRecent(nowMs: nowMs) }
    func refusesFailure(nowMs: UInt64) -> Bool { failure.areRecent(nowMs: nowMs) }
}
