/// The charts of one run.
struct ResultCharts {
    let result: RunResult

    /// Seconds that the time axis is long.
    var length: Double {
        max(result.elapsedSeconds, Double((result.seconds.last?.index ?? 0) + 1))
    }

    static let percentiles: [Double] = [50, 90, 99, 99.9, 99.99]

    var rates: LineChart {
        let most = result.seconds.map { max($0.rate(.due), $0.rate(.answered)) }.max() ?? 0
        return LineChart(
            title: "Rate over time",
            description: "Requests a second: asked \(words(result.askedRate)), sent "
                + "\(words(result.sentRate)), answered \(words(result.answeredRate)) on average.",
            series: [
                LineChart.Series(
                    name: "asked", style: "pale", points: points { $0.rate(.due) }, isWide: true),
                LineChart.Series(name: "sent", style: "c1", points: points { $0.rate(.sent) }),
                LineChart.Series(
                    name: "answered", style: "c0", points: points { $0.rate(.answered) }),
            ],
            x: Self.timeAxis(length),
            y: LineChart.Axis(
                ticks: ChartTicks.linear(to: most), text: PlanWords.grouped, title: "requests/s"))
    }

    var latencies: LineChart {
        let bySecond = result.seconds.map { $0.response.percentiles(Self.percentiles) }
        let byPercentile = Self.percentiles.indices.map { place in
            zip(result.seconds, bySecond).map { second, values in
                ChartPoint(
                    x: Double(second.index) + 0.5, y: values[place].map { max(Double($0), 1) })
            }
        }
        let series = zip(Self.percentiles, byPercentile).enumerated().map { place, line in
            LineChart.Series(
                name: NumberText.percentileName(line.0), style: "q\(place)", points: line.1)
        }
        return LineChart(
            title: "Response time over time",
            description: "Percentiles of the response time of each second, logarithmic. Over all: "
                + Self.percentiles.map {
                    "\(NumberText.percentileName($0)) "
                        + NumberText.latency(result.response.percentile($0))
                }.joined(separator: ", ") + ".",
            series: series, x: Self.timeAxis(length), y: Self.latencyAxis(series),
            peakText: { NumberText.latency(microseconds: $0) })
    }

    var spectrum: LineChart {
        Self.spectrum([
            ("response", "c0", result.response), ("service", "c2", result.service),
        ])
    }

    /// The value at every percentile; the axis stretches toward 100 %, because that is where servers
    /// differ.
    static func spectrum(_ lines: [(name: String, style: String, cells: LatencyCells)]) -> LineChart
    {
        let series = lines.filter { !$0.cells.isEmpty }.map { line in
            let total = Double(line.cells.total)
            let steps = LatencyDistribution(line.cells).spectrum()
            return LineChart.Series(
                name: line.name, style: line.style,
                points: steps.map {
                    // 100 % lies where one of all values lies beyond.
                    ChartPoint(
                        x: min(1 / max(1 - $0.quantile, 1e-15), max(total, 2)),
                        y: max(Double($0.microseconds), 1))
                })
        }
        let most = lines.map { Double($0.cells.total) }.max() ?? 10
        return LineChart(
            title: "Percentile spectrum",
            description: lines.map { line in
                "\(line.name): median \(NumberText.latency(line.cells.percentile(50))), p99 "
                    + "\(NumberText.latency(line.cells.percentile(99))), greatest "
                    + NumberText.latency(line.cells.greatest)
            }.joined(separator: "; ") + ".",
            series: series, x: percentileAxis(to: most), y: latencyAxis(series))
    }

