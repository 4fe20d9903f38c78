/// Several runs beside one another.
struct ComparisonPage {
    /// One of them: the letter and colour it has everywhere on the page, and its name.
    private struct Run {
        var result: RunResult
        var letter: String
        var name: String
        var color: Int
    }

    /// As many as there are colours to tell apart.
    static let runsMost = 6

    private let runs: [Run]
    private let leftOut: Int

    init(_ results: [RunResult], names: [String]) {
        runs = results.prefix(Self.runsMost).enumerated().map { place, result in
            Run(
                result: result, letter: ["A", "B", "C", "D", "E", "F"][place],
                name: place < names.count
                    ? names[place] : "\(result.machine.host), \(result.startedAt)", color: place)
        }
        leftOut = results.count - runs.count
    }

    var html: String {
        HTMLPage.page(
            title: "Comparison of \(PlanWords.count(runs.count, "load test"))",
            html: [head, warnings, figures, drawings, plans, footer].joined(separator: "\n"))
    }

    private var head: String {
        let items = runs.map { run in
            "<p>\(letter(run)) <strong>\(escapedHTML(run.name))</strong> "
                + "<span class=\"dim\">\(escapedHTML(PlanWords.url(run.result.plan.target))), "
                + "\(escapedHTML(PlanWords.sentence(run.result.plan)))</span></p>\n"
        }
        let more = leftOut > 0 ? "<p class=\"dim\">\(leftOut) more were left out.</p>\n" : ""
        return "<header>\n<p class=\"eyebrow\">Load tests compared</p>\n"
            + "<h1>\(escapedHTML(runs.map(\.name).joined(separator: ", ")))</h1>\n\(items.joined())\(more)"
            + "</header>\n"
    }

    private func letter(_ run: Run) -> String {
        "<span class=\"letter l\(run.color)\">\(run.letter)</span>"
    }

    private var warnings: String {
        let items = runs.flatMap { run in
            run.result.warnings.map { "\(letter(run))<span>\(escapedHTML($0))</span>" }
        }
        guard !items.isEmpty else { return "" }
        return HTMLPage.banner("warn", "Read this before you believe the figures", items: items)
    }

    // MARK: Figures

    private var figures: String {
        var table = HTMLTable(
            head: [""] + runs.map(letter)
                + runs.dropFirst().map { "\($0.letter) to A" },
            numbers: Set(0..<(2 * runs.count)).subtracting([0]))
        for figure in ComparedFigure.all {
            let values = runs.map { figure.value($0.result) }
            let ratios = values.dropFirst().map { figure.change(from: values[0], to: $0) }
            table.rows.append([figure.name] + values.map { $0.map(figure.text) ?? "–" } + ratios)
        }
        return HTMLPage.card(
            "Figures", note: "Latencies are response times, from when a request was due.",
            html: table.html)
    }

    // MARK: Charts

    private var drawings: String {
        let length = runs.map { ResultCharts(result: $0.result).length }.max() ?? 1
        var out = HTMLPage.chart(
            "Percentile spectrum", note: "Response time over the whole run.",
            svg: ResultCharts.spectrum(
                runs.map { ($0.letter, "c\($0.color)", $0.result.response) }
            ).svg)
        out += HTMLPage.chart(
            "Answered", note: "Whole answers a second.",
            svg: chart("Answered over time", length, isLatency: false) { $0.rate(.answered) })
        for percentile in [50, 99, 99.9, 100] as [Double] {
            let name = percentile == 100 ? "max" : NumberText.percentileName(percentile)
            out += HTMLPage.chart(
                "Response time, \(name)", note: "Of the answers of each second.",
                svg: chart("\(name) over time", length, isLatency: true) {
                    $0.response.percentile(percentile).map { max(Double($0), 1) }
                })
        }
        return out
            + HTMLPage.chart(
                "Errors", note: "Failures, refusals and other answers a second.",
                svg: StripChart(
                    title: "Errors by second", description: "Errors of each run.",
                    strips: runs.map(errors), length: length
                ).svg)
    }

