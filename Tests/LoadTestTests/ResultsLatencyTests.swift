import Histogram
import Testing
import TestSupport

@testable import LoadTest

@Suite struct ResultsLatencyTests {
    @Test func `every cell of the scale is a cell of an HdrHistogram, with the same bounds`() {
        var cells = LatencyCells()
        for cell in 0..<LatencyScale.cellCount {
            cells.cells.append(cell)
            cells.counts.append(UInt64(cell % 7 + 1))
        }
        let distribution = LatencyDistribution(cells)
        #expect(distribution.cells == cells, "nothing is lost either way")
        #expect(distribution.total == cells.total)
        let bounds = distribution.histogram.recordedValues().map(\.value)
        #expect(bounds == cells.cells.map(LatencyScale.highestMicroseconds(ofCell:)))
    }

    @Test func `what is recorded by value lands in the cell of the value`() {
        var dice = SeededDice(seed: 7)
        var distribution = LatencyDistribution()
        var counts = [UInt64](repeating: 0, count: LatencyScale.cellCount)
        for _ in 0..<5000 {
            let value = dice.roll(1 << (1 + dice.roll(30)))
            distribution.record(microseconds: value)
            counts[LatencyScale.cell(ofMicroseconds: value)] += 1
        }
        #expect(distribution.cells == LatencyCells(dense: counts))
    }

    @Test func `percentiles are those of the library`() {
        var dice = SeededDice(seed: 11)
        for round in 0..<40 {
            let cells = Self.random(&dice, values: 1 + Int(dice.roll(300 * UInt64(round + 1))))
            let library = LatencyDistribution(cells)
            for percentile in [0.001, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100] {
                #expect(cells.percentile(percentile) == library.percentile(percentile))
            }
            #expect(cells.greatest == library.maximum)
        }
    }

    @Test func `the median of a known few is the middle one`() {
        var distribution = LatencyDistribution()
        for value in [100, 200, 300] as [UInt64] { distribution.record(microseconds: value) }
        #expect(distribution.cells.percentile(50) == 200)
        #expect(distribution.cells.percentile(66) == 200)
        #expect(distribution.cells.percentile(67) == 300)
        #expect(distribution.cells.least == 100)
        #expect(abs(distribution.mean - 200) < 0.001)
        #expect(abs(distribution.standardDeviation - 81.65) < 0.01)
        #expect(LatencyCells().percentile(50) == nil)
    }

    @Test func `a later moment less an earlier one is what came between`() {
        var dice = SeededDice(seed: 3)
        let earlier = Self.random(&dice, values: 400)
        let since = Self.random(&dice, values: 300)
        var later = earlier
        later.add(since)
        #expect(later.total == 700)
        #expect(later.difference(since: earlier) == since)
        #expect(later.difference(since: later).isEmpty)
        var rest = later
        rest.subtract(since)
        #expect(rest == earlier)
        #expect(LatencyCells().difference(since: later).isEmpty, "nothing falls below zero")
    }

    @Test func `cells are text and come back from it`() throws {
        var dice = SeededDice(seed: 5)
        let cells = Self.random(&dice, values: 500)
        #expect(try LatencyCells(text: cells.text) == cells)
        #expect(LatencyCells(cells: [0, 5, 6], counts: [3, 1, 9]).text == "0 3 5 1 1 9")
        #expect(try LatencyCells(text: "").isEmpty)
    }

    @Test(arguments: [
        ("1", LatencyCells.Flaw.odd), ("1 2 3", .odd), ("1 2 ", .notNumbers), (" 1 2", .notNumbers),
        ("1  2", .notNumbers), ("-1 2", .notNumbers), ("1 2 0 5", .outOfOrder),
        ("999999 1", .cellBeyondScale), ("1 1 20600 1", .cellBeyondScale),
        ("1 0", .countOutOfRange), ("1 99999999999999999999", .countOutOfRange),
        ("1 9007199254740992 1 1", .countOutOfRange),
    ])
    func `text that is no cells is refused`(text: String, flaw: LatencyCells.Flaw) {
        #expect(throws: flaw) { try LatencyCells(text: text) }
    }

    static func random(_ dice: inout SeededDice, values: Int) -> LatencyCells {
        var distribution = LatencyDistribution()
        for _ in 0..<values {
            distribution.record(
                microseconds: 100 + dice.roll(1 << (4 + dice.roll(20))))
        }
        return distribution.cells
    }
}