    var troubles: StripChart {
        StripChart(
            title: "What went wrong, by second",
            description: "Errors, refused, bad, dropped and late requests of each second. In all: "
                + "\(result.totals.errors) errors, of them \(result.totals.answers(.refused)) "
                + "refused; \(result.totals.answers(.bad)) bad; \(result.totals[.dropped]) dropped; "
                + "\(result.totals[.late]) late.",
            strips: [
                counted("errors", "c1", "failures and refusals", result.totals.errors) {
                    $0.errors
                },
                counted("refused", "c4", "503: not promised", result.totals.answers(.refused)) {
                    $0.answers(.refused)
                },
                counted("dropped", "c3", "due, never sent", result.totals[.dropped]) {
                    $0[.dropped]
                },
                counted("late", "c5", "sent > 1 ms after due", result.totals[.late]) { $0[.late] },
                counted("bad", "c2", "400: kept, no error", result.totals.answers(.bad)) {
                    $0.answers(.bad)
                },
            ], length: length)
    }

    var levels: StripChart {
        StripChart(
            title: "Backlog, requests in flight and connections",
            description: "Levels at the end of each second. The backlog reached "
                + "\(result.seconds.map(\.backlog).max() ?? 0), requests in flight "
                + "\(result.seconds.map(\.inFlight).max() ?? 0).",
            strips: [
                level("backlog", "c1", "due, waiting to be sent", \.backlog),
                level("in flight", "c0", "sent, not answered", \.inFlight),
                level("connections", "c2", "open", \.connectionsOpen),
            ], length: length)
    }

    private func counted(
        _ name: String, _ style: String, _ note: String, _ total: UInt64,
        _ count: (RunResult.Second) -> UInt64
    ) -> StripChart.Strip {
        let most = result.seconds.map(count).max() ?? 0
        return StripChart.Strip(
            name: name, style: style, points: bars { Double(count($0)) },
            summary: total == 0
                ? "none"
                : "\(NumberText.grouped(total)) in all, ≤ \(NumberText.grouped(most))/s", note: note
        )
    }

    private func level(
        _ name: String, _ style: String, _ note: String, _ value: KeyPath<RunResult.Second, UInt64>
    ) -> StripChart.Strip {
        let most = result.seconds.map { $0[keyPath: value] }.max() ?? 0
        return StripChart.Strip(
            name: name, style: style, points: bars { Double($0[keyPath: value]) },
            summary: most == 0 ? "none" : "at most \(NumberText.grouped(most))", note: note)
    }

    private func bars(_ value: (RunResult.Second) -> Double) -> [ChartPoint] {
        result.seconds.map { ChartPoint(x: Double($0.index), y: value($0)) }
    }

    /// In the middle of each second.
    func points(_ value: (RunResult.Second) -> Double?) -> [ChartPoint] {
        result.seconds.map { ChartPoint(x: Double($0.index) + 0.5, y: value($0)) }
    }

    private func words(_ rate: Double) -> String { NumberText.fixed(rate, 0, groups: true) }

    static func timeAxis(_ length: Double) -> LineChart.Axis {
        LineChart.Axis(
            ticks: ChartTicks.time(to: length),
            text: { ChartTicks.timeText($0, of: length) }, title: "time")
    }

    static func latencyAxis(_ series: [LineChart.Series]) -> LineChart.Axis {
        let values = series.flatMap { $0.points.compactMap(\.y) }
        let axis = ChartTicks.logarithmic(from: values.min() ?? 100, to: values.max() ?? 1000)
        return LineChart.Axis(
            isLog: true, ticks: axis.ticks, ends: axis.ends, text: latencyTick,
            title: "response time, logarithmic")
    }

    private static func latencyTick(_ microseconds: Double) -> String {
        switch microseconds {
        case ..<1000: "\(NumberText.trimmed(microseconds)) µs"
        case ..<1e6: "\(NumberText.trimmed(microseconds / 1000)) ms"
        default: "\(NumberText.trimmed(microseconds / 1e6)) s"
        }
    }

    private static func percentileAxis(to count: Double) -> LineChart.Axis {
        var ticks: [Double] = [1]
        while ticks.count < 10 && (ticks.count < 3 || ticks[ticks.count - 1] < count) {
            ticks.append(ticks[ticks.count - 1] * 10)
        }
        return LineChart.Axis(
            isLog: true, ticks: ticks,
            text: { "\(NumberText.trimmed(100 - 100 / $0)) %" }, title: "percentile")
    }
}