    private func chart(
        _ title: String, _ length: Double, isLatency: Bool,
        _ value: (RunResult.Second) -> Double?
    ) -> String {
        let series = runs.map { run in
            LineChart.Series(
                name: run.letter, style: "c\(run.color)",
                points: ResultCharts(result: run.result).points(value))
        }
        let most = series.flatMap { $0.points.compactMap(\.y) }.max() ?? 0
        return LineChart(
            title: title,
            description: "\(title), of \(runs.map(\.letter).joined(separator: ", ")).",
            series: series, x: ResultCharts.timeAxis(length),
            y: isLatency
                ? ResultCharts.latencyAxis(series)
                : LineChart.Axis(
                    ticks: ChartTicks.linear(to: most), text: PlanWords.grouped, title: "requests/s"
                )
        ).svg
    }

    private func errors(_ run: Run) -> StripChart.Strip {
        let total = run.result.totals.errors
        return StripChart.Strip(
            name: run.letter, style: "c\(run.color)",
            points: run.result.seconds.map {
                ChartPoint(x: Double($0.index), y: Double($0.errors))
            },
            summary: total == 0 ? "none" : "\(NumberText.grouped(total)) in all")
    }

    // MARK: What was run

    /// Every knob; those that differ are marked, since they may be what made the difference.
    private var plans: String {
        var table = HTMLTable(head: [""] + runs.map(letter))
        let rows = runs.map { run in
            PlanRows.rows(run.result.plan) + [
                ("machine", run.result.machine.cpu), ("host", run.result.machine.host),
                ("Hydrant", run.result.hydrantVersion), ("started", run.result.startedAt),
                ("command", shellQuoted(run.result.commandLine)),
            ]
        }
        var names: [String] = []
        for name in rows.flatMap({ $0.map(\.name) }) where !names.contains(name) {
            names.append(name)
        }
        for name in names {
            let values = rows.map { row in
                row.filter { $0.name == name }.map(\.value).joined(separator: "\n")
            }
            let differs = Set(values).count > 1 && !["started", "run", "command"].contains(name)
            if differs { table.rowClasses[table.rows.count] = "differs" }
            table.rows.append(
                ["\(escapedHTML(name))\(differs ? " (differs)" : "")"]
                    + values.map { $0.isEmpty ? "–" : escapedHTML($0) })
        }
        return HTMLPage.card(
            "Plans and machines", note: "What differs is marked.", html: table.html)
    }

    private var footer: String { "<footer>Made by hydrant load</footer>" }
}

/// A line of the table of figures.
struct ComparedFigure {
    var name: String
    var value: (RunResult) -> Double?
    var text: (Double) -> String

    static var all: [ComparedFigure] {
        let rates: [(String, (RunResult) -> Double?)] = [
            ("asked, requests/s", { $0.askedRate }), ("sent, requests/s", { $0.sentRate }),
            ("answered, requests/s", { $0.answeredRate }),
        ]
        let percentiles = RunResult.percentiles.filter { $0 >= 50 } + [100]
        let counts: [(String, (RunResult) -> UInt64)] = [
            ("errors", { $0.totals.errors }), ("refused", { $0.totals.answers(.refused) }),
            ("bad", { $0.totals.answers(.bad) }), ("dropped", { $0.totals[.dropped] }),
            ("late", { $0.totals[.late] }), ("unanswered", { $0.unanswered }),
        ]
        return rates.map {
            ComparedFigure(name: $0.0, value: $0.1) { NumberText.fixed($0, 0, groups: true) }
        }
            + percentiles.map { percentile in
                ComparedFigure(
                    name: percentile == 100 ? "max" : NumberText.percentileName(percentile),
                    value: { $0.response.percentile(percentile).map { Double($0) } },
                    text: NumberText.latency(microseconds:))
            }
            + [
                ComparedFigure(
                    name: "service p99", value: { $0.service.percentile(99).map { Double($0) } },
                    text: NumberText.latency(microseconds:))
            ]
            + counts.map { count in
                ComparedFigure(name: count.0, value: { Double(count.1($0)) }) {
                    NumberText.fixed($0, 0, groups: true)
                }
            }
            + [
                ComparedFigure(name: "lost", value: { $0.ledger.map { Double($0.lost) } }) {
                    NumberText.fixed($0, 0, groups: true)
                }
            ]
    }

    /// "+3.1 ms, 1.25 ×": the difference and the ratio, which a value of nothing has not.
    func change(from first: Double?, to value: Double?) -> String {
        guard let value, let first else { return "" }
        if value == first { return "=" }
        let difference = (value < first ? "−" : "+") + text((value - first).magnitude)
        guard first > 0, value > 0 else { return difference }
        return "\(difference), \(NumberText.short(value / first)) ×"
    }
}
