import Core

/// What an expectation may be about.
enum Metric: Equatable, Sendable {
    /// A latency; response time unless the name says otherwise.
    case latency(LoadBoard.Latency, LatencyStatistic)
    case count(Count)
    /// Whole answers a second, over the whole run.
    case rate
    /// The busiest generator thread: 1 is a whole core.
    case cpu

    enum Count: Equatable, Sendable {
        case due, sent, answered, unanswered
        /// No whole answer, or one that is neither 2xx, 3xx nor the 400 of a bad hit.
        case errors
        /// Answered 400: stored as a bad row.
        case bad
        /// Answered 503.
        case refused
        case dropped, late
        /// Told by the ledger, once it is held against where the rows must be.
        case lost, duplicated
        /// Answers with this status, or with any of a class: 4 is 4xx.
        case status(Int), statusClass(Int)

        /// What a share of it is a share of.
        var whole: Count {
            switch self {
            case .due, .sent, .dropped: .due
            default: .sent
            }
        }

        var needsLedger: Bool { self == .lost || self == .duplicated }
    }

    /// For messages and suggestions; the numbers in them stand for any.
    static let names =
        latencyNames + ["service.p99", "schedule.p99", "rate", "cpu", "status.404", "status.5xx"]
        + plainCounts.map(\.name)
    static let list =
        "p50, p90, p99, p99.9 … (any pNN), max, mean, min, each also as service.p99 or schedule.p99; "
        + "errors, bad, refused, dropped, late, lost, duplicated, due, sent, answered, unanswered, "
        + "status.404, status.5xx; rate; cpu"

    private static let latencyNames = [
        "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "mean", "min",
    ]
    private static let plainCounts: [(name: String, count: Count)] = [
        ("errors", .errors), ("bad", .bad), ("refused", .refused), ("dropped", .dropped),
        ("late", .late), ("lost", .lost), ("duplicated", .duplicated), ("due", .due),
        ("sent", .sent), ("answered", .answered), ("unanswered", .unanswered),
    ]

    init?(name: String) {
        if let plain = Self.plainCounts.first(where: { $0.name == name }) {
            self = .count(plain.count)
        } else if name == "rate" {
            self = .rate
        } else if name == "cpu" {
            self = .cpu
        } else if let code = name.after("status.") {
            guard let count = Self.status(code) else { return nil }
            self = .count(count)
        } else {
            for (prefix, latency) in Self.latencyPrefixes {
                if let word = name.after(prefix), let statistic = Self.statistic(word) {
                    self = .latency(latency, statistic)
                    return
                }
            }
            return nil
        }
    }

    private static let latencyPrefixes: [(String, LoadBoard.Latency)] = [
        ("response.", .response), ("service.", .service), ("schedule.", .schedule), ("", .response),
    ]

    private static func statistic(_ word: Substring) -> LatencyStatistic? {
        switch word {
        case "max": return .max
        case "mean": return .mean
        case "min": return .min
        default:
            guard word.first == "p", let (value, rest) = DecimalText.prefix(of: word.dropFirst()),
                rest.isEmpty, value > 0, value <= 100
            else { return nil }
            return .percentile(value)
        }
    }

    private static func status(_ code: Substring) -> Count? {
        guard code.utf8.count == 3, let first = code.first?.wholeNumberValue, code.first!.isASCII,
            (1...5).contains(first)
        else { return nil }
        if code.dropFirst() == "xx" { return .statusClass(first) }
        guard code.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(code).map { .status($0) }
    }
}

extension String {
    fileprivate func after(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}

extension RunResult.Totals {
    /// Nil for what only a ledger tells.
    func count(_ count: Metric.Count) -> UInt64? {
        switch count {
        case .due: return self[.due]
        case .sent: return self[.sent]
        case .answered: return self[.answered]
        case .unanswered: return self[.sent] - min(self[.sent], self[.answered])
        case .errors: return failures + answers { !((200..<400).contains($0) || $0 == 400) }
        case .bad: return answers { $0 == 400 }
        case .refused: return answers { $0 == 503 }
        case .dropped: return self[.dropped]
        case .late: return self[.late]
        case .lost, .duplicated: return nil
        case .status(let code): return answers { $0 == code }
        case .statusClass(let first): return answers { $0 / 100 == first }
        }
    }

    private var failures: UInt64 { LoadCounter.failures.reduce(0) { $0 + self[$1] } }

    private func answers(_ matches: (Int) -> Bool) -> UInt64 {
        statuses.reduce(0) { sum, status in
            Int(status.key).map(matches) == true ? sum + status.value : sum
        }
    }
}
