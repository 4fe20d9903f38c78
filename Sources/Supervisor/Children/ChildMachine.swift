/// The life of one supervised slot. Nothing else decides when its process starts, is told to leave,
/// or is killed.
///
///     state       event           next        action
///     down        wanted          due         spawn
///     due         spawned         starting    –
///     due         spawnFailed     waiting     spawnAfter (counts as a death before ready)
///     starting    saidReady       ready       –
///     starting    exited          waiting/due spawnAfter, spawn
///     ready       exited          waiting/due spawn at once if it had been ready ≥ 1 s
///     waiting     timeCame        due         spawn
///     starting,   leave           stopping    order
///     ready
///     stopping    exited          down        –      (due, spawn: it was asked to come back)
///     stopping    graceOver       –           kill
///     alive       hung            –           kill
///     starting    exited          abandoned   – (the last of `startsWithoutReadyMax`)
///     abandoned   wanted          due         spawn
///
/// A slot that was ever ready is never given up: whatever ails it may pass, and nobody else writes
/// its shard. One that never was ends as `abandoned` once its budget of starts is spent; whether the
/// cluster goes on without it, `BootWatch` says.
struct ChildMachine: Equatable {
    enum State: Equatable {
        /// Not started yet, or gone for good.
        case down
        /// The owner was told to spawn and has not said how that went.
        case due
        case waiting(untilMs: UInt64)
        case starting(pid: Int32)
        case ready(pid: Int32, sinceMs: UInt64)
        case stopping(pid: Int32, comesBack: Bool)
        /// Never ready, and not tried again until somebody wants it to.
        case abandoned
    }

    enum Event: Equatable {
        case wanted
        case spawned(pid: Int32), spawnFailed
        case saidReady
        case exited
        case timeCame
        /// It is to leave: for good, or to be replaced by a fresh incarnation.
        case leave(comesBack: Bool)
        /// Ordered to leave and still here when its time was over.
        case graceOver
        /// It lives and does nothing, says `HangWatch`.
        case hung
    }

    enum Action: Equatable {
        case none
        case spawn
        case spawnAfter(ms: UInt64)
        /// Send the order to leave over the control channel.
        case order
        case kill(pid: Int32)
    }

    /// Ready that long, a death is no failure to start.
    static let steadyMs: UInt64 = 1000
    static let backOffFirstMs: UInt64 = 100
    static let backOffMostMs: UInt64 = 30_000
    /// At most `startsMax` starts within `startsWindowMs`.
    static let startsMax = 4
    static let startsWindowMs: UInt64 = 1000
    /// Starts of a slot that was never ready, with back-off some six minutes of them.
    static let startsWithoutReadyMax = 30

    private(set) var state = State.down
    private(set) var wasEverReady = false
    /// Deaths in a row before or within `steadyMs` of ready.
    private(set) var earlyDeaths = 0
    /// Starts because the one before died, or could not be started. A replacement that was asked
    /// for (a reload, a SIGTERM to the child) is none.
    private(set) var restarts = 0
    private var startsAfterDeath = false
    /// When the last starts were, oldest first.
    private var recentStartsMs: [UInt64] = []

