import Platform

/// A generator thread at work: the handle through which callbacks reach its state. One thread, one
/// loop, its own connections, histograms and section of the board.
struct Generating {
    let state: UnsafeMutablePointer<GeneratorState>

    init(state: UnsafeMutablePointer<GeneratorState>) { self.state = state }
    init(_ raw: UnsafeMutableRawPointer) {
        state = raw.assumingMemoryBound(to: GeneratorState.self)
    }

    var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(state) }
    var section: LoadBoard.Section {
        @inline(__always) get { state.pointee.section }
    }

    /// How often levels are published, timeouts looked for and the stop word read.
    static let tickMs: UInt64 = 10

    /// Ticks between looks at every connection for one that waits too long.
    private static let overdueTicks: UInt64 = 5
    /// Ticks between writings of the ledger: what a killed generator has not written is not known.
    private static let ledgerTicks: UInt64 = 50

    /// Requests handled before the loop looks at its sockets again. A generator that is behind its
    /// schedule must still read answers.
    static let dueBurstMax = 64
}

// MARK: The life of a run

extension Generating {
    /// Begins to connect; the tick does the rest.
    func begin() throws(Failure) {
        for index in 0..<state.pointee.connectionCount {
            let places = UnsafeMutablePointer<SentRequest>.allocate(
                capacity: state.pointee.plan.pipeline)
            (state.pointee.connections + index).initialize(
                to: LoadConnection(
                    generator: self, index: UInt32(index),
                    inFlight: InFlight(at: places, limit: state.pointee.plan.pipeline)))
        }
        if state.pointee.isOpenModel {
            state.pointee.timer = try PreciseTimer(
                in: state.pointee.loop, owner: raw,
                awakeNanoseconds: state.pointee.awakeNanoseconds,
                fire: { Generating($0).timerFired() })
            _ = TurnEnd(
                in: state.pointee.loop, owner: raw, fire: { Generating($0).sendDueWhileAwake() })
        }
        Timer(in: state.pointee.loop, owner: raw, fire: { Generating($0).tick() })
            .start(afterMs: 0, repeatMs: Self.tickMs)
    }

    func tick() {
        let now = monotonicNanoseconds()
        state.pointee.ticks += 1
        switch state.pointee.phase {
        case .starting: becomeReadyIfConnected()
        case .ready: startIfTold()
        case .sending, .draining:
            if state.pointee.ticks % Self.overdueTicks == 0 { giveUpOverdue(now) }
            if state.pointee.ticks % Self.ledgerTicks == 0 { state.pointee.ledger?.flush() }
        case .done: return
        }
        openConnections()
        if state.pointee.phase == .sending && (now >= state.pointee.endNanoseconds || stopped) {
            // What became due since the loop last looked at its timer is late, not lost.
            if state.pointee.isOpenModel { sendDue() }
            endSending(now)
        }
        if isDeserted(now) { endSending(now) }
        if state.pointee.phase == .draining
            && (state.pointee.inFlight == 0 || now >= state.pointee.giveUpNanoseconds)
        {
            finish(now)
        }
        publishLevels()
    }

    /// A run by count whose requests wait for a server that is gone would never end.
    private func isDeserted(_ now: UInt64) -> Bool {
        guard state.pointee.phase == .sending, state.pointee.plan.seconds == nil,
            state.pointee.nextDue == nil
        else { return false }
        if state.pointee.open > 0 { state.pointee.openNanoseconds = now }
        // The start may lie ahead.
        return now > state.pointee.openNanoseconds
            && now - state.pointee.openNanoseconds > state.pointee.timeoutNanoseconds
    }

    private var stopped: Bool { state.pointee.board.mustStop }

    private func becomeReadyIfConnected() {
        // Each connection had its first attempt: those that failed are tried again meanwhile.
        let tried = state.pointee.nextOrdinal >= UInt64(state.pointee.connectionCount)
        if stopped || (tried && state.pointee.connecting == 0) {
            state.pointee.phase = .ready
            section.set(.state, to: ThreadState.ready.rawValue)
        }
    }

    private func startIfTold() {
        let start = state.pointee.board.startNanoseconds
        if start == 0 { return stopped ? finish(monotonicNanoseconds()) : () }
        state.pointee.phase = .sending
        state.pointee.startNanoseconds = start
        state.pointee.openNanoseconds = monotonicNanoseconds()
        if let seconds = state.pointee.plan.seconds {
            state.pointee.endNanoseconds = start + UInt64(seconds * 1e9)
        }
        section.set(.state, to: ThreadState.running.rawValue)
        if state.pointee.isOpenModel {
            scheduleNext()
        } else {
            for index in 0..<state.pointee.connectionCount {
                sendBundle(state.pointee.connections + index, now: monotonicNanoseconds())
            }
        }
    }

    /// Time is up, or everything is sent: what still waits is dropped, what is in flight gets its
    /// time.
    func endSending(_ now: UInt64) {
        guard state.pointee.phase == .sending else { return }
        state.pointee.phase = .draining
        state.pointee.timer?.disarm()
        section.add(UInt64(state.pointee.backlog.count), to: .dropped)
        state.pointee.backlog.removeAll()
        if state.pointee.isOpenModel { dropOverdue(min(now, state.pointee.endNanoseconds)) }
        let patience = stopped ? 1_000_000_000 : state.pointee.timeoutNanoseconds
        state.pointee.giveUpNanoseconds = now + patience
    }

    private func finish(_ now: UInt64) {
        state.pointee.phase = .done
        for index in 0..<state.pointee.connectionCount {
            drop(state.pointee.connections + index, counting: .timedOut)
        }
        state.pointee.ledger?.flush()
        publishLevels()
        // Ended before it began: it took no time.
        let start = state.pointee.startNanoseconds
        section.set(.endedAtNanoseconds, to: start == 0 ? 0 : now &- start)
        section.set(.state, to: ThreadState.done.rawValue)
        state.pointee.loop.stop()
    }

    private func publishLevels() {
        section.set(.backlog, to: UInt64(state.pointee.backlog.count))
        section.set(.inFlight, to: UInt64(state.pointee.inFlight))
        section.set(.connectionsOpen, to: UInt64(state.pointee.open))
        // Time spent awake and idle was free for work.
        let idle = state.pointee.timer?.spunNanoseconds ?? 0
        let spent = threadCPUNanoseconds()
        section.set(.cpuNanoseconds, to: spent - min(spent, idle))
        let errno = state.pointee.ledger?.failedErrno ?? 0
        if errno != 0 { section.set(.ledgerErrno, to: UInt64(errno)) }
    }
}
