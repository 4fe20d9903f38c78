import Core

/// Decides when all that had been accepted at a moment is delivered (and, in local mode, loaded).
///
/// Each shard's lanes must pass the mark they had at the start. Good rows that Firehose refused
/// move to the bad lane on the way; when that happened, the bad lane's mark is raised to where it
/// stands once the good lane is through.
struct FlushMachine {
    enum Lane: String { case good, bad }

    /// A lane that has not passed its mark.
    struct Waiting: Equatable {
        var shard: Int
        var lane: Lane
        var rows: UInt64
    }

    enum Action: Equatable {
        case none
        /// Tell the workers of these shards to deliver without lingering. `cutsWaits`: and to try at
        /// once where they wait after a failure.
        case flushWorkers([Int], cutsWaits: Bool)
        /// Every lane is through: tell the local Firehose to load what it holds.
        case flushLocal
        case done
        case timedOut
    }

    private struct Mark {
        var good: UInt64
        var bad: UInt64
        var moved: UInt64
        var isGoodThrough = false
    }

    /// How often workers that are not through are told again.
    static let repeatMs: UInt64 = 200
    /// How often they are to try at once, whatever their back-off says: somebody waits, and what
    /// ails the service has perhaps passed. More often would only be load for it.
    static let cutWaitsMs: UInt64 = 10_000

    private var marks: [Mark]
    private let awaitsLocal: Bool
    private let deadlineMs: UInt64
    private var nextOrderMs: UInt64
    private var nextCutMs: UInt64
    private var hasAskedLocal = false
    private(set) var isLocalLoaded = false
    private(set) var waiting: [Waiting] = []

    init(counts: [LedgerCounts], awaitsLocal: Bool, nowMs: UInt64, timeoutMs: UInt64) {
        marks = counts.map { Mark(good: $0.goodHits, bad: $0.badHits, moved: $0.badMoved) }
        self.awaitsLocal = awaitsLocal
        deadlineMs = nowMs &+ timeoutMs < nowMs ? .max : nowMs + timeoutMs
        nextOrderMs = nowMs
        nextCutMs = nowMs
    }

    /// The local Firehose said `flushed` with this flush's number.
    mutating func localLoaded() { isLocalLoaded = true }

    /// The local Firehose died: its successor has to be asked again.
    mutating func localDied() { hasAskedLocal = false }

    /// Call about every 20 ms with the shards' counts, in the order of the start. Shards that a reload
    /// has added since stand behind them, and are not waited for.
    mutating func tick(counts: [LedgerCounts], nowMs: UInt64) -> Action {
        precondition(counts.count >= marks.count)
        waiting = []
        for shard in marks.indices { look(shard, counts[shard]) }
        if waiting.isEmpty && (!awaitsLocal || isLocalLoaded) { return .done }
        if nowMs >= deadlineMs { return .timedOut }
        if waiting.isEmpty {
            if hasAskedLocal { return .none }
            hasAskedLocal = true
            return .flushLocal
        }
        guard nowMs >= nextOrderMs else { return .none }
        nextOrderMs = nowMs + Self.repeatMs
        let cutsWaits = nowMs >= nextCutMs
        if cutsWaits { nextCutMs = nowMs + Self.cutWaitsMs }
        return .flushWorkers(Set(waiting.map(\.shard)).sorted(), cutsWaits: cutsWaits)
    }

    private mutating func look(_ shard: Int, _ counts: LedgerCounts) {
        if !marks[shard].isGoodThrough {
            let passed = counts.goodPassed
            if passed >= marks[shard].good {
                marks[shard].isGoodThrough = true
                if counts.badMoved > marks[shard].moved { marks[shard].bad = counts.badHits }
            } else {
                waiting.append(
                    Waiting(shard: shard, lane: .good, rows: marks[shard].good - passed))
            }
        }
        if counts.badPassed < marks[shard].bad {
            waiting.append(
                Waiting(shard: shard, lane: .bad, rows: marks[shard].bad - counts.badPassed))
        }
    }
}
