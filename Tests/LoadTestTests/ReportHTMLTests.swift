import Core
import Foundation
import Testing

@testable import LoadTest

@Suite struct ReportHTMLTests {
    @Test func `the report is the golden one`() throws {
        try Golden.check(HTMLReport(.rich).html, "report.html")
    }

    @Test func `the comparison is the golden one`() throws {
        try Golden.check(Self.comparison, "comparison.html")
    }

    static var comparison: String {
        var other = SampleRun(seed: 43, stallSecond: nil, slowness: 1.4).result
        other.plan.connections = 128
        return HTMLReport.comparing([.rich, other], names: ["before.json", "after.json"]).html
    }

    @Test func `what a file says is text, never markup`() throws {
        let hostile =
            "</style></script><script>alert(1)</script>\"'<img src=x onerror=alert(2)>&\u{0}"
        var result = RunResult.rich
        result.hydrantVersion = hostile
        result.startedAt = hostile
        result.commandLine = [hostile]
        result.machine = .init(
            host: hostile, cpu: hostile, cores: 1, memoryBytes: 1, kernel: hostile)
        result.plan.target = LoadTarget(isTLS: true, host: hostile, port: 1, path: hostile)
        result.plan.method = hostile
        result.plan.headers = [.init(name: hostile, value: hostile)]
        result.plan.ledger = hostile
        result.plan.replay = .init(file: hostile, pace: 2)
        result.plan.tls.authorities = hostile
        result.totals.lastFailure = hostile
        result.totals.statuses[hostile] = 3
        result.warnings = [hostile]
        result.verdicts = [.init(expectation: hostile, found: hostile, isMet: false)]
        result.ledger?.lostExamples = [hostile]
        result.ledger?.notes = [hostile]
        result.search?.condition = hostile
        result.search?.trials[0].found = hostile
        result.server = result.server.map {
            .init(second: $0.second, counters: [hostile: UInt64($0.second)])
        }
        let pages = [
            HTMLReport(result).html,
            HTMLReport.comparing([result, result], names: [hostile, hostile]).html,
        ]
        for page in pages {
            #expect(!page.contains("<script"))
            #expect(!page.contains("<img"))
            #expect(!page.contains("\u{0}"))
            #expect(page.components(separatedBy: "</style>").count == 2, "the sheet's own")
            #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&lt;img"))
        }
    }

    @Test func `elements are closed, in order`() throws {
        for page in [HTMLReport(.rich).html, Self.comparison, HTMLReport(Self.empty).html] {
            var open: [Substring] = []
            let void: Set<Substring> = ["meta", "link", "!doctype"]
            for tag in page.matches(of: #/<(/?)([a-z!][a-z0-9]*)[^>]*?(/?)>/#) where tag.3.isEmpty {
                if void.contains(tag.2) { continue }
                if tag.1.isEmpty {
                    open.append(tag.2)
                } else {
                    #expect(open.popLast() == tag.2)
                }
            }
            #expect(open.isEmpty)
        }
    }

