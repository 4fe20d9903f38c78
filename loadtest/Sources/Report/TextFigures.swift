/// What was run, in a line or two.
enum TextHead {
    static func lines(_ result: RunResult, _ ink: Ink) -> [String] {
        let plan = result.plan
        var lines = TextColumns.wrapped("Load test of \(PlanWords.url(plan.target))", first: "")
        lines[0] = ink.bold(lines[0])
        lines += TextColumns.wrapped(PlanWords.sentence(plan))
        if let count = result.mergedFrom {
            let hosts = Set((result.parts ?? []).map(\.machine.host)).count
            lines += TextColumns.wrapped(
                "merged from \(count) results of \(PlanWords.count(hosts, "host"))")
        }
        if result.wasInterrupted {
            lines.append("  interrupted: the figures are of what was sent until then")
        }
        return lines
    }
}

/// The parts of the summary that are counts and rates.
enum TextFigures {
    static func summary(_ result: RunResult, _ ink: Ink) -> [String] {
        [ink.bold("Summary:")] + times(result) + [""] + shortfalls(result, ink) + [""]
            + sizes(result)
    }

    private static func times(_ result: RunResult) -> [String] {
        let cells = result.response
        let mean = cells.isEmpty ? nil : LatencyDistribution(cells).mean
        let due = max(result.totals[.due], result.totals[.sent])
        return [
            row(
                "Success rate:",
                "\(NumberText.percent(result.successShare)) of \(NumberText.grouped(due)) due"),
            row("Total:", "\(NumberText.fixed(result.elapsedSeconds, 3)) s"),
            row("Slowest:", NumberText.latency(cells.greatest)),
            row("Fastest:", NumberText.latency(cells.least)),
            row("Average:", mean.map { NumberText.latency(microseconds: $0) } ?? "–"),
            row(
                "Requests/sec:",
                "\(rate(result.askedRate)) asked, \(rate(result.sentRate)) sent, "
                    + "\(rate(result.answeredRate)) answered"),
        ]
    }

    private static func shortfalls(_ result: RunResult, _ ink: Ink) -> [String] {
        let totals = result.totals
        return [
            row("Dropped:", noted(totals[.dropped], "due, but never sent", ink)),
            row("Late:", noted(totals[.late], "sent more than 1 ms after they were due", ink)),
            row("Unanswered:", noted(result.unanswered, "still open when the run ended", ink)),
        ]
    }

    private static func sizes(_ result: RunResult) -> [String] {
        let read = Double(result.totals[.bytesRead])
        let written = Double(result.totals[.bytesWritten])
        let answers = Double(max(result.totals[.answered], 1))
        let seconds = result.elapsedSeconds
        return [
            row(
                "Total data:",
                "\(NumberText.bytes(read)) read, \(NumberText.bytes(written)) written"),
            row("Size/request:", "\(NumberText.bytes(read / answers)) read"),
            row("Size/sec:", "\(NumberText.bytes(seconds > 0 ? read / seconds : 0)) read"),
        ]
    }

    private static func row(_ name: String, _ value: String) -> String {
        "  \(TextColumns.left(name, 16))\(value)"
    }

    private static func rate(_ value: Double) -> String {
        NumberText.fixed(value, 1, groups: true)
    }

    /// A count of 0 needs no explanation.
    private static func noted(_ count: UInt64, _ words: String, _ ink: Ink) -> String {
        let number = NumberText.grouped(count)
        if count == 0 { return number }
        let gap = String(repeating: " ", count: max(2, 12 - number.count))
        return ink.warning(number) + gap + words
    }

    static func statuses(_ result: RunResult, _ ink: Ink) -> [String] {
        let rows = result.statusRows
        guard !rows.isEmpty else { return [] }
        let width = rows.map { NumberText.grouped($0.count).count }.max() ?? 0
        return [ink.bold("Status code distribution:")]
            + rows.map {
                "  [\($0.status)] \(TextColumns.right(NumberText.grouped($0.count), width)) "
                    + "responses  \($0.meaning)"
            }
    }

    static func errors(_ result: RunResult, _ ink: Ink) -> [String] {
        let rows = result.failureRows
        guard !rows.isEmpty else { return [] }
        let width = rows.map { NumberText.grouped($0.count).count }.max() ?? 0
        var lines = [ink.bold("Error distribution:")]
        lines += rows.map {
            "  [\(TextColumns.right(NumberText.grouped($0.count), width))] \($0.words)"
        }
        if let failure = result.totals.lastFailure {
            lines += TextColumns.wrapped("the system's words for the last one: \(failure)")
        }
        return lines
    }

    /// What the generator says of itself.
    static func generator(_ result: RunResult, _ ink: Ink) -> [String] {
        var lines = [ink.bold("Generator:")]
        if !result.schedule.isEmpty {
            let error = result.schedule
            let value =
                "p50 \(NumberText.latency(error.percentile(50))), "
                + "p99 \(NumberText.latency(error.percentile(99))), "
                + "max \(NumberText.latency(error.greatest))"
            lines.append(row("Schedule error:", value))
        }
        if let most = result.threadLoads.max() {
            let mean = result.threadLoads.reduce(0, +) / Double(result.threadLoads.count)
            let value =
                "\(NumberText.fixed(mean * 100, 0)) % of a core a thread, "
                + "\(NumberText.fixed(most * 100, 0)) % the busiest"
            lines.append(row("CPU:", value))
        }
        if let stolen = result.stolenShare, stolen >= 0.001 {
            lines.append(
                row(
                    "Stolen:", "\(NumberText.fixed(stolen * 100, 1)) % of the CPU time, by the host"
                ))
            lines.append(row("Without it:", calm(result)))
        }
        return lines.count > 1 ? lines : []
    }

    /// What the server did while the host let it.
    private static func calm(_ result: RunResult) -> String {
        let count = result.calmSeconds.count
        guard count > 0 else { return "no second was free of it" }
        let response = result.calmResponse
        return "p50 \(NumberText.latency(response.percentile(50))), "
            + "p99 \(NumberText.latency(response.percentile(99))), in \(count) of "
            + "\(result.seconds.count) seconds"
    }
}
