import Histogram
import TestSupport
import Testing

@testable import LoadTest

@Suite struct VerdictPercentileTests {
    @Test func `a percentile is the nearest rank`() {
        let thousand = LatencyCells(microseconds: Array(1...1000))
        for (percentile, value) in [
            (0.0, 1 as UInt64), (0.1, 1), (0.11, 2), (50, 500), (90, 900), (99, 990), (99.9, 999),
            (99.91, 1000), (100, 1000),
        ] {
            #expect(thousand.percentileMicroseconds(percentile) == value, "p\(percentile)")
        }
    }

    @Test func `of one value every percentile is that value`() {
        let one = LatencyCells(microseconds: [42])
        for percentile in [0.001, 50, 99.999, 100] {
            #expect(one.percentileMicroseconds(percentile) == 42)
        }
    }

    @Test func `of nothing there is no percentile`() {
        #expect(LatencyCells().percentileMicroseconds(99) == nil)
        #expect(LatencyCells(cells: [5], counts: [0]).percentileMicroseconds(99) == nil)
        #expect(LatencyStatistic.mean.microseconds(of: LatencyCells()) == nil)
    }

    @Test func `a cell answers with its highest value`() {
        // 4096 ..< 8192 in steps of 4.
        let cells = LatencyCells(microseconds: [5001])
        #expect(cells.percentileMicroseconds(50) == 5003)
        #expect(LatencyStatistic.min.microseconds(of: cells) == 5000)
        #expect(LatencyStatistic.mean.microseconds(of: cells) == 5002)
        #expect(LatencyStatistic.max.microseconds(of: cells) == 5003)
    }

    /// HdrHistogram itself, fed with the same values.
    @Test(arguments: 0..<20)
    func `it answers as HdrHistogram does`(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        let values = (0..<Int.random(in: 1...3000, using: &dice)).map { _ in
            UInt64.random(in: 1...(1 << UInt64.random(in: 1...29, using: &dice)), using: &dice)
        }
        var histogram = Histogram<UInt64>(
            lowestDiscernibleValue: 1, highestTrackableValue: LatencyScale.highestMicroseconds,
            numberOfSignificantValueDigits: .three)
        for value in values { histogram.record(value) }
        let cells = LatencyCells(microseconds: values)
        let greatest = values.max()!
        for percentile in [1.0, 10, 50, 75, 90, 95, 99, 99.9, 99.99, 100] {
            // It knows the greatest value itself; cells only know in which of them it fell.
            let found = cells.percentileMicroseconds(percentile)!
            #expect(
                min(found, greatest) == histogram.valueAtPercentile(percentile), "p\(percentile)")
            #expect(found <= histogram.highestEquivalentForValue(greatest))
        }
        let mean = LatencyStatistic.mean.microseconds(of: cells)!
        #expect(abs(mean - histogram.mean) <= 1e-9 * mean)
    }
}

@Suite struct VerdictFiguresTests {
    @Test(arguments: [
        (0 as UInt64, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"),
        (UInt64.max, "18,446,744,073,709,551,615"),
    ])
    func `counts are grouped`(value: UInt64, text: String) {
        #expect(NumberText.grouped(value) == text)
    }

    @Test(arguments: [
        (0.0, "0 µs"), (420, "420 µs"), (999, "999 µs"), (999.6, "1.00 ms"), (1234, "1.23 ms"),
        (9996, "10.0 ms"), (12_345, "12.3 ms"), (99_960, "100 ms"), (123_456, "123 ms"),
        (999_600, "1.00 s"), (1_234_567, "1.23 s"), (61_000_000, "61.0 s"),
    ])
    func `latencies have three digits`(microseconds: Double, text: String) {
        #expect(NumberText.latency(microseconds: microseconds) == text)
    }

    @Test(arguments: [
        (999.0, "999 µs"), (12_303, "12.303 ms"), (20_000, "20 ms"), (1_000_001, "1.000001 s"),
    ])
    func `a figure that is compared is exact`(microseconds: Double, text: String) {
        #expect(Figures.exactLatency(microseconds: microseconds) == text)
    }

    @Test func `a small share is not none, and what is no number says so`() {
        #expect(Figures.percent(0) == "0%")
        #expect(Figures.percent(0.0002) == "0.02%")
        #expect(Figures.percent(1e-9) == "under 0.0001%")
        #expect(Figures.fixed(.nan, decimals: 1) == "–")
        #expect(Figures.fixed(-0.04, decimals: 1) == "0.0")
        #expect(Figures.fixed(-1.06, decimals: 1) == "-1.1")
        #expect(Figures.rate(0.5) == "0.5")
        #expect(Figures.rate(19_998.4) == "19,998")
        #expect(Figures.bytes(999) == "999 B")
        #expect(Figures.bytes(4_160_000) == "4.2 MB")
    }
}
