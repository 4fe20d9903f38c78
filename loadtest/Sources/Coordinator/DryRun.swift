/// What `--dry-run` prints: the plan, when requests would be due, and what three of them look like.
enum DryRun {
    private static let duesShown = 5
    private static let rowsShown = 12

    static func text(_ plan: LoadPlan) throws -> String {
        let maker = try RequestMaker(plan)
        var lines = ["Dry run: nothing is sent.", ""]
        lines += facts(plan)
        if plan.model == .open { lines += ["", "Schedule"] + schedule(plan) }
        for (index, sample) in maker.samples(count: 3).enumerated() {
            lines +=
                ["", "Request \(index)"]
                + sample.split(
                    separator: "\n", omittingEmptySubsequences: false
                ).map { "  " + $0 }
            while lines.last == "  " { lines.removeLast() }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func facts(_ plan: LoadPlan) -> [String] {
        var rows = [
            ("target", plan.target.url),
            ("model", plan.model == .open ? "open, \(plan.arrivals) arrivals" : "closed"),
            (
                "from",
                "\(plan.connections) connections, \(plan.threadsInAll) "
                    + (plan.threadsInAll == 1 ? "thread" : "threads") + " in \(plan.workers) "
                    + (plan.workers == 1 ? "process" : "processes")
            ),
        ]
        if let seconds = plan.seconds {
            rows.append(("lasts", NumberText.duration(seconds: seconds)))
        }
        if let requests = plan.requests { rows.append(("requests", NumberText.grouped(requests))) }
        if let scenario = plan.scenario { rows.append(("scenario", scenario.name)) }
        if let replay = plan.replay { rows.append(("replay", replay.file)) }
        rows.append(("seed", String(plan.seed)))
        if let ledger = plan.ledger { rows.append(("ledger", ledger)) }
        return rows.map { "  " + $0.0.padded(to: 10) + $0.1 }
    }

    /// The first due times, and the rate over time.
    private static func schedule(_ plan: LoadPlan) -> [String] {
        let log = plan.replay.flatMap { try? ReplayLog(path: $0.file) }
        var schedule = Schedule(plan, thread: 0, log: log)
        var dues: [String] = []
        while dues.count < duesShown, let due = schedule.next() {
            dues.append(Figures.fixed(Double(due) / 1e6, decimals: 3))
        }
        let whose = plan.threadsInAll == 1 ? "" : " (thread 0 of \(plan.threadsInAll))"
        var lines = ["  first due, ms\(whose): " + dues.joined(separator: ", ") + ", …"]
        if let log, plan.replay?.pace != nil {
            lines.append(
                "  \(NumberText.grouped(UInt64(log.count))) requests of the log, over "
                    + NumberText.duration(seconds: log.seconds / (plan.replay?.pace ?? 1)))
            return lines
        }
        let seconds = plan.rate.seconds
        let step = max(1, (seconds / Double(rowsShown)).rounded(.up))
        for start in stride(from: 0, to: seconds, by: step) {
            let end = min(start + step, seconds)
            let due = plan.rate.dueCount(atSeconds: end) - plan.rate.dueCount(atSeconds: start)
            lines.append(
                "  \(Figures.trimmed(start, decimals: 1))–\(Figures.trimmed(end, decimals: 1)) s: "
                    + "\(Figures.rate(due / (end - start)))/s")
        }
        lines.append("  \(Figures.trimmed(plan.rate.requests, decimals: 0)) requests in all")
        return lines
    }
}

extension String {
    fileprivate func padded(to count: Int) -> String {
        self + String(repeating: " ", count: max(0, count - self.count))
    }
}
