/// The order in which a running cluster takes on other settings. Only routers overlap:
///
///     replacing   the local Firehose starts again, for the streams of new workers; these start. Each
///                 old worker in turn leaves as in a planned crash, and its successor goes on;
///                 routers keep what it did not acknowledge, and send it again. New ones may have to
///                 wait for a shard that an old one had adopted
///     routers     fresh routers start beside the old ones, on the same listening sockets
///     draining    the old ones stop accepting, answer what they have, and leave
///     shrinking   workers that are one too many leave; nobody sends to them any more
///
/// Old routers keep the old number of shards to their end, so a shard goes last and comes first.
///
/// A worker that does not come back is waited for a while, and then left to its supervision: it will
/// have the new settings whenever it starts. Fresh routers of which one does not start within the same
/// time are given up, and the old ones go on. Where those have died meanwhile there is nothing to go back
/// to: the fresh ones are left to their supervision too.
struct ReloadMachine: Equatable {
    enum Phase: Equatable {
        case idle, replacing, routers, draining, shrinking
    }

    enum Action: Equatable {
        case startNewWorkers
        /// Tell this worker to leave and come back.
        case replaceWorker(Int)
        case startFreshRouters
        case drainOldRouters
        case giveUpFreshRouters
        case stopSurplusWorkers
        case finish(Outcome)
    }

    enum Outcome: Equatable {
        case done
        /// The routers of before go on, with the settings of before.
        case oldRoutersStay
        /// All that could be done is; these workers have not come back.
        case workersMissing([Int])
        /// The routers of before are dead, and not all fresh ones at work.
        case routersMissing
    }

    /// One worker slot that the new settings have.
    struct Slot: Equatable {
        var slot: Int
        var isReady: Bool
        /// What lives there was started with the new settings.
        var isFresh: Bool
    }

    /// The cluster as it is.
    struct Look: Equatable {
        var nowMs: UInt64
        var workers: [Slot]
        /// Fresh routers: those there are to be, and those at work.
        var freshRouters: Int
        var freshRoutersReady: Int
        /// Those that live.
        var oldRouters: Int
        var surplusWorkers: Int
    }

    /// How long one worker, or all fresh routers together, may take to be ready.
    static let patienceMs: UInt64 = 10_000

    private(set) var phase = Phase.idle
    private var sinceMs: UInt64 = 0
    private var missing: [Int] = []
    private var replaced: Int?
    private var lacksRouters = false

    var isActive: Bool { phase != .idle }

    /// The new settings are where children find them.
    mutating func begin(_ look: Look) -> [Action] {
        precondition(!isActive)
        missing = []
        replaced = nil
        lacksRouters = false
        phase = .replacing
        sinceMs = look.nowMs
        return [.startNewWorkers]
    }

    /// Time passed, or a child became ready or ended. Call at least every 50 ms while active.
    mutating func tick(_ look: Look) -> [Action] {
        switch phase {
        case .idle: return []
        case .replacing: return replace(look)
        case .routers:
            if look.freshRoutersReady == look.freshRouters {
                return [.drainOldRouters] + enter(.draining, look)
            }
            if !isOver(look) { return [] }
            if look.oldRouters == 0 {
                lacksRouters = true
                return [.stopSurplusWorkers] + enter(.shrinking, look)
            }
            phase = .idle
            return [.giveUpFreshRouters, .finish(.oldRoutersStay)]
        case .draining:
            // They have a deadline of their own.
            return look.oldRouters > 0 ? [] : [.stopSurplusWorkers] + enter(.shrinking, look)
        case .shrinking:
            if look.surplusWorkers > 0 { return [] }
            phase = .idle
            if lacksRouters { return [.finish(.routersMissing)] }
            return [.finish(missing.isEmpty ? .done : .workersMissing(missing))]
        }
    }

    /// The cluster stops, or starts all over: nothing more is to be done.
    mutating func abandon() { phase = .idle }

    private mutating func replace(_ look: Look) -> [Action] {
        if let slot = replaced, let worker = look.workers.first(where: { $0.slot == slot }) {
            if !(worker.isFresh && worker.isReady) {
                if !isOver(look) { return [] }
                missing.append(slot)
            }
        }
        replaced = nil
        let unfinished = look.workers.filter {
            !missing.contains($0.slot) && !($0.isFresh && $0.isReady)
        }
        let next = unfinished.first { !$0.isFresh } ?? unfinished.first
        guard let next else { return [.startFreshRouters] + enter(.routers, look) }
        replaced = next.slot
        sinceMs = look.nowMs
        // One that is starting, or waits to start again, will have the new settings by itself.
        return next.isReady ? [.replaceWorker(next.slot)] : []
    }

    private mutating func enter(_ next: Phase, _ look: Look) -> [Action] {
        phase = next
        sinceMs = look.nowMs
        return next == .routers ? [] : tick(look)
    }

    private func isOver(_ look: Look) -> Bool { look.nowMs >= sinceMs + Self.patienceMs }
}
