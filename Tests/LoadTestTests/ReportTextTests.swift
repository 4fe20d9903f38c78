import Testing

@testable import LoadTest

@Suite struct ReportTextTests {
    @Test func `the summary is the golden one`() throws {
        try Golden.check(TextSummary(.rich).text, "summary.txt")
    }

    @Test func `with --latency it has both spectra`() throws {
        let text = TextSummary(.rich, showsSpectrum: true).text
        try Golden.check(text, "summary-latency.txt")
        #expect(text.contains(Hgrm(RunResult.rich.service).lines.joined(separator: "\n")))
    }

    @Test func `no line is wider than 80 columns, whatever a file says`() {
        var result = RunResult.rich
        result.plan.target.path = "/" + String(repeating: "p", count: 300)
        result.warnings.append(String(repeating: "w", count: 200) + " and on")
        result.verdicts[0].found = String(repeating: "found ", count: 40)
        result.verdicts[0].expectation = String(repeating: "e", count: 90)
        result.totals.lastFailure = String(repeating: "f", count: 120)
        result.totals.counters["answered"] = LatencyCells.countMax
        result.search?.trials[0].rate = 1e15
        for line in TextSummary(result, showsSpectrum: true).text.split(separator: "\n") {
            #expect(line.count <= 80, "\(line)")
        }
    }

    @Test func `colour is asked for, and says nothing that the words do not`() {
        let plain = TextSummary(.rich).text
        let colored = TextSummary(.rich, usesColor: true).text
        #expect(!plain.contains("\u{1B}"))
        #expect(colored.contains("\u{1B}[1;31mMISSED\u{1B}[0m"))
        #expect(colored.replacing(#/\x{1B}\[[0-9;]*m/#, with: "") == plain)
    }

    @Test func `control characters of a file do not reach the terminal`() {
        var result = RunResult.rich
        result.warnings = ["\u{1B}]0;owned\u{07}\u{202E}evil"]
        result.verdicts[0].expectation = "p99\u{1B}[2J"
        result.totals.lastFailure = "broken\u{9B}2J"
        result.plan.target.path = "/\u{1B}c"
        let text = TextSummary(result).text
        for scalar in ["\u{1B}", "\u{07}", "\u{202E}", "\u{9B}"] as [Unicode.Scalar] {
            #expect(!text.unicodeScalars.contains(scalar))
        }
    }

    @Test func `a run without a single answer has a summary`() {
        var result = RunResult.rich
        result.totals = RunResult.Totals(counters: ["due": 5], statuses: [:])
        (result.response, result.service) = (LatencyCells(), LatencyCells())
        (result.schedule, result.seconds, result.threadLoads) = (LatencyCells(), [], [])
        (result.elapsedSeconds, result.ledger, result.search) = (0, nil, nil)
        result.verdicts = []
        let text = TextSummary(result, showsSpectrum: true).text
        #expect(text.contains("Success rate:   0.00 % of 5 due"))
        #expect(text.contains("Slowest:        –"))
        #expect(!text.contains("histogram"))
    }

    @Test func `the histogram counts every answer once`() {
        for cells in [RunResult.rich.response, RunResult.rich.service] {
            let steps = TextLatency.histogramSteps(cells)
            #expect(steps.reduce(0) { $0 + $1.count } == cells.total)
            #expect(steps.count <= 12)
        }
        let one = LatencyCells(cells: [100], counts: [7])
        #expect(TextLatency.histogramSteps(one).map(\.count) == [7])
        #expect(TextLatency.histogramSteps(LatencyCells()).isEmpty)
    }

    @Test(arguments: [
        (0.0, "0 µs"), (999, "999 µs"), (999.6, "1.00 ms"), (1234, "1.23 ms"), (12_345, "12.3 ms"),
        (352_000, "352 ms"), (999_600, "1.00 s"), (1_500_000, "1.50 s"), (6e8, "600 s"),
    ])
    func `latencies are read at a glance`(microseconds: Double, text: String) {
        #expect(NumberText.latency(microseconds: microseconds) == text)
    }

    @Test func `numbers of every size are text`() {
        #expect(NumberText.grouped(0) == "0")
        #expect(NumberText.grouped(1_234_567) == "1,234,567")
        #expect(NumberText.grouped(.max) == "18,446,744,073,709,551,615")
        #expect(NumberText.fixed(1.005, 2) == "1.00")
        #expect(NumberText.fixed(-0.001, 2) == "0.00")
        #expect(NumberText.fixed(-12.5, 1) == "-12.5")
        #expect(NumberText.fixed(.nan, 2) == "–")
        #expect(NumberText.fixed(.infinity, 2) == "–")
        #expect(NumberText.bytes(1536) == "1.50 KiB")
        #expect(NumberText.bytes(0) == "0 B")
        #expect(NumberText.percent(0) == "0.00 %")
        #expect(NumberText.percent(0.00001) == "< 0.01 %")
        #expect(NumberText.percent(0.999999) == "> 99.99 %")
        #expect(NumberText.percent(1) == "100.00 %")
        #expect(NumberText.duration(seconds: 3725) == "1 h 2 min")
        #expect(NumberText.duration(seconds: 20) == "20 s")
        #expect(NumberText.percentileName(99.99) == "p99.99")
    }
}
