import Core

/// The order in which a cluster leaves, and its one deadline:
/// routers drain → workers stop → the local Firehose stops → done.
///
/// Workers are restarted while routers drain (their clients still await answers), and every phase
/// leaves the later ones their share of the time.
struct StopMachine: Equatable {
    enum Phase: Int, Comparable {
        case running, routers, workers, localFirehose, gone

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    enum Action: Equatable {
        /// Tell every child of the role to leave within that time; it does not come back.
        case order(Inheritance.Role, withinMs: UInt64)
        /// SIGKILL what is left of the role.
        case kill(Inheritance.Role)
        /// Tell every child to exit at once.
        case quit
        case killAll
        case finish
    }

    /// What is alive or will be started again.
    struct Living: Equatable {
        var routers: Int
        var workers: Int
        var localFirehoses: Int

        var all: Int { routers + workers + localFirehoses }
    }

    /// From the order to exit at once to SIGKILL.
    static let quitGraceMs: UInt64 = 250

    private(set) var phase = Phase.running
    private(set) var isImmediate = false
    private(set) var deadlineMs: UInt64 = 0
    private var phaseEndMs: UInt64 = 0
    private var hasKilledPhase = false
    private var timeoutMs: UInt64 = 0

    var isStopping: Bool { phase != .running }

    /// A signal or `hydrant stop`. The second one means now.
    mutating func stop(
        nowMs: UInt64, timeoutMs: UInt64, immediately: Bool, living: Living
    ) -> [Action] {
        if phase == .running && !immediately {
            self.timeoutMs = timeoutMs
            deadlineMs = nowMs + timeoutMs
            return enter(.routers, nowMs: nowMs) + tick(nowMs: nowMs, living: living)
        }
        if isImmediate || phase == .gone { return [] }
        let soonMs = nowMs + Self.quitGraceMs
        deadlineMs = phase == .running ? soonMs : min(deadlineMs, soonMs)
        isImmediate = true
        phase = max(phase, .routers)
        return [
            .order(.router, withinMs: Self.quitGraceMs),
            .order(.worker, withinMs: Self.quitGraceMs),
            .order(.localFirehose, withinMs: Self.quitGraceMs), .quit,
        ]
    }

    /// Time passed, or a child ended. Call at least every 50 ms while stopping.
    mutating func tick(nowMs: UInt64, living: Living) -> [Action] {
        var actions: [Action] = []
        while phase > .running && phase < .gone {
            if living.all == 0 {
                phase = .gone
                return actions + [.finish]
            }
            if nowMs >= deadlineMs { return actions + [.killAll] }
            if isImmediate { return actions }
            if count(in: phase, living) == 0 {
                actions += enter(Phase(rawValue: phase.rawValue + 1)!, nowMs: nowMs)
                if phase == .gone { return actions + [.finish] }
                continue
            }
            if nowMs >= phaseEndMs && !hasKilledPhase {
                hasKilledPhase = true
                actions.append(.kill(role(of: phase)!))
            }
            return actions
        }
        return actions
    }

    private mutating func enter(_ next: Phase, nowMs: UInt64) -> [Action] {
        phase = next
        hasKilledPhase = false
        guard let role = role(of: next) else { return [] }
        phaseEndMs = max(nowMs, deadlineMs - reserveMs(after: next))
        return [.order(role, withinMs: phaseEndMs - nowMs)]
    }

    /// What the phases after this one need: workers may await a call in flight for 2 s, the local
    /// Firehose only closes its files.
    private func reserveMs(after phase: Phase) -> UInt64 {
        switch phase {
        case .routers: min(3000, timeoutMs / 2)
        case .workers: min(500, timeoutMs / 8)
        case .running, .localFirehose, .gone: 0
        }
    }

    private func role(of phase: Phase) -> Inheritance.Role? {
        switch phase {
        case .routers: .router
        case .workers: .worker
        case .localFirehose: .localFirehose
        case .running, .gone: nil
        }
    }

    private func count(in phase: Phase, _ living: Living) -> Int {
        switch phase {
        case .routers: living.routers
        case .workers: living.workers
        case .localFirehose: living.localFirehoses
        case .running, .gone: 0
        }
    }
}