    /// `random` is any 64 random bits: the jitter of a back-off.
    mutating func handle(_ event: Event, nowMs: UInt64, random: UInt64) -> Action {
        switch (state, event) {
        case (.down, .wanted), (.abandoned, .wanted):
            earlyDeaths = 0
            return become(.due, .spawn)
        case (.due, .spawned(let pid)):
            noteStart(nowMs)
            return become(.starting(pid: pid), .none)
        case (.due, .spawnFailed):
            noteStart(nowMs)
            return restart(wasSteady: false, nowMs: nowMs, random: random)
        case (.starting(let pid), .saidReady):
            wasEverReady = true
            return become(.ready(pid: pid, sinceMs: nowMs), .none)
        case (.starting, .exited):
            return restart(wasSteady: false, nowMs: nowMs, random: random)
        case (.ready(_, let sinceMs), .exited):
            let wasSteady = nowMs >= sinceMs + Self.steadyMs
            return restart(wasSteady: wasSteady, nowMs: nowMs, random: random)
        case (.waiting(let untilMs), .timeCame):
            if nowMs < untilMs { return .spawnAfter(ms: untilMs - nowMs) }
            return become(.due, .spawn)
        case (.waiting, .leave(comesBack: false)):
            return become(.down, .none)
        case (.starting(let pid), .leave(let comesBack)),
            (.ready(let pid, _), .leave(let comesBack)):
            return become(.stopping(pid: pid, comesBack: comesBack), .order)
        case (.stopping(let pid, let comesBack), .leave(let again)):
            return become(.stopping(pid: pid, comesBack: comesBack && again), .order)
        case (.stopping(_, comesBack: true), .exited):
            return startAgain(wasSteady: true, nowMs: nowMs, random: random)
        case (.stopping(_, comesBack: false), .exited):
            return become(.down, .none)
        case (.starting(let pid), .graceOver), (.ready(let pid, _), .graceOver),
            (.stopping(let pid, _), .graceOver), (.starting(let pid), .hung),
            (.ready(let pid, _), .hung), (.stopping(let pid, _), .hung):
            return .kill(pid: pid)
        case (.down, .leave), (.waiting, .leave), (.abandoned, .leave), (_, .graceOver),
            (_, .hung), (_, .timeCame), (_, .saidReady), (_, .wanted):
            // Late timers and repeated words of children: nothing new.
            return .none
        case (_, .spawned), (_, .spawnFailed), (_, .exited), (.due, .leave):
            preconditionFailure("\(event) cannot happen while \(state)")
        }
    }

    /// The process that lives in the slot.
    var pid: Int32? {
        switch state {
        case .down, .due, .waiting, .abandoned: nil
        case .starting(let pid), .ready(let pid, _), .stopping(let pid, _): pid
        }
    }

    var isReady: Bool {
        if case .ready = state { true } else { false }
    }

    /// Nothing lives here and nothing will be started.
    var isGone: Bool { state == .down || state == .abandoned }

    /// The state as status shows it. A slot that waits for its next start is down like one that has
    /// left: nobody is at work there.
    var word: String {
        switch state {
        case .down, .waiting: "down"
        case .due, .starting: "starting"
        case .ready: "ready"
        case .stopping: "draining"
        case .abandoned: "abandoned"
        }
    }

    private mutating func become(_ next: State, _ action: Action) -> Action {
        state = next
        return action
    }

    private mutating func noteStart(_ nowMs: UInt64) {
        if startsAfterDeath { restarts += 1 }
        startsAfterDeath = false
        recentStartsMs.append(nowMs)
        if recentStartsMs.count > Self.startsMax { recentStartsMs.removeFirst() }
    }

    private mutating func restart(wasSteady: Bool, nowMs: UInt64, random: UInt64) -> Action {
        startsAfterDeath = true
        return startAgain(wasSteady: wasSteady, nowMs: nowMs, random: random)
    }

    private mutating func startAgain(wasSteady: Bool, nowMs: UInt64, random: UInt64) -> Action {
        earlyDeaths = wasSteady ? 0 : earlyDeaths + 1
        if !wasEverReady && earlyDeaths >= Self.startsWithoutReadyMax {
            return become(.abandoned, .none)
        }
        let delayMs = max(throttleMs(nowMs), wasSteady ? 0 : backOffMs(random))
        if delayMs == 0 { return become(.due, .spawn) }
        return become(.waiting(untilMs: nowMs + delayMs), .spawnAfter(ms: delayMs))
    }

    /// Full jitter: anything from nothing to the ceiling, so that slots that fell together do not
    /// rise together.
    private func backOffMs(_ random: UInt64) -> UInt64 {
        let doublings = UInt64(min(earlyDeaths - 1, 16))
        let ceilingMs = min(Self.backOffFirstMs << doublings, Self.backOffMostMs)
        return random % (ceilingMs + 1)
    }

    private func throttleMs(_ nowMs: UInt64) -> UInt64 {
        guard recentStartsMs.count == Self.startsMax else { return 0 }
        let freeAtMs = recentStartsMs[0] + Self.startsWindowMs
        return freeAtMs > nowMs ? freeAtMs - nowMs : 0
    }
}
