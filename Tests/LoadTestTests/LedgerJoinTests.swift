import Core
import Foundation
import TestSupport
import Testing

@testable import LoadTest

@Suite struct LedgerJoinTests {
    private let scratch = LedgerScratch()
    private let maker = RowMaker()

    @Test func `planted losses, duplicates and bad rows are found exactly`() throws {
        // 0 …< 20 acked; 20 …< 24 answered 400; 24 …< 28 refused; 28 a 404; 29, 30, 31 no answer.
        try scratch.writeLedger(
            (0..<20).map { entry($0, $0 == 3 ? 302 : 200) } + (20..<24).map { entry($0, 400) }
                + (24..<28).map { entry($0, 503) } + [entry(28, 404)]
                + [entry(29, 0), entry(30, 1), entry(31, 2)])
        // Objects: 0 …< 10, of which 2 twice with one id and 3 with two ids; a bad row of 20.
        scratch.writeObject(
            (0..<6).map { maker.good($0, id: $0) } + [
                maker.good(2, id: 2), maker.good(3, id: 103),
            ],
            "var/s3/bucket/good/2026/11/23/a.gz")
        scratch.writeObject(
            (6..<10).map { maker.good($0, id: $0) }
                + [
                    maker.good(2, id: 2), Array("{\"id\":\"x\"}\n".utf8),
                    maker.good(1, id: 1, run: 5),
                ],
            "var/s3/bucket/good/2026/11/23/b.gz")
        scratch.writeObject([maker.bad(20, id: 20)], "var/s3/bucket/bad/2026/11/23/c.gz")
        // Being written: not an object yet.
        scratch.write(gzipped(maker.good(17, id: 17)), "var/s3/bucket/good/2026/11/23/.d.gz.part")
        // Spool: 9 again (just delivered), 10, 11; the cursor has passed 16. A bad row of 21.
        let ends = scratch.writeSegment([
            [maker.good(16, id: 16)], [maker.good(9, id: 9), maker.good(10, id: 10)],
            [maker.good(11, id: 11)],
        ])
        scratch.writeCursor(SpoolPosition(segment: 1, offset: UInt64(ends[0])))
        _ = scratch.writeSegment([[maker.bad(21, id: 21)]], shard: 1, lane: .bad)
        // Buffers: 12, 13, and 24, which was refused and yet stored; 40 was never recorded.
        scratch.writeBuffer(
            [[maker.good(12, id: 12)], [maker.good(13, id: 13), maker.good(24, id: 24)]],
            "var/local/streams/good/buffer-0000000001-2026-11-23-01-02-03-x")
        scratch.writeBuffer(
            [[maker.good(40, id: 40), maker.good(30, id: 30)]],
            "var/local/streams/good/buffer-0000000002-2026-11-23-01-02-03-x")
        // 14 was acked, and its row is a bad one; 22 was answered 400, and its row is a good one.
        _ = scratch.writeSegment([[maker.bad(14, id: 14)]], lane: .bad)
        _ = scratch.writeSegment([[maker.good(22, id: 22)]], shard: 1)

        let found = try scratch.report(against: ["var"])
        #expect(found.sent == 32)
        #expect(found.acked == 20)
        #expect(found.ackedBad == 4)
        #expect(found.refused == 4)
        #expect(found.otherAnswers == 1)
        #expect(found.unanswered == 3)
        #expect(found.delivered == 10)
        #expect(found.spooled == 4)
        #expect(found.bad == 3)
        #expect(found.badSpooled == 2)
        // 15, 16, 17, 18, 19; 22, 23.
        #expect(found.lost == 7)
        #expect(found.lostExamples.count == 7)
        #expect(
            found.lostExamples[0]
                == "0a0b0c0d-000000000f, answered 200, sent 2026-11-23 01:02:03.138 UTC")
        #expect(
            found.lostExamples.map { String($0.prefix(19)) }
                == ([15, 16, 17, 18, 19, 22, 23]).map { label($0) })
        #expect(found.resent == 2)
        #expect(found.retried == 1)
        #expect(found.duplicated == 3)
        #expect(found.unpromisedKept == 2)
        #expect(found.refusedKept == 1)
        #expect(found.unansweredKept == 1)
        #expect(found.unrecorded == 1)
        #expect(found.foreign == 2)
        #expect(found.closes)
        #expect(found.unreadable == [])
        #expect(found.notes == ["1 of the lost were answered 400, and their rows are good ones"])
    }

    @Test func `a warehouse is read beside objects, and a row in both is one row`() throws {
        try scratch.writeLedger((0..<6).map { entry($0, $0 < 4 ? 200 : 400) })
        let extra = { (n: UInt64) in "{\"z\":\"1\",\"_hl\":\"\(label(n))\"}" }
        let raw = Data("/p.gif?_hl=\(label(4))".utf8).base64EncodedString()
        scratch.writeWarehouse(
            good: [
                (idText(0), extra(0)), (idText(1), extra(1)), (idText(1), extra(1)),
                (idText(77), "{}"),
            ],
            bad: [(idText(4), raw)], "warehouse.db")
        scratch.writeObject(
            [0, 1, 2].map { maker.good($0, id: $0) } + [maker.good(1, id: 1)], "s3/a.gz")
        let both = try scratch.report(against: ["warehouse.db", "s3"])
        #expect(both.delivered == 3)
        #expect(both.bad == 1)
        #expect(both.lost == 2)
        #expect(both.resent == 1)
        #expect(both.retried == 0)
        #expect(both.foreign == 1)
        let one = try scratch.report(against: ["warehouse.db"])
        #expect(one.delivered == 2)
        #expect(one.bad == 1)
        #expect(one.lost == 3)
        #expect(one.resent == 1)
        #expect(one.isComplete && both.isComplete)
    }

    @Test func `several generators and several runs are joined`() throws {
        try scratch.writeLedger((0..<10).filter { $0 % 2 == 0 }.map { entry($0, 200) }, "a.ledger")
        // The other host started 2 s later.
        try scratch.writeLedger(
            (0..<10).filter { $0 % 2 == 1 }.map { entry($0, 200) } + [entry(4, 0)], "b.ledger",
            startMicroseconds: 1_795_395_725_123_456)
        try scratch.writeLedger([entry(0, 200)], run: 6, "c.ledger")
        scratch.writeObject(
            (0..<7).map { maker.good($0, id: $0) } + [maker.good(0, id: 50, run: 6)], "s3/a.gz")
        let found = try scratch.report(
            ["a.ledger", "b.ledger", "c.ledger", "a.ledger"], against: ["s3", "s3/a.gz"])
        #expect(found.sent == 11)
        #expect(found.acked == 11)
        #expect(found.delivered == 8)
        #expect(found.lost == 3)
        #expect(found.duplicated == 0)
        #expect(found.runs == ["0a0b0c0d", "00000006"])
        #expect(found.lostExamples[0].hasSuffix("sent 2026-11-23 01:02:05.130 UTC"))
        #expect(found.lostExamples[1].hasSuffix("sent 2026-11-23 01:02:03.131 UTC"))
        #expect(found.notes.contains { $0.contains("1 ledger entries repeat") })
        let alone = try scratch.report(["a.ledger"], against: ["s3"])
        #expect(alone.unrecorded == 3)
        #expect(alone.foreign == 1)
    }

    @Test func `what cannot be read is named, and the rest is read`() throws {
        try scratch.writeLedger((0..<4).map { entry($0, 200) })
        let whole = gzipped(maker.good(0, id: 0) + maker.good(1, id: 1))
        scratch.write(whole, "s3/a.gz")
        let noise = (0..<400_000).map { maker.good(2, id: UInt64($0 % 7)).count + $0 }
        let long = gzipped(
            maker.good(2, id: 2) + noise.flatMap { Array("{\"x\":\($0 &* 7919)}\n".utf8) })
        scratch.write(Array(long.prefix(long.count / 2)), "s3/b.gz")
        scratch.write([0x28, 0xB5, 0x2F, 0xFD, 1, 2, 3], "s3/c.zst")
        scratch.write(Array("SQLite format 3\0rubbish".utf8), "s3/d.db")
        scratch.write(maker.good(3, id: 3), "s3/e")
        let found = try scratch.report(against: ["s3"])
        #expect(found.delivered == 4)
        #expect(!found.isComplete)
        #expect(found.unreadable.count == 3)
        for (name, words) in [
            ("b.gz", "breaks off"), ("c.zst", "zstd"), ("d.db", "file is not a database"),
        ] {
            #expect(
                found.unreadable.contains { $0.contains("/\(name): ") && $0.contains(words) },
                "\(name) in \(found.unreadable)")
        }
    }

    @Test func `a spool cut at every byte gives its whole records`() throws {
        try scratch.writeLedger((0..<4).map { entry($0, 200) })
        let ends = scratch.writeSegment((0..<4).map { [maker.good($0, id: $0)] })
        let name = "var/spool/shard-0/good/0000000000000001.segment"
        let whole = scratch.bytes(name)
        for cut in stride(from: SegmentHead.byteCount, through: whole.count, by: 1) {
            scratch.write(Array(whole[..<cut]), name)
            let found = try scratch.report(against: ["var"])
            #expect(found.spooled == UInt64(ends.filter { $0 <= cut }.count))
            #expect(found.isComplete)
        }
    }

    @Test func `damage in a spool costs its record, and is told`() throws {
        try scratch.writeLedger((0..<300).map { entry($0, 200) })
        let ends = scratch.writeSegment((0..<300).map { [maker.good($0, id: $0)] })
        let name = "var/spool/shard-0/good/0000000000000001.segment"
        var bytes = scratch.bytes(name)
        bytes[ends[9] + 80] ^= 0xFF
        bytes[ends[200]] ^= 0xFF
        scratch.write(bytes, name)
        let found = try scratch.report(against: ["var"])
        #expect(found.lostExamples.map { String($0.prefix(19)) } == [label(10), label(201)])
        let damaged = ends[10] - ends[9] + ends[201] - ends[200]
        #expect(found.notes.contains { $0.hasSuffix("\(damaged) bytes are damaged, passed over") })
    }

    @Test func `a torn buffer gives its whole calls`() throws {
        try scratch.writeLedger((0..<3).map { entry($0, 200) })
        let name = "var/local/streams/good/buffer-0000000001-2026-11-23-01-02-03-x"
        scratch.writeBuffer((0..<3).map { [maker.good($0, id: $0)] }, name)
        let whole = scratch.bytes(name)
        let call = BufferFrame.byteCount + maker.good(0, id: 0).count
        for cut in 0...whole.count {
            scratch.write(Array(whole[..<cut]), name)
            #expect(try scratch.report(against: ["var"]).spooled == UInt64(cut / call))
        }
    }

    @Test func `a spool elsewhere is found by the settings, or given by itself`() throws {
        try scratch.writeLedger([entry(0, 200)])
        _ = scratch.writeSegment([[maker.good(0, id: 0)]], data: "elsewhere")
        scratch.write([], "var/s3/empty")
        scratch.write(
            Array("[spool]\ndir = \"\(scratch.path)/elsewhere/spool\"\n".utf8),
            "var/run/settings.toml")
        #expect(try scratch.report(against: ["var"]).spooled == 1)
        scratch.remove("var/run/settings.toml")
        #expect(try scratch.report(against: ["var"]).lost == 1)
        for path in ["elsewhere", "elsewhere/spool", "elsewhere/spool/shard-0"] {
            if path.hasSuffix("shard-0") { scratch.write([], "elsewhere/spool/shard-0/bad/cursor") }
            #expect(try scratch.report(against: ["var", path]).spooled == 1, "\(path)")
        }
    }

    @Test func `sequences far apart cost memory only as they come`() throws {
        let far = (0..<5000).map { HitLabel.sequenceMax - $0 * 200_000_003 }
        try scratch.writeLedger(far.map { entry($0, 200) } + (0..<1000).map { entry($0, 200) })
        let lines = far.dropFirst(10).map {
            "{\"id\":\"\(idText($0))\",\"extra\":{\"_hl\":\"\(label($0))\"}}\n"
        }
        scratch.write(Array(lines.joined().utf8), "rows")
        let found = try scratch.report(against: ["rows"])
        #expect(found.sent == 6000)
        #expect(found.delivered == 4990)
        #expect(found.lost == 1010)
        #expect(found.closes)
    }

    @Test func `every lost request can be listed`() throws {
        try scratch.writeLedger((0..<5000).map { entry($0, 200) })
        scratch.write(maker.good(17, id: 17), "rows")
        let found = try LedgerJoin.report(
            ledgers: [scratch.path + "/run.ledger"], against: [scratch.path + "/rows"],
            lostTo: scratch.path + "/lost.txt")
        let lines = String(decoding: scratch.bytes("lost.txt"), as: UTF8.self).split(
            separator: "\n")
        #expect(found.lost == 4999)
        #expect(lines.count == 4999)
        #expect(lines.prefix(10).map(String.init) == found.lostExamples)
        #expect(!lines.contains { $0.hasPrefix(label(17)) })
    }

    @Test func `progress goes from nothing to all`() throws {
        try scratch.writeLedger((0..<400_000).map { entry($0, 200) })
        scratch.write(maker.good(1, id: 1), "rows")
        let told = Told()
        _ = try LedgerJoin.report(
            ledgers: [scratch.path + "/run.ledger"], against: [scratch.path + "/rows"]
        ) { told.values.append($0) }
        #expect(told.values.count > 1)
        #expect(told.values == told.values.sorted())
        #expect(told.values.last == 1)
        #expect(told.values.allSatisfy { (0...1).contains($0) })
    }

    private final class Told { var values: [Double] = [] }
}
