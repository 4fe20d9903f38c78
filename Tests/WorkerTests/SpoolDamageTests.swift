import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// A lane starts and goes on whatever its folder contains.
@Suite struct SpoolDamageTests {
    private static let batches: [UInt64] = [1, 2, 3]
    private static let rows = batches.map { SpoolLane.rows($0, hits: Int($0)) }

    /// Three records, of one, two and three hits, in one segment, none passed, as a death leaves
    /// them: the cursor does not know of them.
    private func threeRecords() throws -> (folder: TemporaryFolder, segment: String) {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder)
        for batch in Self.batches {
            let outcome = lane.append(batch, hits: Int(batch))
            #expect(outcome.isStored)
        }
        return (folder, folder.segments[0])
    }

    @Test func `cut at any byte, whole records survive and the torn one is dropped`() throws {
        let (folder, name) = try threeRecords()
        let whole = folder.bytes(name)
        var ends = [SegmentHead.byteCount]
        for rows in Self.rows { ends.append(ends.last! + SpoolLane.headroom + rows.utf8.count) }
        #expect(ends.last == whole.count)
        let cursor = folder.bytes("cursor")
        for cut in 0...whole.count {
            for name in folder.segments {
                try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            }
            folder.write(Array(whole[..<cut]), to: name)
            folder.write(cursor, to: "cursor")
            var lane = try SpoolLane.open(folder)
            let survivors = ends.dropFirst().filter { $0 <= cut }.count
            #expect(lane.ledger.cumulativeHits == [0, 1, 3, 6][survivors], "cut \(cut)")
            #expect(lane.tornTails == (ends.contains(cut) ? 0 : 1), "cut \(cut)")
            let held = Self.batches.filter { lane.holds(testOrigin, $0) }
            #expect(held == Array(Self.batches[..<survivors]), "cut \(cut)")
            // The torn batch comes again, and a new one.
            for batch in Self.batches[survivors...] {
                let outcome = lane.append(batch, hits: Int(batch))
                #expect(outcome.isStored)
            }
            _ = lane.append(4, hits: 4)
            #expect(lane.drain() == Self.rows + [SpoolLane.rows(4, hits: 4)], "cut \(cut)")
            let ledger = lane.ledger
            #expect(ledger.delivered == 10 && ledger.dropped == 0 && ledger.undelivered == 0)
        }
    }

    @Test func `with any bit of a segment flipped, at most one record is lost, and counted`() throws
    {
        let (folder, name) = try threeRecords()
        let whole = folder.bytes(name)
        let cursor = folder.bytes("cursor")
        // The head is covered bit by bit in CoreTests: here, its fields and a sample of the rest.
        let head = Array(0..<48 * 8) + Array(stride(from: 48 * 8, to: 4096 * 8, by: 997))
        for bit in head + Array(4096 * 8..<whole.count * 8) {
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            for name in folder.segments where name != "" {
                try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
            }
            folder.write(bytes, to: name)
            folder.write(cursor, to: "cursor")
            var lane = try SpoolLane.open(folder)
            _ = lane.append(4, hits: 4)
            let expected = Self.rows + [SpoolLane.rows(4, hits: 4)]
            let got = lane.drain()
            let lost = expected.filter { !got.contains($0) }
            #expect(got == expected.filter { !lost.contains($0) }, "bit \(bit)")
            #expect(lost.count == (bit < 4096 * 8 ? 0 : 1), "bit \(bit)")
            let ledger = lane.ledger
            let lostHits = lost.first.map { expected.firstIndex(of: $0)! + 1 } ?? 0
            if lost.first == Self.rows[2] {
                // Nothing valid comes after it in the only segment: as good as a torn tail.
                #expect(ledger.cumulativeHits == 7 && ledger.delivered == 7, "bit \(bit)")
                #expect(lane.tornTails == 1, "bit \(bit)")
            } else {
                #expect(ledger.cumulativeHits == 10 && ledger.delivered == 10 - UInt64(lostHits))
                #expect(ledger.dropped == lostHits, "bit \(bit)")
                #expect(lane.recordsUnreadable == (lostHits > 0 ? 1 : 0), "bit \(bit)")
            }
        }
    }

    @Test func `with any bit of the cursor flipped, nothing is lost and the ledger closes`() throws
    {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder)
        for batch in Self.batches { _ = lane.append(batch, hits: Int(batch)) }
        for _ in 0..<2 { lane.commit(lane.take()!) }
        lane.close()
        let cursor = folder.bytes("cursor")
        for bit in 0..<cursor.count * 8 {
            var bytes = cursor
            bytes[bit / 8] ^= 1 << (bit % 8)
            folder.write(bytes, to: "cursor")
            var lane = try SpoolLane.open(folder)
            let got = lane.drain()
            #expect(got == Array(Self.rows[1...]) || got == [Self.rows[2]], "bit \(bit)")
            let ledger = lane.ledger
            #expect(ledger.cumulativeHits == 6 && ledger.delivered == 6, "bit \(bit)")
        }
    }

    @Test func `damage found while running is counted once, though read twice`() throws {
        let (folder, name) = try threeRecords()
        var lane = try SpoolLane.open(folder)
        _ = lane.append(4, hits: 4)
        var bytes = folder.bytes(name)
        bytes[SegmentHead.byteCount + SpoolLane.headroom + Self.rows[0].utf8.count + 70] ^= 1
        folder.write(bytes, to: name)
        for _ in 0..<3 {
            lane.rewind()
            #expect(lane.takeAll().map(\.droppedBefore) == [0, 2, 0])
        }
        #expect(lane.recordsUnreadable == 1)
        lane.rewind()
        _ = lane.drain()
        let ledger = lane.ledger
        #expect(ledger.delivered == 8 && ledger.dropped == 2 && ledger.undelivered == 0)
    }

    @Test func `damage to the very last record is given up once all before it is passed`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder)
        for batch in Self.batches { _ = lane.append(batch, hits: Int(batch)) }
        let name = folder.segments[0]
        let file = FileHandle(forWritingAtPath: "\(folder.path)/\(name)")!
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(folder.bytes(name).count - 3))
        try file.write(contentsOf: Data([0]))
        let reads = lane.takeAll()
        #expect(reads.count == 2 && lane.undeliveredHits == 6)
        for read in reads { lane.commit(read) }
        #expect(lane.take() == nil)
        let ledger = lane.ledger
        #expect(ledger.dropped == 3 && ledger.undelivered == 0)
        lane = try SpoolLane.open(folder)
        #expect(lane.ledger == ledger)
    }

    @Test func `zeros, garbage and a huge length at the tail are skipped`() throws {
        var random = SeededDice(seed: 4)
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        let noise = (0..<300 << 10).map { _ in UInt8.random(in: 0...255, using: &random) }
        let magics = [[UInt8]](repeating: [0x48, 0, 0xFF, 0x52, 1, 1], count: 500).flatMap { $0 }
        let longest =
            [0x48, 0, 0xFF, 0x52, 1, 1, 1, 0, 0, 0, 0x40, 0]
            + [UInt8](repeating: 0, count: 20) + [1] + [UInt8](repeating: 0, count: 23)
        for tail in [zeros, noise, magics, longest, [0x48], [0x48, 0, 0xFF, 0x52]] {
            let (folder, name) = try threeRecords()
            let bytes = folder.bytes(name)
            // Once at the tail, once between the records.
            let middle = SegmentHead.byteCount + SpoolLane.headroom + Self.rows[0].utf8.count
            for place in [bytes.count, middle] {
                folder.write(Array(bytes[..<place]) + tail + Array(bytes[place...]), to: name)
                var lane = try SpoolLane.open(folder)
                #expect(lane.tornTails == (place == middle ? 0 : 1))
                #expect(lane.takeAll().map(\.rows) == Self.rows)
                let held = Self.batches.filter { lane.holds(testOrigin, $0) }
                #expect(held == Self.batches)
            }
        }
    }

    @Test func `what is not ours is left alone, or renamed where it is in the way`() throws {
        let folder = TemporaryFolder()
        let manager = FileManager.default
        var lane = try SpoolLane.open(folder)
        lane.store(1...2)
        lane.close()
        folder.write([1, 2, 3], to: "README")
        folder.write([], to: "x.segment")
        folder.write([UInt8](repeating: 7, count: 9000), to: LaneFolder.name(of: 3))
        try manager.createDirectory(
            atPath: folder.path + "/" + LaneFolder.name(of: 4), withIntermediateDirectories: false)
        try manager.createSymbolicLink(
            atPath: folder.path + "/" + LaneFolder.name(of: 5),
            withDestinationPath: LaneFolder.name(of: 1))
        #expect(mkfifo(folder.path + "/" + LaneFolder.name(of: 6), 0o600) == 0)
        lane = try SpoolLane.open(folder)
        lane.store(3...3)
        #expect(lane.filesIgnored == 5)
        #expect(folder.segments.last == LaneFolder.name(of: 7))
        #expect(lane.drain() == (1...3).map { SpoolLane.rows($0, hits: 1) })
        lane.close()
        try manager.removeItem(atPath: folder.path + "/cursor")
        try manager.createDirectory(
            atPath: folder.path + "/cursor", withIntermediateDirectories: false)
        lane = try SpoolLane.open(folder)
        lane.store(4...4)
        #expect(lane.drain().last == SpoolLane.rows(4, hits: 1))
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 4 && ledger.delivered == 4)
    }

    @Test func `segments under each other's names, or of another lane, are not delivered twice`()
        throws
    {
        let folder = TemporaryFolder()
        let other = TemporaryFolder()
        var bad = try SpoolLane.open(other, lane: .bad)
        bad.store(1...1)
        bad.close()
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        lane.store(1...4, padding: 40 << 10)
        let names = folder.segments
        #expect(names.count == 4)
        lane.close()
        let (second, third) = (folder.bytes(names[1]), folder.bytes(names[2]))
        folder.write(third, to: names[1])
        folder.write(second, to: names[2])
        folder.write(other.bytes(other.segments[0]), to: LaneFolder.name(of: 9))
        lane = try SpoolLane.open(folder)
        #expect(lane.takeAll().map(\.droppedBefore) == [0, 2])
        lane.rewind()
        #expect(lane.drain().count == 2)
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 4 && ledger.delivered == 2 && ledger.dropped == 2)
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(kept.filter { $0.contains(".foreign-") }.count == 3)
    }

    @Test func `a missing segment is a gap that is counted, wherever it was`() throws {
        for missing in 0..<3 {
            let folder = TemporaryFolder()
            var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
            lane.store(1...4, hits: 2, padding: 30 << 10)
            lane.commit(lane.take()!)
            lane.close()
            let names = folder.segments
            #expect(names.count == 3)
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(names[missing])")
            lane = try SpoolLane.open(folder)
            lane.store(5...5)
            #expect(lane.drain().last == SpoolLane.rows(5, hits: 1))
            let ledger = lane.ledger
            #expect(ledger.undelivered == 0)
            #expect(ledger.cumulativeHits == ledger.delivered + ledger.dropped)
            #expect(ledger.cumulativeHits >= 3)
        }
    }

    @Test func `without a cursor all that is left is delivered again`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        lane.store(1...6, padding: 28 << 10)
        for _ in 0..<3 { lane.commit(lane.take()!) }
        lane.close()
        #expect(folder.segments.count == 2)
        try FileManager.default.removeItem(atPath: folder.path + "/cursor")
        lane = try SpoolLane.open(folder)
        var ledger = lane.ledger
        #expect(ledger.cumulativeHits == 6 && ledger.delivered == 2 && ledger.undelivered == 4)
        #expect(lane.drain() == (3...6).map { SpoolLane.rows($0, hits: 1, padding: 28 << 10) })
        ledger = lane.ledger
        #expect(ledger.delivered == 6 && ledger.dropped == 0)
    }

    @Test func `a cursor ahead of the data is never appended under`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder)
        lane.store(1...5)
        #expect(lane.drain().count == 5)
        lane.close()
        var cursor = SpoolCursor(lane: .good, shard: 0)
        cursor.generation = 100
        cursor.position = SpoolPosition(segment: 40, offset: 1 << 30)
        cursor.delivered = 50
        cursor.cumulativeHits = 60
        var bytes = [UInt8](repeating: 0, count: SpoolCursor.fileBytes)
        bytes.withUnsafeMutableBytes { cursor.write(to: $0.baseAddress!) }
        folder.write(bytes, to: "cursor")
        lane = try SpoolLane.open(folder)
        lane.store(6...6)
        #expect(folder.segments.last == LaneFolder.name(of: 41))
        let read = lane.take()
        #expect(read?.rows == SpoolLane.rows(6, hits: 1) && read?.droppedBefore == 10)
        lane.commit(read!)
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 61 && ledger.delivered == 51 && ledger.dropped == 10)
    }

    @Test func `with the newest head torn the one before knows the batches`() throws {
        let (folder, name) = try threeRecords()
        var lane = try SpoolLane.open(folder)
        lane.store(4...5)
        lane.close()
        var bytes = folder.bytes(folder.segments[1])
        bytes[700] ^= 1
        folder.write(bytes, to: folder.segments[1])
        folder.write(Array(bytes[..<10]), to: LaneFolder.name(of: 3))
        folder.write([], to: LaneFolder.name(of: 4))
        #expect(name == LaneFolder.name(of: 1))
        lane = try SpoolLane.open(folder)
        let held = (0...6).filter { lane.holds(testOrigin, $0) }
        #expect(held == [1, 2, 3, 4, 5])
        #expect(lane.ledger.cumulativeHits == 8)
        lane.store(6...6)
        #expect(folder.segments.last == LaneFolder.name(of: 5))
        #expect(lane.drain().count == 6)
    }

    @Test func `a segment that is cut behind its reader's back costs what was cut`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder, segmentBytes: 1 << 20)
        lane.store(1...60, padding: 20 << 10)
        #expect(lane.take() != nil)
        let path = folder.path + "/" + folder.segments[0]
        #expect(truncate(path, 600 << 10) == 0)
        let reads = lane.takeAll()
        // Those in the cut part, but for what the reader had in its buffer.
        let lost = reads.reduce(0) { $0 + $1.droppedBefore }
        #expect(lost > 15 && lost < 30 && reads.count == 59 - Int(lost))
        #expect(reads.last?.rows == SpoolLane.rows(60, hits: 1, padding: 20 << 10))
    }

    /// Whatever is done to the files: no crash, no refusal, only rows that were written, none
    /// twice in one life, and a ledger that closes.
    @Test(arguments: 0..<15)
    func `no damage stops a lane or makes it tell an untruth`(seed: Int) throws {
        var random = SeededDice(seed: UInt64(seed))
        let folder = TemporaryFolder()
        var sequence: UInt64 = 0
        var written: Set<String> = []
        for _ in 0..<8 {
            var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
            var seen: Set<String> = []
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                sequence += 1
                let (hits, padding) = (Int(sequence % 4 + 1), Int(sequence * 997 % 5000))
                written.insert(SpoolLane.rows(sequence, hits: hits, padding: padding))
                let outcome = lane.append(sequence, hits: hits, padding: padding)
                #expect(outcome.isStored)
                if Int.random(in: 0..<20, using: &random) == 0 { Self.damage(folder, &random) }
                guard Bool.random(using: &random), let read = lane.take() else { continue }
                #expect(written.contains(read.rows))
                #expect(seen.insert(read.rows).inserted)
                lane.commit(read)
            }
            if Bool.random(using: &random) {
                _ = lane.drain()
                #expect(lane.readFailure == nil && lane.undeliveredHits == 0)
            }
            #expect(lane.ledger.cumulativeHits >= lane.cursor.passed)
            lane.close()
            for _ in 0..<Int.random(in: 0...3, using: &random) { Self.damage(folder, &random) }
            _ = try LaneRecovery(folder: LaneFolder(path: folder.path), lane: .good, shard: 0)
        }
    }

    /// One mishap to one file.
    private static func damage(_ folder: TemporaryFolder, _ random: inout SeededDice) {
        let manager = FileManager.default
        let names = try! manager.contentsOfDirectory(atPath: folder.path).sorted()
        guard let name = names.randomElement(using: &random) else { return }
        let path = "\(folder.path)/\(name)"
        guard var bytes = manager.contents(atPath: path).map({ [UInt8]($0) }) else { return }
        let other = folder.path + "/" + names.randomElement(using: &random)!
        switch Int.random(in: 0..<8, using: &random) {
        case 0: try? manager.removeItem(atPath: path)
        case 1: _ = truncate(path, off_t(Int.random(in: 0...bytes.count, using: &random)))
        case 2:
            let file = FileHandle(forWritingAtPath: path)!
            defer { try? file.close() }
            try! file.seek(toOffset: UInt64(bytes.count))
            try! file.write(
                contentsOf: Data((0..<500).map { _ in UInt8.random(in: 0...255, using: &random) }))
        case 3:
            guard path != other else { return }
            try? manager.removeItem(atPath: other)
            try? manager.copyItem(atPath: path, toPath: other)
        case 4:
            try? manager.moveItem(
                atPath: path,
                toPath: folder.path + "/"
                    + LaneFolder.name(of: UInt64.random(in: 1...50, using: &random)))
        case 5:
            try? manager.removeItem(atPath: path)
            try? manager.createDirectory(atPath: path, withIntermediateDirectories: false)
        default:
            guard !bytes.isEmpty else { return }
            for _ in 0..<Int.random(in: 1...9, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            // In place, as a failing disk would.
            let file = FileHandle(forWritingAtPath: path)!
            defer { try? file.close() }
            try! file.write(contentsOf: Data(bytes))
        }
    }

    @Test func `hits whose bytes a power cut took, all of them, are given up, not waited for`()
        throws
    {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder)
        lane.store(1...2)
        lane.writeCursor()
        for name in folder.segments { folder.write([], to: name) }
        lane = try SpoolLane.open(folder)
        #expect(lane.undeliveredHits == 2 && lane.byteCount == 0)
        let load = lane.loadToDeliver
        #expect(load.bytes > 0, "or nothing would ever look")
        #expect(lane.take() == nil)
        let ledger = lane.ledger
        #expect(ledger.undelivered == 0 && ledger.dropped == 2)
        #expect(lane.loadToDeliver == RowLoad())
    }

    @Test func `a stray file with a huge number does not use up the numbers`() throws {
        let folder = TemporaryFolder()
        do {
            var lane = try SpoolLane.open(folder)
            lane.store(1...3)
        }
        try FileManager.default.copyItem(
            atPath: "\(folder.path)/0000000000000001.segment",
            toPath: "\(folder.path)/9999999999999999.segment")
        var lane = try SpoolLane.open(folder)
        lane.store(4...6)
        #expect(lane.drain().count == 6)
        #expect(lane.ledger.dropped == 0)
    }
}
