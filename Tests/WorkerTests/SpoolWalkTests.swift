import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// A shard's life as a seeded walk: batches come and come again, are read, passed, set back and cut
/// off by death at any moment, against a model that knows what must be where.
@Suite struct SpoolWalkTests {
    /// What the router and the warehouse know.
    private struct Model {
        /// Batches that were stored in each lane, in order.
        var stored: [SpoolLaneName: [(sequence: UInt64, hits: Int)]] = [.good: [], .bad: []]
        var hits: [SpoolLaneName: UInt64] = [.good: 0, .bad: 0]
        var passed: [SpoolLaneName: Int] = [.good: 0, .bad: 0]
        /// Sent, its ack not seen: comes again after a death.
        var unanswered: [(sequence: UInt64, good: Int, bad: Int)] = []
    }

    private static func open(_ folder: TemporaryFolder, _ files: Files = Files()) throws
        -> ShardSpool
    {
        try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 0, bytesMax: 300 << 10, badBytesMax: 300 << 10,
            segmentBytes: 64 << 10, files: files)
    }

    private static func padding(_ sequence: UInt64) -> Int { Int(sequence &* 2_654_435_761 % 3000) }

    /// What a worker does with a frame: each lane stores its rows, unless it holds them.
    private static func deliver(
        _ frame: (sequence: UInt64, good: Int, bad: Int), to spool: inout ShardSpool,
        _ model: inout Model
    ) -> Bool {
        var isStored = true
        for (name, hits) in [(SpoolLaneName.good, frame.good), (.bad, frame.bad)] where hits > 0 {
            let held =
                name == .good
                ? spool.good.holds(testOrigin, frame.sequence)
                : spool.bad.holds(testOrigin, frame.sequence)
            let known = model.stored[name]!.contains { $0.sequence == frame.sequence }
            #expect(held == known, "\(name) \(frame.sequence)")
            if held { continue }
            let padding = padding(frame.sequence)
            let outcome =
                name == .good
                ? spool.good.append(frame.sequence, hits: hits, padding: padding)
                : spool.bad.append(frame.sequence, hits: hits, padding: padding)
            guard outcome.isStored else {
                isStored = false
                continue
            }
            model.stored[name]!.append((frame.sequence, hits))
            model.hits[name]! += UInt64(hits)
        }
        return isStored
    }

    /// Reads some records of a lane and passes some of those.
    private static func pass(
        _ lane: inout SpoolLane, _ name: SpoolLaneName, _ model: inout Model,
        _ random: inout SeededDice
    ) {
        lane.rewind()
        var index = model.passed[name]!
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            guard let read = lane.take() else {
                #expect(index == model.stored[name]!.count)
                return
            }
            guard index < model.stored[name]!.count else {
                Issue.record("a row too many: \(read.rows.prefix(20))")
                return
            }
            let expected = model.stored[name]![index]
            #expect(
                read.rows
                    == SpoolLane.rows(
                        expected.sequence, hits: expected.hits, padding: padding(expected.sequence))
            )
            #expect(read.droppedBefore == 0)
            index += 1
            guard Int.random(in: 0..<4, using: &random) > 0 else { return }
            lane.commit(read)
            model.passed[name] = index
        }
    }

    private static func check(_ ledger: SpoolLedger, _ model: Model) {
        #expect(ledger.closes)
        for (name, lane) in [(SpoolLaneName.good, ledger.good), (.bad, ledger.bad)] {
            let passed = model.stored[name]![..<model.passed[name]!].reduce(0) { $0 + $1.hits }
            #expect(lane.cumulativeHits == model.hits[name]!)
            #expect(lane.delivered == UInt64(passed) && lane.dropped == 0)
            let next = model.stored[name]!.dropFirst(model.passed[name]!).first
            #expect(lane.oldestUndeliveredMicroseconds == next?.sequence ?? 0)
        }
    }

    @Test(arguments: 0..<12)
    func `no row is lost or twice, and the ledger closes, through any deaths`(seed: Int) throws {
        var random = SeededDice(seed: UInt64(seed))
        var model = Model()
        var folder = TemporaryFolder()
        var spool = try Self.open(folder)
        var sequence: UInt64 = 0
        for _ in 0..<600 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<12:
                sequence += 1
                let good = Int.random(in: 0...5, using: &random)
                let frame = (
                    sequence, good, Int.random(in: good == 0 ? 1...2 : 0...2, using: &random)
                )
                if Self.deliver(frame, to: &spool, &model) { model.unanswered.append(frame) }
                if Bool.random(using: &random) { model.unanswered.removeAll() }
            case 12..<15: Self.pass(&spool.good, .good, &model, &random)
            case 15..<17: Self.pass(&spool.bad, .bad, &model, &random)
            case 17:
                // Death: the folder as it is now, perhaps with a write cut short at its end.
                folder = try Self.die(folder, &random)
                Self.check(
                    try SpoolSummary.read(folder: folder.path + "/shard-0", shard: 0).ledger, model)
                spool = try Self.open(folder)
                for frame in model.unanswered where Self.deliver(frame, to: &spool, &model) == false
                {
                    break
                }
            default:
                spool.close()
                spool = try Self.open(folder)
            }
            Self.check(spool.ledger, model)
        }
        while model.passed[.good]! < model.stored[.good]!.count {
            Self.pass(&spool.good, .good, &model, &random)
        }
        while model.passed[.bad]! < model.stored[.bad]!.count {
            Self.pass(&spool.bad, .bad, &model, &random)
        }
        Self.check(spool.ledger, model)
        #expect(model.stored[.good]!.count > 100 && model.stored[.bad]!.count > 50)
    }

    private static func die(
        _ folder: TemporaryFolder, _ random: inout SeededDice
    ) throws -> TemporaryFolder {
        let copy = folder.copy()
        guard Bool.random(using: &random) else { return copy }
        let lane = "\(copy.path)/shard-0/good"
        let newest = try FileManager.default.contentsOfDirectory(atPath: lane)
            .filter { $0.hasSuffix(".segment") }.max()
        guard let newest, let file = FileHandle(forWritingAtPath: "\(lane)/\(newest)") else {
            return copy
        }
        defer { try? file.close() }
        try file.seekToEnd()
        let half: [UInt8] = [0x48, 0, 0xFF, 0x52, 1, 1, 1, 0, 99, 0, 0, 0, 1, 2, 3]
        try file.write(
            contentsOf: Data(half.prefix(Int.random(in: 1...half.count, using: &random))))
        return copy
    }

    // MARK: Every system call

    /// What a process does in a short life, with every kind of change to the file system in it.
    private static func live(_ folder: TemporaryFolder, _ files: Files, _ model: inout Model) throws
    {
        var spool = try open(folder, files)
        for sequence: UInt64 in 1...40 {
            _ = deliver((sequence, 2, sequence % 5 == 0 ? 1 : 0), to: &spool, &model)
            if sequence % 8 == 0 {
                for _ in 0..<6 {
                    guard let read = spool.good.take() else { break }
                    spool.good.commit(read)
                }
            }
        }
    }

    @Test func `death before any system call, or half way in a write, loses and repeats nothing`()
        throws
    {
        let rehearsal = FaultyDisk()
        var model = Model()
        try Self.live(TemporaryFolder(), rehearsal.files, &model)
        let kinds = Set(rehearsal.changes.map(\.rawValue))
        #expect(
            kinds
                == Set(
                    [.makeFolder, .create, .write, .truncate, .sync, .unlink].map {
                        (change: Files.Change) in change.rawValue
                    }))
        let calls = rehearsal.changes.count
        withExtendedLifetime(rehearsal) {}
        for call in 0..<calls {
            for cut: Int32 in rehearsal.changes[call] == .write ? [0, 1, 60] : [0] {
                try Self.dieAt(call: call, writing: cut)
            }
        }
    }

    /// From `call` on nothing reaches the disk; of a write there, the first `cut` bytes do.
    private static func dieAt(call: Int, writing cut: Int32) throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        disk.answer = { [unowned disk] _ in
            if disk.changes.count == call + 1, cut > 0 { return -cut - 1 }
            return disk.changes.count > call ? EIO : 0
        }
        var model = Model()
        do { try live(folder, disk.files, &model) } catch {}
        withExtendedLifetime(disk) {}

        var spool = try open(folder)
        let before = spool.ledger
        #expect(before.closes)
        #expect(before.good.cumulativeHits == model.hits[.good]!, "call \(call)")
        #expect(before.bad.cumulativeHits == model.hits[.bad]!, "call \(call)")
        // Everything comes again; what is held is not stored again.
        for sequence: UInt64 in 1...40 {
            _ = deliver((sequence, 2, sequence % 5 == 0 ? 1 : 0), to: &spool, &model)
        }
        let rows = spool.good.takeAll()
        let stored = model.stored[.good]!.map {
            SpoolLane.rows($0.sequence, hits: $0.hits, padding: padding($0.sequence))
        }
        // What the dead process had passed is not read again, unless its cursor was not written.
        #expect(rows.map(\.rows) == Array(stored.suffix(rows.count)), "call \(call)")
        #expect(UInt64(rows.count * 2) == spool.good.undeliveredHits, "call \(call)")
        for read in rows { spool.good.commit(read) }
        let after = spool.ledger
        #expect(after.closes && after.spooled == 0 && after.dropped == 0)
        #expect(after.good.cumulativeHits == 80 && after.bad.cumulativeHits == 8)
    }

    // MARK: A disk that fails and recovers

    @Test(arguments: [ENOSPC, EIO, EDQUOT, EROFS, EFBIG])
    func `while the disk refuses nothing is kept of a record, then the lane works by itself`(
        fault: Int32
    ) throws {
        for afterBytes: Int32 in [-1, 0, 1, 56, 100] {
            let folder = TemporaryFolder()
            let disk = FaultyDisk()
            var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10, files: disk.files)
            lane.store(1...3)
            // A disk that takes some bytes of the write first, or none.
            disk.answer = { change in
                if change == .write, afterBytes >= 0 { return -afterBytes - 1 }
                return [.write, .create].contains(change) ? fault : 0
            }
            for _ in 0..<5 {
                let outcome = lane.append(4, hits: 2, padding: 200)
                #expect(outcome.failure == (afterBytes < 0 ? fault : ENOSPC))
            }
            disk.answer = { _ in 0 }
            lane.store(5...6)
            #expect(folder.segments.count <= 2)
            let ledger = lane.ledger
            #expect(ledger.cumulativeHits == 5)
            let onDisk = folder.segments.reduce(0) { $0 + folder.bytes($1).count }
            #expect(ledger.byteCount == onDisk)
            lane = try SpoolLane.open(folder)
            #expect(lane.tornTails == 0)
            #expect(lane.drain() == [1, 2, 3, 5, 6].map { SpoolLane.rows($0, hits: 1) })
            withExtendedLifetime(disk) {}
        }
    }

    @Test func `what is left of a record that cannot be taken back is never appended to`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try SpoolLane.open(folder, files: disk.files)
        lane.store(1...2)
        disk.answer = { $0 == .write ? -71 : $0 == .truncate ? EIO : 0 }
        let outcome = lane.append(3, padding: 100)
        #expect(outcome.failure == ENOSPC)
        disk.answer = { _ in 0 }
        lane.store(4...4)
        #expect(folder.segments.count == 2)
        lane = try SpoolLane.open(folder)
        #expect(lane.drain() == [1, 2, 4].map { SpoolLane.rows($0, hits: 1) })
        withExtendedLifetime(disk) {}
    }

    @Test func `without space for a new segment, delivered ones make room`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10, files: disk.files)
        lane.store(1...1, padding: 60 << 10)
        #expect(lane.drain().count == 1)
        disk.answer = { [path = folder.path] change in
            let hasSegment = try! FileManager.default.contentsOfDirectory(atPath: path)
                .contains { $0.hasSuffix(".segment") }
            return change == .create && hasSegment ? ENOSPC : 0
        }
        lane.store(2...2, padding: 60 << 10)
        #expect(folder.segments == [LaneFolder.name(of: 3)])
        #expect(lane.holds(testOrigin, 1) == true)
        withExtendedLifetime(disk) {}
    }

    @Test func `delivered segments give their bytes back when the disk wants them`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10, files: disk.files)
        lane.store(1...3, padding: 60 << 10)
        #expect(lane.drain().count == 3)
        let leaving = lane.leaving.byteCount
        #expect(leaving > 120 << 10)
        #expect(folder.segments.count == 1)
        // Full until somebody frees something: a new segment's head, and the one tried after it.
        var refusals = 0
        disk.answer = { change in
            guard change == .write, refusals < 2 else { return 0 }
            refusals += 1
            return ENOSPC
        }
        lane.store(4...4)
        #expect(refusals == 2)
        let isFreed = lane.leaving.isEmpty
        #expect(isFreed)
        #expect(lane.drain().count == 1)
        withExtendedLifetime(disk) {}
    }

    @Test func `bytes that are leaving count toward the cap`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder, bytesMax: 256 << 10)
        lane.store(1...3, padding: 60 << 10)
        #expect(lane.drain().count == 3)
        let leaving = lane.leaving.byteCount
        #expect(leaving > 0)
        lane.store(4...6, padding: 60 << 10)
        let isFreed = lane.leaving.isEmpty
        #expect(isFreed, "they were in the way")
        #expect(lane.drain().count == 3)
    }

    @Test func `no segment is deleted while the cursor is not durable`() throws {
        let folder = TemporaryFolder()
        for call: Files.Change in [.write, .sync] {
            let disk = FaultyDisk()
            var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10, files: disk.files)
            lane.store(1...4, padding: 40 << 10)
            let segments = folder.segments
            disk.answer = { $0 == call ? EIO : 0 }
            for read in lane.takeAll() { lane.commit(read) }
            #expect(folder.segments == segments)
            #expect(lane.cursorFailure?.number == EIO)
            #expect(lane.undeliveredHits == 0)
            disk.answer = { _ in 0 }
            lane.store(5...5)
            #expect(lane.drain().count == 1)
            #expect(folder.segments.count == 1)
            #expect(lane.cursorFailure == nil)
            withExtendedLifetime(disk) {}
        }
    }

    @Test func `at its cap a lane takes hits as soon as the disk takes the cursor again`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try SpoolLane.open(
            folder, bytesMax: 256 << 10, segmentBytes: 64 << 10, files: disk.files)
        var sequence: UInt64 = 1
        while lane.append(sequence, padding: 40 << 10).isStored { sequence += 1 }
        let refused = lane.append(100)
        #expect(refused.isFull)
        // All of it is delivered while nothing can be written, so nothing can be deleted either.
        disk.answer = { $0 == .write ? EIO : 0 }
        for read in lane.takeAll() { lane.commit(read) }
        disk.answer = { _ in 0 }
        let stored = lane.append(101)
        #expect(stored.isStored)
        #expect(lane.ledger.byteCount < 64 << 10)
        withExtendedLifetime(disk) {}
    }

    @Test func `a folder that is removed while running is made again with what was in use`() throws
    {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder, segmentBytes: 64 << 10)
        lane.store(1...1, padding: 64 << 10)
        try FileManager.default.removeItem(atPath: folder.path)
        lane.store(2...2)
        let rows = lane.drain()
        #expect(
            rows == [SpoolLane.rows(1, hits: 1, padding: 64 << 10), SpoolLane.rows(2, hits: 1)])
        let ledger = lane.ledger
        #expect(ledger.dropped == 0 && ledger.undelivered == 0)
    }
}
