import Platform

/// All of a generator thread. Lives behind a pointer, from which callbacks reach it.
struct GeneratorState: ~Copyable {
    let plan: LoadPlan
    let share: ThreadShare
    let loop: Loop
    let board: LoadBoard
    let section: LoadBoard.Section
    let addresses: [SocketAddress]
    /// Nil: plain HTTP.
    let tlsContext: TLSContext?
    var timer: PreciseTimer?

    // The model, taken out of the plan: no strings or arrays are touched per request.
    let isOpenModel: Bool
    let hasLedger: Bool
    let isTLS: Bool
    let timeoutNanoseconds: UInt64
    /// How long before a request is due the thread wakes; 0: it sleeps until then.
    let awakeNanoseconds: UInt64
    /// It never sleeps shorter than this.
    let napNanoseconds: UInt64
    /// When the timer fires; 0: it is not set.
    var armedNanoseconds: UInt64 = 0

    // What is sent
    let maker: RequestMaker
    /// Room for one request before it leaves, or for a bundle of pipelined ones.
    let scratch: UnsafeMutablePointer<UInt8>
    /// Where TLS sessions put plain and encrypted bytes for a moment.
    let tlsRoom: UnsafeMutableRawPointer
    var schedule: Schedule
    var sequence: SequenceNumbers
    /// When the next request is due, in ns of CLOCK_MONOTONIC; nil: none is left.
    var nextDue: UInt64?
    var ledger: LedgerWriter?

    // Connections
    let connections: UnsafeMutablePointer<LoadConnection>
    let connectionCount: Int
    var free: FreeConnections
    var backlog: Backlog
    var nextOrdinal: UInt64 = 0
    var ticks: UInt64 = 0
    var connecting = 0
    var open = 0
    var inFlight = 0

    // The run
    var phase = Phase.starting
    /// CLOCK_MONOTONIC at the run's zero, and when nothing more is sent.
    var startNanoseconds: UInt64 = 0
    var endNanoseconds = UInt64.max
    /// When a connection was last open, as far as ticks saw it.
    var openNanoseconds: UInt64 = 0
    /// When what is in flight is given up.
    var giveUpNanoseconds = UInt64.max

    func newSession() throws(TLSFailure) -> TLSSession {
        try TLSSession.client(tlsContext!, serverName: plan.target.host)
    }

    enum Phase {
        /// Connections are being made.
        case starting
        /// All were tried; waiting for the others.
        case ready
        case sending
        /// Nothing more is sent; answers are awaited.
        case draining
        case done
    }
}

/// Which sequence numbers a thread takes: its own number first, then every so many-th.
struct SequenceNumbers {
    private var next: UInt64
    private let stride: UInt64
    private let limit: UInt64

    init(thread: Int, threads: Int, requests: UInt64?) {
        (next, stride) = (UInt64(thread), UInt64(threads))
        limit = min(requests ?? .max, HitLabel.sequenceMax + 1)
    }

    var isExhausted: Bool { next >= limit }

    mutating func take() -> UInt64 {
        defer { next += stride }
        return next
    }
}
