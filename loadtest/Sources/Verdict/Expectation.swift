/// One condition on a run's figures: "p99<20ms", "errors<0.1%", "lost=0".
struct Expectation: Equatable, Sendable {
    enum Comparison: String, CaseIterable, Sendable {
        // Longer ones first: "<=" is no "<".
        case atMost = "<="
        case atLeast = ">="
        case notEqual = "!="
        case equalTwice = "=="
        case below = "<"
        case above = ">"
        case equal = "="

        /// What differs by rounding alone is equal: 0.07 % of 100,000 are 70.
        func holds(_ found: Double, _ limit: Double) -> Bool {
            let found = abs(found - limit) <= 1e-12 * max(abs(found), abs(limit)) ? limit : found
            return switch self {
            case .atMost: found <= limit
            case .atLeast: found >= limit
            case .notEqual: found != limit
            case .equal, .equalTwice: found == limit
            case .below: found < limit
            case .above: found > limit
            }
        }
    }

    enum Unit: Equatable, Sendable {
        /// The limit is in µs.
        case microseconds
        /// The limit is a number of requests, or requests a second.
        case plain
        /// The limit is a share: 0.001 for "0.1%".
        case share
    }

    /// As given, without blanks around it.
    var text: String
    /// As given, "p99".
    var name: String
    var metric: Metric
    var comparison: Comparison
    var limit: Double
    var unit: Unit
}

// MARK: Measuring

extension Expectation {
    /// What a run has of the metric, in words, and whether that will do.
    struct Measurement: Equatable {
        /// "4.1 ms"; "3 of 15,000 sent (0.02%)"; why there is none.
        var words: String
        var isMet: Bool
        /// Whether there was a figure to compare.
        var isKnown = true
    }

    static let ledgerRemedy =
        "only a ledger tells; run with --ledger FILE and hold it against the rows: --against var"

    /// Only a ledger that is held against the rows can tell.
    var needsLedger: Bool {
        if case .count(let count) = metric { return count.needsLedger }
        return false
    }

    func measure(_ result: RunResult) -> Measurement {
        switch metric {
        case .latency(let latency, let statistic):
            let cells = result.latency(latency)
            guard let found = statistic.microseconds(of: cells) else {
                return unknown("nothing was answered")
            }
            return Measurement(
                words: Figures.exactLatency(microseconds: found),
                isMet: comparison.holds(found, limit))
        case .rate:
            let found = result.answeredRate
            return Measurement(
                words: "\(Figures.trimmed(found, decimals: 2)) answered/s",
                isMet: comparison.holds(found, limit))
        case .cpu:
            guard let found = result.threadLoads.max() else {
                return unknown("it was not measured")
            }
            return Measurement(
                words: "\(Figures.percent(found)) of a core (the busiest thread)",
                isMet: comparison.holds(found, limit))
        case .count(let count): return measure(count, result)
        }
    }

    private func measure(_ count: Metric.Count, _ result: RunResult) -> Measurement {
        guard let found = result.count(count) else { return unknown(Self.ledgerRemedy) }
        let whole = count.whole
        let total = result.totals.count(whole) ?? 0
        var words = NumberText.grouped(found)
        if count != whole, found > 0, total > 0 {
            let share = Figures.percent(Double(found) / Double(total))
            words += " of \(NumberText.grouped(total)) \(whole) (\(share))"
        }
        guard unit == .share else {
            return Measurement(words: words, isMet: comparison.holds(Double(found), limit))
        }
        if total == 0 { return unknown("nothing was \(whole)") }
        return Measurement(
            words: words, isMet: comparison.holds(Double(found) / Double(total), limit))
    }

    private func unknown(_ why: String) -> Measurement {
        Measurement(words: why, isMet: false, isKnown: false)
    }

    /// Of a ledger without its run. Only what a ledger tells can be expected of it.
    func evaluate(on findings: LedgerFindings) throws(PlanRefusal) -> RunResult.Verdict {
        let found: UInt64
        switch metric {
        case .count(.lost) where unit == .plain: found = findings.lost
        case .count(.duplicated) where unit == .plain: found = findings.duplicated
        default:
            throw PlanRefusal(
                "--expect \(text): a ledger alone tells only of lost and duplicated, as counts",
                hint: "name the run's .json result too, or leave it out")
        }
        return RunResult.Verdict(
            expectation: text, found: "\(name) was \(NumberText.grouped(found))",
            isMet: comparison.holds(Double(found), limit))
    }

    /// Whether a run is as expected. What was not measured is not met, and says why.
    func evaluate(on result: RunResult) -> RunResult.Verdict {
        let measurement = measure(result)
        let found =
            measurement.isKnown
            ? "\(name) was \(measurement.words)" : "\(name) is unknown: \(measurement.words)"
        return RunResult.Verdict(expectation: text, found: found, isMet: measurement.isMet)
    }
}

extension RunResult {
    func latency(_ latency: LoadBoard.Latency) -> LatencyCells {
        switch latency {
        case .response: response
        case .service: service
        case .schedule: schedule
        }
    }

    func count(_ count: Metric.Count) -> UInt64? {
        switch count {
        case .lost: ledger?.lost
        case .duplicated: ledger?.duplicated
        default: totals.count(count)
        }
    }
}