    @Test func `nothing in a report leads out of it`() {
        for page in [HTMLReport(.rich).html, Self.comparison] {
            #expect(!page.contains("src="))
            #expect(!page.contains("url("))
            #expect(!page.contains("@import"))
            #expect(!page.contains("<script"))
            let links = page.matches(of: #/href="([^"]*)"/#).map(\.1)
            #expect(links == ["data:,"], "the icon, which is none")
        }
    }

    @Test func `every drawing has a title and a description`() {
        for page in [HTMLReport(.rich).html, Self.comparison] {
            let drawings = page.components(separatedBy: "<svg ").dropFirst()
            #expect(drawings.count >= 6)
            for drawing in drawings {
                #expect(
                    drawing.contains(#/^[^>]*role="img"><title>[^<]+<\/title><desc>[^<]+<\/desc>/#))
            }
        }
    }

    @Test func `verdicts are words, not just colours`() {
        let page = HTMLReport(.rich).html
        #expect(page.contains("1 of 3 expectations missed"))
        #expect(page.contains("✗ missed</span><strong>p99.9&lt;20ms</strong>"))
        #expect(page.contains("✓ met</span><strong>lost=0</strong>"))
    }

    @Test func `figures are compared by difference and ratio`() throws {
        let p50 = try #require(ComparedFigure.all.first { $0.name == "p50" })
        #expect(p50.value(.rich) == Double(RunResult.rich.response.percentile(50)!))
        #expect(p50.change(from: 1000, to: 1250) == "+250 µs, 1.25 ×")
        #expect(p50.change(from: 1000, to: 500) == "−500 µs, 0.50 ×")
        #expect(p50.change(from: 0, to: 500) == "+500 µs")
        #expect(p50.change(from: 7, to: 7) == "=")
        #expect(p50.change(from: nil, to: 7) == "")
    }

    @Test func `an hour is a small page, and its worst second is on it`() {
        var run = SampleRun()
        run.seconds = 60
        run.rate = 300
        var result = run.result
        let minute = result.seconds
        result.seconds = (0..<3600).map { index in
            var second = minute[index % 60 == 14 ? 15 : index % 60]
            second.index = index
            return second
        }
        result.seconds[1801] = minute[14]
        result.seconds[1801].index = 1801
        result.elapsedSeconds = 3600
        let samples = result.server
        result.server = (0..<3600).map {
            .init(second: Double($0), counters: samples[$0 % 60].counters)
        }
        let page = HTMLReport(result).html
        #expect(page.utf8.count < 300 << 10, "\(page.utf8.count) bytes")
        let peak = NumberText.latency(minute[14].response.percentile(99.99))
        #expect(page.contains("\(peak) at 30:01"), "\(peak)")
    }

    /// Nothing was answered, nothing is known.
    static var empty: RunResult {
        var result = RunResult.rich
        result.totals = RunResult.Totals(counters: [:], statuses: [:])
        (result.response, result.service, result.schedule) = (.init(), .init(), .init())
        (result.seconds, result.server, result.threadLoads) = ([], [], [])
        (result.verdicts, result.warnings, result.ledger, result.search) = ([], [], nil, nil)
        result.plan.rate = RateProfile(pieces: [])
        result.elapsedSeconds = 0
        return result
    }

    @Test func `a run of nothing has a report, and so has one of a single second`() {
        #expect(HTMLReport(Self.empty).html.contains("No answer came."))
        var result = RunResult.rich
        result.seconds = [result.seconds[3]]
        #expect(HTMLReport(result).html.contains("Rate over time"))
        result.seconds[0].response = LatencyCells()
        #expect(!HTMLReport.comparing([result, Self.empty]).html.isEmpty)
        #expect(!HTMLReport.comparing([]).html.isEmpty)
    }

    @Test func `a command line goes back into a shell as it came`() {
        #expect(shellQuoted(["hydrant", "load", "-R", "20k"]) == "hydrant load -R 20k")
        #expect(shellQuoted(["a b", "", "it's", "$x"]) == #"'a b' '' 'it'\''s' '$x'"#)
    }
}

@Suite struct ReportChartTests {
    @Test func `ticks are round and hold all values`() {
        #expect(ChartTicks.linear(to: 2000) == [0, 500, 1000, 1500, 2000])
        #expect(ChartTicks.linear(to: 2001).last == 2500)
        #expect(ChartTicks.linear(to: 0) == [0, 1])
        #expect(ChartTicks.linear(to: 0.3).last! >= 0.3)
        let fine = ChartTicks.logarithmic(from: 300, to: 1100)
        #expect(fine.ticks == [200, 500, 1000, 2000])
        #expect(fine.ends == 200...2000)
        let coarse = ChartTicks.logarithmic(from: 300, to: 1_050_000)
        #expect(coarse.ticks == [1000, 10_000, 100_000, 1_000_000])
        #expect(coarse.ends == 200...2_000_000)
        #expect(ChartTicks.logarithmic(from: 5, to: 5).ticks == [5, 10])
        #expect(ChartTicks.time(to: 30) == [0, 5, 10, 15, 20, 25, 30])
        #expect(ChartTicks.timeText(1801, of: 3600) == "30:01")
        #expect(ChartTicks.timeText(90, of: 60) == "90 s")
        #expect(ChartTicks.timeText(9000, of: 36_000) == "2:30 h")
    }

    @Test func `downsampling keeps peaks and dips, in order`() {
        var points = (0..<3600).map { ChartPoint(x: Double($0), y: 10) }
        points[1234].y = 99
        points[2345].y = 1
        points[3000].y = nil
        let reduced = Downsampling.reduced(points, to: 600)
        #expect(reduced.count <= 600)
        #expect(reduced.contains(points[1234]))
        #expect(reduced.contains(points[2345]))
        #expect(zip(reduced, reduced.dropFirst()).allSatisfy { $0.x < $1.x })
        #expect(Downsampling.reduced(Array(points.prefix(600)), to: 600).count == 600)
        #expect(Downsampling.peaks(points, to: 300).contains { $0.y == 99 })
    }

    @Test func `a line is broken where there is no value`() {
        let path = SVG.path([(x: 0, y: 1), (x: 1, y: 2.25), (x: 2, y: nil), (x: 3, y: 4)])
        #expect(path == "M0 1h0L1 2.3M3 4h0" || path == "M0 1h0L1 2.2M3 4h0")
    }
}
