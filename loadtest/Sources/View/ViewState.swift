/// What a live view shows of a run at a moment.
struct ViewState: Equatable, Sendable {
    enum Phase: Equatable, Sendable {
        /// Connections are being made; nothing is due yet.
        case connecting
        case running
        /// The time is up, or all is sent: the last answers are awaited.
        case finishing
        /// Ctrl-C: it ends early.
        case stopping
    }

    /// What happened in a span of time.
    struct Span: Equatable, Sendable {
        /// Requests a second: due by the schedule (nil in the closed model), sent, answered.
        var asked: Double?
        var sent = 0.0
        var answered = 0.0
        var response = Latencies()
        var service = Latencies()
    }

    /// In microseconds; nil when nothing was answered.
    struct Latencies: Equatable, Sendable {
        var p50: UInt64?
        var p90: UInt64?
        var p99: UInt64?
        var p999: UInt64?
        var max: UInt64?
    }

    /// Requests by what became of them, since the start.
    struct Answers: Equatable, Sendable {
        /// 2xx and 3xx.
        var ok: UInt64 = 0
        /// 400: stored as bad rows.
        var bad: UInt64 = 0
        /// 503: not promised.
        var refused: UInt64 = 0
        var other: UInt64 = 0
    }

    /// Requests without a whole answer, by `LoadCounter.failures`.
    struct Failure: Equatable, Sendable {
        var kind: LoadCounter
        var count: UInt64
    }

    /// Beyond that the oldest seconds are forgotten.
    static let secondsKept = 60

    var target: String
    var model: LoadPlan.Model
    var connections: Int
    var threads: Int
    /// When the run ends by time, or by requests; the other is nil.
    var totalSeconds: Double?
    var totalRequests: UInt64?

    var phase = Phase.connecting
    var elapsedSeconds = 0.0
    var lastSecond = Span()
    var wholeRun = Span()
    /// Answers of each whole second, the latest last; at most `secondsKept`.
    var answeredBySecond: [UInt64] = []
    var sent: UInt64 = 0
    var answers = Answers()
    var failures: [Failure] = []
    /// The system's words for the latest failure.
    var lastFailure: String?
    var backlog: UInt64 = 0
    var inFlight: UInt64 = 0
    var connectionsOpen: UInt64 = 0
    var dropped: UInt64 = 0
    var late: UInt64 = 0
    /// The generator's own error.
    var scheduleP99Microseconds: UInt64?
    /// Of the busiest thread: 1 is a whole core.
    var cpuLoad: Double?
    var ledgerBytes: UInt64?
    /// One more line for whatever is going on: a trial of --find-max, a full disk.
    var note: String?

    /// Before anything is sent.
    init(plan: LoadPlan) {
        target = plan.target.url
        model = plan.model
        connections = plan.connections
        threads = plan.threadsInAll
        totalSeconds = plan.requests == nil ? plan.seconds : nil
        totalRequests = plan.requests
    }

    /// 0 ... 1; nil while there is nothing to measure it by.
    var progress: Double? {
        if let totalRequests {
            return totalRequests == 0 ? 1 : min(1, Double(sent) / Double(totalRequests))
        }
        guard let totalSeconds, totalSeconds > 0 else { return nil }
        return min(1, max(0, elapsedSeconds / totalSeconds))
    }

    /// By the rate of sending so far when the run ends by requests. Nil when it cannot be told.
    var secondsLeft: Double? {
        guard let totalRequests else { return totalSeconds.map { max(0, $0 - elapsedSeconds) } }
        guard wholeRun.sent > 0 else { return nil }
        return Double(totalRequests - min(totalRequests, sent)) / wholeRun.sent
    }

    var failed: UInt64 { failures.reduce(0) { $0 + $1.count } }
}

extension ViewState.Latencies {
    init(_ cells: LatencyCells) {
        p50 = cells.percentileMicroseconds(50)
        p90 = cells.percentileMicroseconds(90)
        p99 = cells.percentileMicroseconds(99)
        p999 = cells.percentileMicroseconds(99.9)
        max = cells.percentileMicroseconds(100)
    }
}

extension ViewState {
    /// Takes over a second that has ended: what it shows of "last second", and the sparkline.
    mutating func took(second: RunResult.Second) {
        lastSecond = Span(
            asked: model == .open ? Double(second[.due]) : nil, sent: Double(second[.sent]),
            answered: Double(second[.answered]), response: Latencies(second.response),
            service: Latencies(second.service))
        answeredBySecond.append(second[.answered])
        answeredBySecond.removeFirst(max(0, answeredBySecond.count - Self.secondsKept))
        backlog = second.backlog
        inFlight = second.inFlight
        connectionsOpen = second.connectionsOpen
    }

    /// Takes over what was counted since the start, `elapsed` seconds ago.
    mutating func took(
        totals: RunResult.Totals, response: LatencyCells, service: LatencyCells,
        schedule: LatencyCells, elapsed: Double
    ) {
        elapsedSeconds = elapsed
        let perSecond = elapsed > 0 ? 1 / elapsed : 0
        wholeRun = Span(
            asked: model == .open ? Double(totals[.due]) * perSecond : nil,
            sent: Double(totals[.sent]) * perSecond,
            answered: Double(totals[.answered]) * perSecond, response: Latencies(response),
            service: Latencies(service))
        sent = totals[.sent]
        dropped = totals[.dropped]
        late = totals[.late]
        answers = Answers(totals)
        failures = LoadCounter.failures.map { Failure(kind: $0, count: totals[$0]) }
        lastFailure = totals.lastFailure
        scheduleP99Microseconds = schedule.percentileMicroseconds(99)
    }
}

extension ViewState.Answers {
    init(_ totals: RunResult.Totals) {
        for (status, count) in totals.statuses {
            switch Int(status) ?? 0 {
            case 200..<400: ok += count
            case 400: bad += count
            case 503: refused += count
            default: other += count
            }
        }
    }
}
