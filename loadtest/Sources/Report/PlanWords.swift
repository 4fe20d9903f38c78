/// A plan in words; for text and HTML alike.
enum PlanWords {
    static func url(_ target: LoadTarget) -> String {
        "\(target.isTLS ? "https" : "http")://\(target.authority)\(target.path)"
    }

    static func sentence(_ plan: LoadPlan) -> String {
        var parts = [model(plan)]
        parts.append(
            "\(count(plan.connections, "connection")), \(count(plan.threadsInAll, "thread"))"
                + (plan.workers > 1 ? " in \(plan.workers) processes" : ""))
        if plan.pipeline > 1 { parts.append("\(plan.pipeline) requests in flight on each") }
        if let scenario = plan.scenario { parts.append("scenario \(scenario.name)") }
        if let replay = plan.replay { parts.append("replay of \(replay.file)") }
        parts.append("seed \(plan.seed)")
        return parts.joined(separator: ", ")
    }

    private static func model(_ plan: LoadPlan) -> String {
        var end = ""
        if let seconds = plan.seconds { end += " for \(NumberText.duration(seconds: seconds))" }
        if let requests = plan.requests {
            end += " until \(NumberText.grouped(requests)) are sent"
        }
        switch plan.model {
        case .open: return "open model, \(rate(plan.rate))\(end)"
        case .closed: return "closed model\(end)"
        }
    }

    /// "20,000 requests/s", or the least and the greatest.
    static func rate(_ profile: RateProfile) -> String {
        let rates = profile.pieces.flatMap { [$0.from, $0.to] }
        guard let least = rates.min(), let most = rates.max() else { return "no rate" }
        if least == most { return "\(grouped(most)) requests/s" }
        return "\(grouped(least)) to \(grouped(most)) requests/s"
    }

    static func grouped(_ rate: Double) -> String {
        rate >= 100 || rate == rate.rounded()
            ? NumberText.fixed(rate, 0, groups: true) : NumberText.trimmed(rate)
    }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(NumberText.grouped(UInt64(max(number, 0)))) \(noun)\(number == 1 ? "" : "s")"
    }
}
