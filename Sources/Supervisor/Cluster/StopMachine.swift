import Core

/// The order in which a cluster leaves, and its one deadline:
/// routers drain → (workers deliver what is in the spool) → workers stop → the local Firehose stops
/// → done.
///
/// Workers are restarted while routers drain (their clients still await answers) and while they
/// deliver, and every phase leaves the later ones their share of the time. Delivering, where it is
/// asked for, has a time of its own: the deadline moves by what it takes.
struct StopMachine: Equatable {
    enum Phase: Int, Comparable {
        case running, routers, delivery, workers, localFirehose, gone

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    enum Action: Equatable {
        /// Tell every child of the role to leave within that time; it does not come back.
        case order(Inheritance.Role, withinMs: UInt64)
        /// Tell the workers to deliver everything now. Repeated: a restarted one knows nothing.
        case deliver
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
        /// Rows that no Firehose has taken.
        var rowsInSpool: UInt64 = 0

        var all: Int { routers + workers + localFirehoses }
    }

    /// From the order to exit at once to SIGKILL.
    static let quitGraceMs: UInt64 = 250
    /// Between two orders to deliver: each cuts a back-off short, so they must not be many.
    static let deliverEveryMs: UInt64 = 2000

    private(set) var phase = Phase.running
    private(set) var isImmediate = false
    private(set) var deadlineMs: UInt64 = 0
    private var phaseEndMs: UInt64 = 0
    private var hasKilledPhase = false
    private var timeoutMs: UInt64 = 0
    /// 0: undelivered rows stay.
    private(set) var deliverMs: UInt64 = 0
    /// What the deadline had left when delivering began.
    private var leftMs: UInt64 = 0
    private var nextDeliverMs: UInt64 = 0

    var isStopping: Bool { phase != .running }
    /// When delivering ends at the latest; nil in any other phase.
    var deliverEndMs: UInt64? { phase == .delivery ? phaseEndMs : nil }

    /// A signal or `hydrant stop`. The second one means now. `deliverMs`: how long workers may go
    /// on delivering once the routers are gone; 0 for not at all.
    mutating func stop(
        nowMs: UInt64, timeoutMs: UInt64, deliverMs: UInt64 = 0, immediately: Bool, living: Living
    ) -> [Action] {
        if phase == .running && !immediately {
            self.timeoutMs = timeoutMs
            self.deliverMs = deliverMs
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

    /// Another wish for what is in the spool, during a stop. False when it comes too late: only the
    /// workers can deliver, and they have been told to leave. To deliver no more is always possible.
    mutating func change(deliverMs: UInt64, nowMs: UInt64) -> Bool {
        switch phase {
        case .routers where !isImmediate:
            self.deliverMs = deliverMs
            return true
        case .delivery where !isImmediate:
            // Who delivers goes on as it was asked first: a second wish does not prolong it.
            if deliverMs == 0 {
                self.deliverMs = 0
                phaseEndMs = min(phaseEndMs, nowMs)
            }
            return true
        case .running, .routers, .delivery, .workers, .localFirehose, .gone:
            return deliverMs == 0
        }
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
            if phase == .delivery {
                if !isDelivered(nowMs, living) { return actions + deliverAgain(nowMs) }
                deadlineMs = nowMs + leftMs
                actions += enter(.workers, nowMs: nowMs)
                continue
            }
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
        if next == .delivery {
            leftMs = deadlineMs > nowMs ? deadlineMs - nowMs : 0
            phaseEndMs = nowMs + deliverMs
            nextDeliverMs = nowMs
            deadlineMs = phaseEndMs + leftMs
        }
        guard let role = role(of: next) else { return [] }
        phaseEndMs = max(nowMs, deadlineMs - reserveMs(after: next))
        return [.order(role, withinMs: phaseEndMs - nowMs)]
    }

    /// Nothing is left to deliver, or nobody to do it, or no time.
    private func isDelivered(_ nowMs: UInt64, _ living: Living) -> Bool {
        living.rowsInSpool == 0 || living.workers == 0 || nowMs >= phaseEndMs
    }

    private mutating func deliverAgain(_ nowMs: UInt64) -> [Action] {
        if nowMs < nextDeliverMs { return [] }
        nextDeliverMs = nowMs + Self.deliverEveryMs
        return [.deliver]
    }

    /// What the phases after this one need: workers may await a call in flight for 2 s, the local
    /// Firehose only closes its files.
    private func reserveMs(after phase: Phase) -> UInt64 {
        switch phase {
        case .routers: min(3000, timeoutMs / 2)
        case .workers: min(500, timeoutMs / 8)
        case .running, .delivery, .localFirehose, .gone: 0
        }
    }

    private func role(of phase: Phase) -> Inheritance.Role? {
        switch phase {
        case .routers: .router
        case .workers: .worker
        case .localFirehose: .localFirehose
        case .running, .delivery, .gone: nil
        }
    }

    private func count(in phase: Phase, _ living: Living) -> Int {
        switch phase {
        case .routers: living.routers
        case .workers: living.workers
        case .localFirehose: living.localFirehoses
        case .running, .delivery, .gone: 0
        }
    }
}
