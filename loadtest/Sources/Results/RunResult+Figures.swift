/// What an answer of a status means when Hydrant gives it.
enum AnswerKind: CaseIterable {
    /// 2xx and 3xx: promised.
    case accepted
    /// 400: an invalid hit, promised as a bad row.
    case bad
    /// 503: not promised.
    case refused
    /// Anything else: not a hit.
    case other

    init(status: Int) {
        switch status {
        case 200..<400: self = .accepted
        case 400: self = .bad
        case 503: self = .refused
        default: self = .other
        }
    }

    var meaning: String {
        switch self {
        case .accepted: "accepted"
        case .bad: "bad: an invalid hit, kept as a bad row; no error"
        case .refused: "refused: not promised"
        case .other: "not a hit"
        }
    }
}

/// What both a run and a second of it can be asked.
protocol AnswerCounting {
    var statuses: [String: UInt64] { get }
    subscript(_ counter: LoadCounter) -> UInt64 { get }
}

extension RunResult.Totals: AnswerCounting {}
extension RunResult.Second: AnswerCounting {}

extension AnswerCounting {
    func answers(_ kind: AnswerKind) -> UInt64 {
        statuses.reduce(0) {
            $0 + (Int($1.key).map(AnswerKind.init(status:)) == kind ? $1.value : 0)
        }
    }

    /// Requests that got no whole answer because something broke or took too long.
    var failures: UInt64 { LoadCounter.failures.reduce(0) { $0 + self[$1] } }

    /// Failures, and answers that are neither accepted nor bad.
    var errors: UInt64 { failures + answers(.refused) + answers(.other) }
}

extension RunResult {
    /// Seconds from whose latencies the host is out: it took no CPU time in them, nor in the one
    /// before, whose backlog they would carry. Empty where steal is not known.
    var calmSeconds: [Second] {
        seconds.enumerated().filter { place, second in
            let before = place > 0 ? seconds[place - 1].stolenShare : 0
            return second.stolenShare == 0 && before == 0
        }.map(\.element)
    }

    /// Response times of the answers that ended in calm seconds.
    var calmResponse: LatencyCells {
        calmSeconds.reduce(into: LatencyCells()) { $0.add($1.response) }
    }

    /// Sent, and neither answered nor failed when the run ended.
    var unanswered: UInt64 {
        let ended = totals[.answered] + LoadCounter.requestFailures.reduce(0) { $0 + totals[$1] }
        return totals[.sent] > ended ? totals[.sent] - ended : 0
    }

    /// Of all that was due, 0 to 1: accepted or bad.
    var successShare: Double {
        let wanted = max(totals[.due], totals[.sent])
        guard wanted > 0 else { return 0 }
        return Double(totals.answers(.accepted) + totals.answers(.bad)) / Double(wanted)
    }

    /// The time in which requests were due: what rates of asking and sending are over. The run
    /// itself lasts until the last answer.
    var sendingSeconds: Double { min(plan.seconds ?? elapsedSeconds, elapsedSeconds) }

    var askedRate: Double { rate(totals[.due], sendingSeconds) }
    var sentRate: Double { rate(totals[.sent], sendingSeconds) }
    var answeredRate: Double { rate(totals[.answered], elapsedSeconds) }

    private func rate(_ count: UInt64, _ seconds: Double) -> Double {
        seconds > 0 ? Double(count) / seconds : 0
    }

    /// Statuses in numeric order, with their counts.
    var statusRows: [(status: String, count: UInt64, meaning: String)] {
        totals.statuses.sorted { (Int($0.key) ?? 0, $0.key) < (Int($1.key) ?? 0, $1.key) }.map {
            ($0.key, $0.value, AnswerKind(status: Int($0.key) ?? 0).meaning)
        }
    }

    /// Kinds of failure that happened, with the words for them.
    var failureRows: [(counter: LoadCounter, count: UInt64, words: String)] {
        LoadCounter.failures.compactMap {
            totals[$0] > 0 ? ($0, totals[$0], Self.words(for: $0)) : nil
        }
    }

    static func words(for failure: LoadCounter) -> String {
        switch failure {
        case .connectFailed: "no connection could be made"
        case .connectionBroken: "connection broke before the answer was whole"
        case .timedOut: "no answer in time"
        case .answerMalformed: "answer was not HTTP"
        case .tlsFailed: "TLS failed"
        default: "\(failure)"
        }
    }

    /// The percentiles that every report shows.
    static let percentiles: [Double] = [10, 25, 50, 75, 90, 95, 99, 99.9, 99.99]
}
