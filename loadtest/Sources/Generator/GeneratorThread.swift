import Platform

/// How threads sleep between requests, after what it costs on this machine.
struct Naps {
    /// No request is late by more than this because another one's timer was waited for.
    private static let leastNanosecondsMax: UInt64 = 100_000

    /// How long before a request is due a thread stays awake for it; 0: not at all.
    var awakeNanoseconds: UInt64 = 0
    /// A shorter sleep would cost more than it saves.
    var leastNanoseconds: UInt64 = 0

    init(_ plan: LoadPlan) throws(Failure) {
        if plan.model == .closed { return }
        let cost = try TimerCost.measure()
        if plan.staysAwake {
            awakeNanoseconds = cost.awakeNanoseconds
        } else {
            leastNanoseconds = min(2 * cost.cpuNanoseconds, Self.leastNanosecondsMax)
        }
    }
}

/// A generator thread: its state, its loop, from start to end.
struct GeneratorThread {
    private let state: UnsafeMutablePointer<GeneratorState>

    /// - Parameter thread: its number among all threads of the run, over all processes.
    init(
        _ plan: LoadPlan, thread: Int, board: LoadBoard, log: ReplayLog?,
        naps: Naps
    ) throws {
        let addresses = plan.addresses.compactMap {
            SocketAddress(ip: $0, port: plan.target.port)
        }
        precondition(!addresses.isEmpty, "a plan has the addresses of its target")
        state = .allocate(capacity: 1)
        state.initialize(
            to: GeneratorState(
                plan: plan, thread: thread, loop: try Loop.make(), board: board,
                addresses: addresses, maker: try RequestMaker(plan, log: log), log: log,
                naps: naps,
                ledger: try LedgerWriter.of(plan), tlsContext: try TLSContext.of(plan)))
    }

    func start() throws(Failure) -> ThreadHandle {
        try startThread(name: "load-\(state.pointee.share.thread)", owner: state) { owner in
            let generator = Generating(owner)
            do throws(Failure) {
                try generator.begin()
            } catch {
                // No descriptor was left for the timer: the process cannot do its work.
                fatalError("error: generator thread: \(error)")
            }
            generator.state.pointee.loop.run()
        }
    }
}

extension GeneratorState {
    init(
        plan: LoadPlan, thread: Int, loop: Loop, board: LoadBoard, addresses: [SocketAddress],
        maker: consuming RequestMaker, log: ReplayLog?,
        naps: Naps, ledger: consuming LedgerWriter?,
        tlsContext: consuming TLSContext?
    ) {
        share = ThreadShare(thread: thread, of: plan.threadsInAll)
        self.plan = plan
        self.loop = loop
        self.board = board
        section = board.section(thread)
        self.addresses = addresses
        self.tlsContext = tlsContext
        isTLS = plan.target.isTLS
        tlsRoom = .allocate(byteCount: Generating.tlsRoomBytes, alignment: 64)
        isOpenModel = plan.model == .open
        hasLedger = plan.ledger != nil
        timeoutNanoseconds = UInt64(plan.timeoutSeconds * 1e9)
        (awakeNanoseconds, napNanoseconds) = (naps.awakeNanoseconds, naps.leastNanoseconds)
        self.maker = maker
        scratch = .allocate(capacity: Generating.scratchBytes + RequestWriter.slackBytes)
        schedule = Schedule(plan, thread: thread, log: log)
        sequence = SequenceNumbers(
            thread: thread, threads: plan.threadsInAll, requests: plan.requests)
        self.ledger = ledger
        connectionCount = share.part(of: plan.connections)
        connections = .allocate(capacity: max(connectionCount, 1))
        free = FreeConnections(limit: connectionCount)
        backlog = Backlog(limit: share.part(of: plan.backlogMax))
    }
}

extension LedgerWriter {
    fileprivate static func of(_ plan: LoadPlan) throws -> LedgerWriter? {
        guard let path = plan.ledger else { return nil }
        return try LedgerWriter(path: path)
    }
}

extension TLSContext {
    fileprivate static func of(_ plan: LoadPlan) throws -> TLSContext? {
        guard plan.target.isTLS else { return nil }
        return try TLSContext.client(trust: plan.trust)
    }
}
