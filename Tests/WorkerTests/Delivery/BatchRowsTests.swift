import Core
import Foundation
import TestSupport
import Testing

@testable import Worker

/// Firehose records whose rows are counted.
@Suite struct BatchRowsTests {
    static func builder(_ lane: FakeLane, rows: Int, callBytesMax: Int = 4_096_000) -> BatchBuilder
    {
        BatchBuilder(
            streamName: "s", source: lane.source, callBytesMax: callBytesMax, recordRowsMax: rows)
    }

    /// The records of the next batch, as texts.
    static func next(_ builder: inout BatchBuilder) -> [String]? {
        builder.begin(small: false)
        guard let batch = BatchBuilderTests.build(&builder) else { return nil }
        return batch.records.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `one row a record: each ends in its newline`() {
        let lane = FakeLane()
        lane.append(["a", "b"])
        lane.append(["c"])
        var builder = Self.builder(lane, rows: 1)
        let records = Self.next(&builder)
        #expect(records == ["a\n", "b\n", "c\n"])
        #expect(builder.load == RowLoad(bytes: 6, rows: 3))
        builder.settle(failed: [])
        #expect(lane.cursor == 2 && lane.delivered == 3)
    }

    @Test func `records are filled over the borders of spool records, and never beyond`() {
        let lane = FakeLane()
        lane.append(["a", "b"])
        lane.append(["c", "d", "e"])
        lane.append(["f", "g", "h", "i", "j", "k", "l"])
        var builder = Self.builder(lane, rows: 3)
        let records = Self.next(&builder)
        #expect(records?.joined() == lane.rows.map { $0 + "\n" }.joined())
        let counts = records?.map { $0.count / 2 } ?? []
        #expect(counts.allSatisfy { $0 <= 3 } && counts.count <= 5)
    }

    @Test func `a call has 500 records, and a spool record is not cut by its end`() {
        let lane = FakeLane()
        for record in 0..<6 { lane.append((0..<120).map { "\(record)-\($0)" }) }
        var builder = Self.builder(lane, rows: 1)
        let first = Self.next(&builder)
        #expect(first?.count == 480)
        builder.settle(failed: [])
        #expect(lane.cursor == 4)
        let second = Self.next(&builder)
        #expect(second?.count == 240)
        builder.settle(failed: [])
        #expect(lane.cursor == 6 && lane.delivered == 720)
    }

    @Test func `a spool record of more rows than a call has records goes on in the next`() {
        let lane = FakeLane()
        lane.append((0..<1200).map(String.init))
        var builder = Self.builder(lane, rows: 1)
        var records: [String] = []
        for expected in [500, 500, 200] {
            #expect(lane.cursor == 0)
            let batch = Self.next(&builder) ?? []
            #expect(batch.count == expected)
            records += batch
            builder.settle(failed: [])
        }
        #expect(records == (0..<1200).map { "\($0)\n" })
        #expect(lane.cursor == 1 && lane.delivered == 1200)
    }

    /// By `memchr`: a debug build took most of this target's time to look at each Character.
    private func lineEnds(_ text: String) -> Int {
        var text = text
        return text.withUTF8 { bytes in
            var count = 0
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while let base = rest.base.baseAddress,
                let found = memchr(base + rest.startIndex, 10, rest.count)
            {
                count += 1
                rest = rest[(found - UnsafeMutableRawPointer(mutating: base) + 1)...]
            }
            return count
        }
    }

    @Test(arguments: 0..<100)
    func `at random, all rows come once, in order, within all limits`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        let lane = FakeLane()
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            lane.append(
                (0..<Int.random(in: 1...256, using: &random)).map { _ in
                    String(repeating: "x", count: Int.random(in: 1...900, using: &random))
                })
        }
        let limit = Int.random(in: 1...400, using: &random)
        var builder = Self.builder(lane, rows: limit, callBytesMax: 1 << 20)
        var text = ""
        var batches = 0
        while let records = Self.next(&builder) {
            #expect(records.count <= 500)
            #expect(records.allSatisfy { lineEnds($0) <= limit && $0.utf8.last == 10 })
            #expect(builder.body.rawBytes <= 1 << 20)
            text += records.joined()
            builder.settle(failed: [])
            batches += 1
            if batches > 100 { break }
        }
        #expect(text == lane.rows.map { $0 + "\n" }.joined())
        #expect(lane.cursor == lane.records.count)
    }

    @Test func `the first rows of a text end after a newline, a part of one counts as one`() {
        func first(_ text: String, _ limit: Int) -> [Int] {
            Array(text.utf8).withUnsafeBytes {
                let it = BatchBuilder.firstRows($0[...], atMost: limit)
                return [it.end, it.rows]
            }
        }
        #expect(first("a\nbb\nccc\n", 1) == [2, 1])
        #expect(first("a\nbb\nccc\n", 2) == [5, 2])
        #expect(first("a\nbb\nccc\n", 9) == [9, 3])
        #expect(first("a\nbb", 2) == [2, 1])
        #expect(first("abb", 2) == [3, 1])
    }
}
