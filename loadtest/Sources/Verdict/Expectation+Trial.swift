/// Whether a trial of --find-max held its rate.
extension Expectation {
    struct Judgement: Equatable {
        var isHeld: Bool
        /// "p99 4.1 ms, errors 0", and why the rate was not really sent, if it was not.
        var found: String
        var answeredRate: Double
    }

    /// Less of the asked requests, and the rate was another one.
    static let sentShareMin = 0.99
    /// A generator so far behind its schedule measures itself. Of the 90th percentile: one that is
    /// saturated is late with nearly all; that a busy host holds it up now and then is in the
    /// response times, which count from when a request was due.
    static let scheduleErrorMicrosecondsMax = 2000.0
    /// Of a core: from there on a thread has no time left to be punctual.
    static let busyThreadLoad = 0.95

    /// A rate that was not sent was not held, whatever the answers were like.
    static func judge(trial result: RunResult, expectations: [Expectation]) -> Judgement {
        let measurements = expectations.map { ($0.name, $0.measure(result)) }
        let figures = measurements.map { name, measurement in
            measurement.isKnown
                ? "\(name) \(measurement.words)" : "\(name) unknown (\(measurement.words))"
        }
        let flaws = scheduleFlaws(of: result)
        return Judgement(
            isHeld: flaws.isEmpty && measurements.allSatisfy { $0.1.isMet },
            found: (figures + flaws).joined(separator: ", "),
            answeredRate: result.answeredRate)
    }

    /// What kept the asked rate from being sent.
    private static func scheduleFlaws(of result: RunResult) -> [String] {
        var flaws: [String] = []
        let sent = Double(result.totals[.sent])
        // What fell due, not the plan's mean: random arrivals are some more or fewer.
        let asked = Double(result.totals[.due])
        if result.wasInterrupted { flaws.append("interrupted") }
        if result.totals[.dropped] > 0 {
            flaws.append(
                "dropped \(NumberText.grouped(result.totals[.dropped])) of "
                    + "\(NumberText.grouped(result.totals[.due])) due")
        }
        if sent < sentShareMin * asked {
            flaws.append("only \(Figures.percent(sent / asked)) of the asked requests sent")
        }
        let error = LatencyStatistic.percentile(90).microseconds(of: result.schedule) ?? 0
        if error > scheduleErrorMicrosecondsMax {
            flaws.append("own schedule error p90 \(NumberText.latency(microseconds: error))")
        }
        if !flaws.isEmpty, let busiest = result.threadLoads.max(), busiest >= busyThreadLoad {
            flaws.append(
                "the generator itself was busy (a thread at \(Figures.percent(busiest)) of a core): "
                    + "give it more threads or another host")
        }
        return flaws
    }
}

extension LoadPlan {
    /// How many requests its schedule has, up to its end. A fraction of one is none yet.
    var requestsAsked: Double {
        let scheduled = seconds.map { rate.dueCount(atSeconds: $0) } ?? rate.requests
        return min(scheduled, requests.map { Double($0) } ?? .infinity)
    }
}
