/// The parts of the summary that are distributions.
enum TextLatency {
    private static let steps = 10
    private static let barWidth = 40

    static func histogram(_ result: RunResult, _ ink: Ink) -> [String] {
        let steps = histogramSteps(result.response)
        guard let most = steps.map(\.count).max(), most > 0 else { return [] }
        let names = steps.map { "\($0.isRest ? "> " : "")\(NumberText.latency($0.upTo))" }
        let nameWidth = names.map(\.count).max() ?? 0
        let countWidth = steps.map { NumberText.grouped($0.count).count }.max() ?? 0
        var lines = [ink.bold("Response time histogram:")]
        for (step, name) in zip(steps, names) {
            let share = Double(step.count) / Double(most)
            let bar = String(
                repeating: "■", count: Int((share * Double(barWidth)).rounded(.up)))
            let count = TextColumns.left("[\(NumberText.grouped(step.count))]", countWidth + 2)
            lines.append("  \(TextColumns.right(name, nameWidth)) \(count) |\(ink.bar(bar))")
        }
        return lines
    }

    struct HistogramStep: Equatable {
        /// Microseconds. Of the rest: what it exceeds.
        var upTo: UInt64
        var count: UInt64
        var isRest = false
    }

    /// Equal steps of time up to p99, and one for the rest: with steps up to the maximum a single
    /// slow answer would push all others into one bar.
    static func histogramSteps(_ cells: LatencyCells) -> [HistogramStep] {
        guard let least = cells.least, let most = cells.percentile(99) else { return [] }
        let width = max(1, (most - min(least, most)) / UInt64(steps) + 1)
        var out: [HistogramStep] = []
        var (edge, seen) = (least, UInt64(0))
        while edge < most || out.isEmpty {
            edge += width
            let count = cells.count(upTo: edge)
            out.append(HistogramStep(upTo: edge, count: count - seen))
            seen = count
        }
        if cells.total > seen {
            out.append(HistogramStep(upTo: edge, count: cells.total - seen, isRest: true))
        }
        return out
    }

    static func percentiles(_ result: RunResult, _ ink: Ink) -> [String] {
        guard !result.response.isEmpty else { return [] }
        var lines = [ink.bold("Latency distribution:"), line("", "response", "service")]
        for percentile in RunResult.percentiles {
            lines.append(
                line(
                    "\(NumberText.fixed(percentile, 2)) %",
                    NumberText.latency(result.response.percentile(percentile)),
                    NumberText.latency(result.service.percentile(percentile))))
        }
        lines.append(
            line(
                "max", NumberText.latency(result.response.greatest),
                NumberText.latency(result.service.greatest)))
        return lines + TextColumns.wrapped(difference(result.plan.model))
    }

    private static func line(_ name: String, _ response: String, _ service: String) -> String {
        "  \(TextColumns.right(name, 8))  \(TextColumns.right(response, 10))"
            + "  \(TextColumns.right(service, 10))"
    }

    /// What tells the two apart, in one line.
    static func difference(_ model: LoadPlan.Model) -> String {
        switch model {
        case .open: "response: from when a request was due; service: from when it was written"
        case .closed: "closed model: a slow server is asked less; the waiting it causes is not seen"
        }
    }

    /// Response and service by themselves.
    static func spectra(_ result: RunResult, _ ink: Ink) -> [[String]] {
        [("Response", result.response), ("Service", result.service)].compactMap { name, cells in
            guard !cells.isEmpty else { return nil }
            let hgrm = Hgrm(cells)
            return [ink.bold("\(name) time, detailed percentile spectrum (ms):")] + hgrm.header
                + hgrm.lines + hgrm.footer
        }
    }
}
