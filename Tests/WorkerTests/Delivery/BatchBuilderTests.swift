import Core
import Foundation
import TestSupport
import Testing

@testable import Worker

@Suite struct BatchBuilderTests {
    /// Advances until a batch is ready; nil when there is nothing.
    static func build(
        _ builder: inout BatchBuilder, earlyEndBytes: Int? = nil
    ) -> (records: [Data], reachedEnd: Bool)? {
        while true {
            switch builder.advance(earlyEndBytes: earlyEndBytes) {
            case .more: continue
            case .ready(let reachedEnd):
                return (recordsOfBody(builder.body.bytes)!, reachedEnd)
            case .empty: return nil
            }
        }
    }

    @Test func `an empty lane gives no batch`() {
        let lane = FakeLane()
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        builder.begin(small: true)
        let built = Self.build(&builder)
        #expect(built == nil)
    }

    @Test func `consecutive spool records become one Firehose record`() throws {
        let lane = FakeLane()
        lane.append(["a", "b"])
        lane.append(["c"])
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        builder.begin(small: true)
        let batchBuilt = Self.build(&builder)
        let batch = try #require(batchBuilt)
        #expect(batch.records == [Data("a\nb\nc\n".utf8)] && batch.reachedEnd)
        #expect(lane.cursor == 0)
        builder.settle(failed: [])
        #expect(lane.cursor == 2 && lane.delivered == 3)
    }

    @Test func `a spool record that does not fit opens the next Firehose record`() throws {
        let lane = FakeLane()
        for name in ["a", "b", "c"] { lane.append([String(repeating: name, count: 59)]) }
        var builder = BatchBuilder(
            streamName: "s", source: lane.source, recordBytesMax: 130, callBytesMax: 1000)
        builder.begin(small: true)
        let batchBuilt = Self.build(&builder)
        let batch = try #require(batchBuilt)
        #expect(batch.records.map(\.count) == [120, 60])
    }

    @Test func `what does not fit the call waits for the next, and is not lost`() throws {
        let lane = FakeLane()
        for name in ["a", "b", "c"] { lane.append([String(repeating: name, count: 59)]) }
        var builder = BatchBuilder(
            streamName: "s", source: lane.source, recordBytesMax: 60, callBytesMax: 130)
        builder.begin(small: true)
        let firstBuilt = Self.build(&builder)
        let first = try #require(firstBuilt)
        #expect(first.records.count == 2 && !first.reachedEnd)
        builder.settle(failed: [])
        #expect(lane.cursor == 2)
        builder.begin(small: true)
        let secondBuilt = Self.build(&builder)
        let second = try #require(secondBuilt)
        #expect(second.records.map(rowsOf) == [[String(repeating: "c", count: 59)]])
        #expect(second.reachedEnd)
        builder.settle(failed: [])
        #expect(lane.cursor == 3)
    }

    @Test func `a spool record larger than a Firehose record is cut between rows`() throws {
        let lane = FakeLane()
        let rows = (0..<3000).map { "\($0)-" + String(repeating: "y", count: 900) }
        lane.append(["before"])
        lane.append(rows)
        lane.append(["after"])
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        builder.begin(small: true)
        let batchBuilt = Self.build(&builder)
        let batch = try #require(batchBuilt)
        #expect(batch.records.count > 3)
        #expect(batch.records.allSatisfy { $0.count <= Limits.firehoseRecordBytesMax })
        #expect(batch.records.allSatisfy { $0.last == UInt8(ascii: "\n") })
        #expect(batch.records.flatMap(rowsOf) == ["before"] + rows + ["after"])
        // Only the part in the midst was not taken: the cursor stays before the whole.
        builder.settle(failed: [2])
        #expect(lane.cursor <= 1)
        let again = Self.build(&builder)
        #expect(again?.records == [batch.records[2]])
        builder.settle(failed: [])
        #expect(lane.cursor == 3 && lane.delivered == 3002)
    }

    @Test func `a row beyond every limit is cut rather than lost`() throws {
        let lane = FakeLane()
        let row = String(repeating: "z", count: 1000)
        lane.append([row])
        var builder = BatchBuilder(
            streamName: "s", source: lane.source, recordBytesMax: 300, callBytesMax: 2000)
        builder.begin(small: true)
        let batchBuilt = Self.build(&builder)
        let batch = try #require(batchBuilt)
        #expect(batch.records.map(\.count) == [300, 300, 300, 101])
        #expect(batch.records.reduce(Data(), +) == Data((row + "\n").utf8))
    }

    @Test func `five hundred records are the most`() throws {
        let lane = FakeLane()
        for number in 1000..<2001 { lane.append(["\(number)"]) }
        var builder = BatchBuilder(
            streamName: "s", source: lane.source, recordBytesMax: 5, callBytesMax: 100_000)
        var rows: [String] = []
        for count in [500, 500, 1] {
            builder.begin(small: false)
            let batchBuilt = Self.build(&builder)
            let batch = try #require(batchBuilt)
            #expect(batch.records.count == count)
            rows += batch.records.flatMap(rowsOf)
            builder.settle(failed: [])
        }
        #expect(rows == lane.rows)
    }

