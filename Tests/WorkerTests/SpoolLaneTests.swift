import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

@Suite struct SpoolLaneTests {
    private let folder = TemporaryFolder()

    @Test func `what is appended is read in order, and once more after a rewind`() throws {
        var lane = try SpoolLane.open(folder)
        lane.store(1...3, hits: 2)
        let first = lane.takeAll()
        #expect(first.map(\.rows) == (1...3).map { SpoolLane.rows($0, hits: 2) })
        #expect(first.map(\.droppedBefore) == [0, 0, 0])
        lane.store(4...4)
        #expect(lane.take()?.rows == SpoolLane.rows(4, hits: 1))
        lane.rewind()
        let again = lane.takeAll().map(\.rows)
        #expect(again.count == 4 && again[0] == first[0].rows)
        #expect(lane.undeliveredHits == 7)
    }

    @Test func `a lane that is opened again goes on behind its cursor in a new segment`() throws {
        var lane = try SpoolLane.open(folder)
        lane.store(1...3)
        let first = lane.take()!
        lane.commit(first)
        lane.close()
        lane = try SpoolLane.open(folder)
        lane.store(4...4)
        #expect(folder.segments.count == 2)
        #expect(lane.drain() == (2...4).map { SpoolLane.rows($0, hits: 1) })
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 4 && ledger.delivered == 4 && ledger.undelivered == 0)
    }

    @Test func `segments rotate at their size and are deleted once passed, the newest kept`() throws
    {
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        lane.store(1...50, padding: 4096)
        #expect(folder.segments.count == 4)
        let bytes = lane.ledger.byteCount
        let onDisk = folder.segments.reduce(0) { $0 + folder.bytes($1).count }
        #expect(bytes == onDisk)
        var rows: [String] = []
        while let read = lane.take() {
            rows.append(read.rows)
            lane.commit(read)
        }
        #expect(rows == (1...50).map { SpoolLane.rows($0, hits: 1, padding: 4096) })
        #expect(folder.segments.count == 1)
        let left = lane.ledger.byteCount
        #expect(left == folder.bytes(folder.segments[0]).count)
    }

    @Test func `a record larger than a segment and than the reader's buffer passes whole`() throws {
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        lane.store(1...1)
        lane.store(2...2, padding: SpoolRecordHeader.payloadBytesMax - 100)
        lane.store(3...3)
        #expect(lane.drain().map(\.utf8.count) == [14, SpoolRecordHeader.payloadBytesMax - 86, 14])
        let tooLarge = lane.append(4, padding: SpoolRecordHeader.payloadBytesMax)
        #expect(tooLarge.failure == EMSGSIZE)
        let empty = lane.append(4, hits: 0)
        #expect(empty.failure == EMSGSIZE)
    }

    @Test func `the oldest undelivered hit is known at every moment`() throws {
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        var oldest: [UInt64] = [lane.oldestUndeliveredMicroseconds]
        for sequence: UInt64 in 1...3 {
            let outcome = lane.append(sequence, padding: 40 << 10, receivedAt: 100 + sequence)
            #expect(outcome.isStored)
            oldest.append(lane.oldestUndeliveredMicroseconds)
        }
        for read in lane.takeAll() {
            lane.commit(read)
            oldest.append(lane.oldestUndeliveredMicroseconds)
        }
        #expect(oldest == [0, 101, 101, 101, 102, 103, 0])
        _ = lane.append(4, receivedAt: 104)
        lane = try SpoolLane.open(folder)
        #expect(lane.oldestUndeliveredMicroseconds == 104)
    }

    @Test func `a moved row is in the lane's count and in that of moved ones`() throws {
        var lane = try SpoolLane.open(folder, lane: .bad, segmentBytes: 64 << 10)
        _ = lane.append(1, hits: 3)
        _ = lane.append(2, hits: 5, kind: .moved)
        _ = lane.append(3, padding: 64 << 10)
        _ = lane.append(4, hits: 7, kind: .moved)
        for _ in 0..<2 {
            let ledger = lane.ledger
            #expect(ledger.cumulativeHits == 16 && ledger.cumulativeMoved == 12)
            lane = try SpoolLane.open(folder, lane: .bad)
        }
    }

    // MARK: Batches that come again

    @Test func `a batch that comes again is recognised, in this life and the next ones`() throws {
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        for life in 0..<4 {
            let base = UInt64(life) * 50
            // Every third batch has no row for this lane. Rotates on the way.
            for sequence in base..<base + 50 where sequence % 3 != 0 {
                let outcome = lane.append(sequence, padding: 4096)
                #expect(outcome.isStored)
            }
            var held = (0..<base + 60).filter { lane.holds(testOrigin, $0) }
            #expect(held == (0..<base + 50).filter { $0 % 3 != 0 })
            if life == 2 { _ = lane.drain() }
            lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
            held = (0..<base + 60).filter { lane.holds(testOrigin, $0) }
            #expect(held == (0..<base + 50).filter { $0 % 3 != 0 })
            let stranger = lane.holds(Origin(slot: 3, incarnation: 78), 1)
            #expect(!stranger)
        }
    }

    @Test func `a batch that was refused is not taken for held because a later one is`() throws {
        let disk = FaultyDisk()
        var lane = try SpoolLane.open(folder, files: disk.files)
        lane.store(1...1)
        disk.answer = { $0 == .write ? ENOSPC : 0 }
        let refused = lane.append(2)
        #expect(refused.failure == ENOSPC)
        disk.answer = { _ in 0 }
        lane.store(3...3)
        lane = try SpoolLane.open(folder)
        let held = (0...4).filter { lane.holds(testOrigin, $0) }
        #expect(held == [1, 3])
        lane.store(2...2)
        #expect(lane.drain() == [1, 3, 2].map { SpoolLane.rows($0, hits: 1) })
        withExtendedLifetime(disk) {}
    }

    // MARK: The cap

    @Test func `at its cap a lane is full until delivery frees a segment`() throws {
        var lane = try SpoolLane.open(folder, bytesMax: 256 << 10)
        var sequence: UInt64 = 1
        func fill() {
            while true {
                let outcome = lane.append(sequence, padding: 8 << 10)
                if !outcome.isStored {
                    #expect(outcome.isFull)
                    return
                }
                sequence += 1
            }
        }
        fill()
        let bytes = lane.ledger.byteCount
        #expect(bytes >= 256 << 10 && bytes < 272 << 10)
        let small = lane.append(1000)
        #expect(small.isFull)
        for round in 0..<20 {
            let before = sequence
            for _ in 0..<9 { lane.commit(lane.take()!) }
            fill()
            #expect(sequence > before, "round \(round)")
        }
        // Also when all that fills it lies in segments that are passed whole.
        let drained = lane.drain()
        #expect(!drained.isEmpty)
        fill()
        let refilled = lane.ledger
        #expect(refilled.undelivered > 10)
        #expect(refilled.byteCount < 272 << 10)
    }

    @Test func `a cap smaller than a segment does not stick`() throws {
        var lane = try SpoolLane.open(folder, bytesMax: 20 << 10)
        for sequence: UInt64 in 1...10 {
            let outcome = lane.append(sequence, padding: 20 << 10)
            #expect(outcome.isStored)
            let second = lane.append(1000 + sequence)
            #expect(second.isFull)
            #expect(lane.drain().count == 1)
        }
        #expect(folder.segments.count == 1)
    }

    // MARK: One owner, and a look from outside

    @Test func `a second open is refused and names the holder`() throws {
        func open() throws -> Int {
            let spool = try ShardSpool.open(
                spoolFolder: folder.path, shard: 2, bytesMax: 1 << 20, badBytesMax: 1 << 20,
                segmentBytes: 1 << 20)
            return spool.ledger.closes ? 1 : 0
        }
        func openFreed() throws -> Int {
            let spool = try ShardSpool.openFreed(
                spoolFolder: folder.path, shard: 2, bytesMax: 1 << 20, badBytesMax: 1 << 20,
                segmentBytes: 1 << 20)
            return spool.ledger.closes ? 1 : 0
        }
        do {
            var spool = try ShardSpool.open(
                spoolFolder: folder.path, shard: 2, bytesMax: 1 << 20, badBytesMax: 1 << 20,
                segmentBytes: 1 << 20)
            let error = #expect(throws: SpoolError.self) { try open() }
            #expect("\(error!)".contains("in use by process \(processId())"))
            spool.close()
            #expect(try openFreed() == 1)
        }
        #expect(try openFreed() == 1)
    }

    @Test func `another process is refused too`() throws {
        let shard = ShardSpool.folder(spoolFolder: folder.path, shard: 0)
        try FileManager.default.createDirectory(atPath: shard, withIntermediateDirectories: true)
        let word = folder.path + "/holds"
        let holder = try SpawnedProcess(
            "sh",
            [
                "-c",
                "exec 9<>\(shard)/lock; flock -x 9; echo 4242 >&9; touch \(word); exec sleep 600",
            ])
        defer { holder.endNow() }
        let isHeld = eventually(within: 20) { FileManager.default.fileExists(atPath: word) }
        try #require(isHeld)
        func open() throws {
            _ = try ShardSpool.open(
                spoolFolder: folder.path, shard: 0, bytesMax: 1 << 20, badBytesMax: 1 << 20,
                segmentBytes: 1 << 20)
        }
        let error = #expect(throws: SpoolError.self) { try open() }
        #expect("\(error!)".contains("process 4242"))
        // However a holder ends, its hold ends with it.
        holder.endNow()
        _ = try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 0, bytesMax: 1 << 20, badBytesMax: 1 << 20,
            segmentBytes: 1 << 20)
    }

    @Test func `the summary tells what the spool would, and changes nothing`() throws {
        #expect(try SpoolSummary.readAll(spoolFolder: folder.path + "/absent") == [])
        var spool = try ShardSpool.open(
            spoolFolder: folder.path, shard: 7, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 64 << 10)
        spool.good.store(1...40, hits: 3, padding: 1000)
        _ = spool.bad.append(1, hits: 2)
        _ = spool.bad.append(2, hits: 1, kind: .moved)
        for _ in 0..<25 { spool.good.commit(spool.good.take()!) }
        let expected = spool.ledger
        #expect(expected.good.undelivered == 45 && expected.bad.cumulativeMoved == 1)
        #expect(expected.good.oldestUndeliveredMicroseconds == 26)
        let paths = FileManager.default.subpaths(atPath: folder.path)!.sorted()
        #expect(
            try SpoolSummary.readAll(spoolFolder: folder.path)
                == [SpoolSummary(shard: 7, ledger: expected)])
        #expect(FileManager.default.subpaths(atPath: folder.path)!.sorted() == paths)
    }
}