    @Test func `a batch that may end early ends where little of what is billed is unused`() throws {
        let lane = FakeLane()
        for _ in 0..<600 { lane.append([String(repeating: "x", count: 499)]) }
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        var rows = 0
        builder.begin(small: false)
        let earlyBuilt = Self.build(&builder, earlyEndBytes: 100_000)
        let early = try #require(earlyBuilt)
        // 205 records would be 20 bytes above a multiple of 5,120; 204 are 480 below it.
        #expect(early.records.map(\.count) == [204 * 500] && !early.reachedEnd)
        rows += 204
        builder.settle(failed: [])
        #expect(lane.cursor == rows)
        // What was left behind comes next; without leave to end early, all of it.
        builder.begin(small: false)
        let restBuilt = Self.build(&builder)
        let rest = try #require(restBuilt)
        #expect(rest.records.map(\.count) == [(600 - rows) * 500] && rest.reachedEnd)
    }

    @Test func `a batch without a good early end takes what there is`() throws {
        let lane = FakeLane()
        for _ in 0..<40 { lane.append([String(repeating: "x", count: 2559)]) }
        lane.append(["odd"])
        for _ in 0..<40 { lane.append([String(repeating: "x", count: 2559)]) }
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        // From here on every second end is 4 bytes above a multiple of 5,120, the others half-way.
        builder.begin(small: false)
        let built = Self.build(&builder, earlyEndBytes: 40 * 2560 + 4)
        let batch = try #require(built)
        #expect(batch.reachedEnd && batch.records.map(\.count) == [80 * 2560 + 4])
    }

    @Test func `a slice of work stays small`() {
        let lane = FakeLane()
        for _ in 0..<400 { lane.append([String(repeating: "x", count: 10_000)]) }
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        builder.begin(small: false)
        var before = 0
        while case .more = builder.advance() {
            #expect(builder.body.rawBytes - before <= BatchBuilder.sliceBytes + 10_001)
            before = builder.body.rawBytes
        }
    }

    @Test func `hits lost in the spool pass the cursor as dropped`() throws {
        let lane = FakeLane()
        lane.append(["a"])
        lane.append(["b"], droppedBefore: 7)
        var builder = BatchBuilder(streamName: "s", source: lane.source)
        builder.begin(small: true)
        _ = Self.build(&builder)
        builder.settle(failed: [])
        #expect(lane.delivered == 2 && lane.dropped == 7)
    }

    /// Random rows, sizes, limits and failures. Firehose's side keeps what it took; in the end it
    /// has every row exactly once, in order within each call, and at no time does the cursor pass a
    /// row that it has not.
    @Test(arguments: 0..<30)
    func `every row arrives whatever fails`(seed: UInt64) throws {
        var random = SeededDice(seed: seed)
        let lane = FakeLane()
        var number = 0
        let recordBytesMax = [300, 2000, 70_000].randomElement(using: &random)!
        var builder = BatchBuilder(
            streamName: "s", source: lane.source, recordBytesMax: recordBytesMax,
            callBytesMax: recordBytesMax * Int.random(in: 1...5, using: &random))
        var arrivals = Data()
        for _ in 0..<8 {
            for _ in 0..<Int.random(in: 0...10, using: &random) {
                let count = [1, 3, 10, recordBytesMax / 200].randomElement(using: &random)!
                lane.append(random.rows(count, from: &number))
            }
            builder.begin(small: Bool.random(using: &random))
            guard let batch = Self.build(&builder) else { continue }
            var outstanding = Array(batch.records.enumerated())
            var arrived = [Data?](repeating: nil, count: outstanding.count)
            while true {
                let failed = outstanding.indices.filter { _ in
                    Int.random(in: 0..<3, using: &random) == 0
                }
                for (at, one) in outstanding.enumerated() where !failed.contains(at) {
                    arrived[one.offset] = one.element
                }
                builder.settle(failed: failed)
                let reached = arrivals + arrived.prefix { $0 != nil }.reduce(Data()) { $0 + $1! }
                let passed = lane.records[..<lane.cursor].flatMap(\.rows)
                #expect(rowsOf(reached).starts(with: passed))
                if failed.isEmpty { break }
                outstanding = failed.map { outstanding[$0] }
                let again = Self.build(&builder)
                #expect(again?.records == outstanding.map(\.element))
                #expect(builder.callRecordCount == outstanding.count)
            }
            for record in arrived { arrivals += record! }
        }
        while true {
            builder.begin(small: true)
            guard let batch = Self.build(&builder) else { break }
            builder.settle(failed: [])
            for record in batch.records { arrivals += record }
        }
        #expect(rowsOf(arrivals) == lane.rows)
        #expect(lane.cursor == lane.records.count && lane.delivered == UInt64(number))
    }
}
