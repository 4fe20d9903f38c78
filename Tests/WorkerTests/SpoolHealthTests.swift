import Core
import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@testable import Worker

/// Faults of the disk that pass while a lane runs.
@Suite struct SpoolHealthTests {
    private func part(_ folder: TemporaryFolder) -> TemporaryFolder.Part {
        TemporaryFolder.Part(path: folder.path + "/good")
    }

    private func open(
        _ part: TemporaryFolder.Part, segmentBytes: UInt64 = 64 << 20, files: Files = Files()
    ) throws -> SpoolLane {
        try SpoolLane.open(
            folder: part.path, lane: .good, shard: 0, bytesMax: 1 << 30,
            segmentBytes: segmentBytes, files: files)
    }

    @Test func `a lane in order is left alone`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try open(part(folder), files: disk.files)
        #expect(lane.lookAfter() == nil && lane.trouble == nil)
        lane.store(1...3)
        var changes = disk.changes
        #expect(lane.lookAfter() == nil && lane.trouble == nil)
        #expect(disk.changes == changes + [.write], "the cursor learns how many there are")
        changes = disk.changes
        #expect(lane.lookAfter() == nil && lane.trouble == nil)
        #expect(disk.changes == changes)
    }

    /// The descriptor that is being synced was closed with the segment, and then once more: as
    /// whosever it had become.
    @Test func `a folder that goes while a sync is under way takes no other file along`() throws {
        let folder = TemporaryFolder()
        let place = part(folder)
        var lane = try open(place)
        let failure = lane.startSyncing()
        #expect(failure == nil)
        lane.store(1...3)
        guard case .file(let syncing) = lane.beginSync() else {
            Issue.record("nothing to sync")
            return
        }
        try FileManager.default.removeItem(atPath: place.path)
        let rescue = lane.lookAfter()
        #expect(rescue?.rescuedBytes == lane.active.byteCount)
        #expect(fcntl(syncing, F_GETFD) >= 0, "the sync has it still")
        let other = Glibc.open("/dev/null", O_RDONLY)
        defer { close(other) }
        guard case .clean = lane.finishSync(nil) else {
            Issue.record("not clean")
            return
        }
        #expect(fcntl(other, F_GETFD) >= 0)
        lane.store(4...5)
        #expect(lane.drain() == (1...5).map { SpoolLane.rows($0, hits: 1) })
        #expect(lane.trouble == nil && lane.ledger.dropped == 0)
    }

    @Test(arguments: ["rm", "mv"])
    func `a folder that is gone is made again with what was acknowledged`(way: String) throws {
        let folder = TemporaryFolder()
        let place = part(folder)
        var lane = try open(place)
        lane.store(1...3)
        lane.commit(lane.take()!)
        #expect(lane.take() != nil)
        if way == "rm" {
            try FileManager.default.removeItem(atPath: place.path)
        } else {
            try FileManager.default.moveItem(atPath: place.path, toPath: place.path + "-moved")
        }
        lane.store(4...4)
        let found = lane.lookAfter()
        let rescue = try #require(found)
        #expect(rescue.lostSegments == 0 && rescue.rescuedBytes == lane.active.byteCount)
        #expect(lane.trouble == nil)
        lane.store(5...5)
        // A death now: all that was not delivered is there.
        let died = TemporaryFolder.Part(path: folder.path + "/died")
        try FileManager.default.copyItem(atPath: place.path, toPath: died.path)
        var other = try open(died)
        #expect(other.drain() == (2...5).map { SpoolLane.rows($0, hits: 1) })
        #expect(other.ledger.cumulativeHits == 5 && other.ledger.dropped == 0)
        // The living one goes on where it was.
        #expect(lane.takeAll().map(\.rows) == (3...5).map { SpoolLane.rows($0, hits: 1) })
        #expect(lane.lookAfter() == nil)
    }

    @Test func `segments that were closed are lost with their folder, and counted`() throws {
        let folder = TemporaryFolder()
        let place = part(folder)
        var lane = try open(place, segmentBytes: 64 << 10)
        lane.store(1...6, hits: 2, padding: 14 << 10)
        let closed = lane.segments
        #expect(closed.count == 2)
        try FileManager.default.removeItem(atPath: place.path)
        let found = lane.lookAfter()
        let rescue = try #require(found)
        #expect(rescue.lostSegments == 2)
        #expect(rescue.lostBytes == closed.reduce(0) { $0 + $1.byteCount })
        lane.store(7...7)
        _ = lane.drain()
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 13 && ledger.undelivered == 0)
        #expect(ledger.dropped == 8 && ledger.delivered == 5)
    }

    @Test func `a segment that is closed before anybody looked is rescued as well`() throws {
        let folder = TemporaryFolder()
        let place = part(folder)
        var lane = try open(place, segmentBytes: 64 << 10)
        lane.store(1...1, hits: 2, padding: 14 << 10)
        try FileManager.default.removeItem(atPath: place.path)
        lane.store(2...5, hits: 2, padding: 14 << 10)
        #expect(lane.segments.count == 2)
        let found = lane.lookAfter()
        #expect(found?.lostSegments == 0 && found?.rescuedBytes ?? 0 > 50_000)
        lane.close()
        lane = try open(place)
        #expect(lane.drain() == (1...5).map { SpoolLane.rows($0, hits: 2, padding: 14 << 10) })
    }

    @Test func `the segment that is being read is rescued too`() throws {
        let folder = TemporaryFolder()
        let place = part(folder)
        var lane = try open(place, segmentBytes: 64 << 10)
        lane.store(1...6, hits: 2, padding: 14 << 10)
        #expect(lane.take() != nil)
        try FileManager.default.removeItem(atPath: place.path)
        let found = lane.lookAfter()
        let rescue = try #require(found)
        #expect(rescue.lostSegments == 1)
        lane.rewind()
        _ = lane.drain()
        let ledger = lane.ledger
        #expect(ledger.undelivered == 0 && ledger.dropped == 4 && ledger.delivered == 8)
    }

    @Test func `while the folder cannot be made again nothing is acknowledged; then it goes on`()
        throws
    {
        let folder = TemporaryFolder()
        let place = part(folder)
        let disk = FaultyDisk()
        var lane = try open(place, files: disk.files)
        lane.store(1...2)
        try FileManager.default.removeItem(atPath: place.path)
        disk.answer = { _ in EROFS }
        #expect(lane.lookAfter() == nil && lane.isDetached)
        #expect(lane.trouble?.contains("removed") == true)
        #expect(lane.trouble?.contains("Read-only file system") == true)
        let refused = lane.append(3)
        #expect(refused.failure == ENOENT)
        disk.answer = { $0 == .write ? ENOSPC : 0 }
        #expect(lane.lookAfter() == nil && lane.isDetached)
        disk.answer = { _ in 0 }
        #expect(lane.lookAfter() != nil && !lane.isDetached)
        lane.store(3...3)
        #expect(lane.trouble == nil)
        lane = try open(place)
        #expect(lane.drain() == (1...3).map { SpoolLane.rows($0, hits: 1) })
    }

    @Test(arguments: [ENOSPC, EIO, EROFS, EDQUOT])
    func `a disk that refuses is told with its reason until it takes a hit again`(number: Int32)
        throws
    {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try open(part(folder), files: disk.files)
        lane.store(1...1)
        disk.answer = { $0 == .write || $0 == .create ? number : 0 }
        for _ in 0..<3 {
            let refused = lane.append(2)
            #expect(refused.failure == number)
        }
        #expect(lane.refusals == 3)
        #expect(lane.trouble?.contains(String(cString: strerror(number))) == true)
        #expect(lane.trouble?.contains("hits are refused") == true)
        disk.answer = { _ in 0 }
        lane.store(2...2)
        #expect(lane.trouble == nil)
        #expect(lane.drain().count == 2)
    }

    /// The kernel takes what fits below the limit, and says only of the rest why.
    @Test func `at the limit of a file's size a lane says so, and goes on in a new segment`() throws
    {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try open(part(folder), files: disk.files)
        lane.store(1...2)
        let segment = lane.active
        var writes = 0
        disk.answer = {
            guard $0 == .write else { return 0 }
            writes += 1
            return writes <= 2 ? -11 : EFBIG
        }
        let refused = lane.append(3)
        #expect(refused.failure == EFBIG && writes == 3)
        #expect(lane.trouble?.contains("ulimit -f") == true, "\(lane.trouble ?? "")")
        disk.answer = { _ in 0 }
        lane.store(3...3)
        #expect(lane.active.number == segment.number + 1)
        #expect(lane.drain() == (1...3).map { SpoolLane.rows($0, hits: 1) })
        lane = try open(part(folder))
        #expect(lane.ledger.dropped == 0 && lane.ledger.delivered == 3)
    }

    /// The delivered segment is what fills the disk, and nothing is appended that would end it.
    @Test func `a full disk gets the delivered segment back, also of the other lane`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var spool = try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 7, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 64 << 20, files: disk.files)
        let (good, bad) = (
            TemporaryFolder.Part(path: folder.path + "/shard-7/good"),
            TemporaryFolder.Part(path: folder.path + "/shard-7/bad")
        )
        spool.good.store(1...3, padding: 5000)
        spool.bad.store(1...3, padding: 5000)
        _ = spool.good.drain()
        let last = spool.bad.take()!
        spool.bad.commit(last)
        let full = (good.segments, bad.segments)
        _ = spool.lookAfter()
        #expect((good.segments, bad.segments) == full, "there is room: nothing is given back")

        disk.answer = { $0 == .write ? ENOSPC : 0 }
        let refused = spool.bad.append(4)
        #expect(refused.failure == ENOSPC)
        disk.answer = { _ in 0 }
        _ = spool.lookAfter()
        #expect(good.segments.count == 1 && good.segments != full.0, "all of it was delivered")
        #expect(good.bytes(good.segments[0]).count == SegmentHead.byteCount)
        #expect(bad.segments == full.1, "of this one rows still wait")

        spool.good.store(4...4)
        spool.bad.store(4...4)
        #expect(spool.good.drain().count == 1 && spool.bad.takeAll().count == 3)
    }

    @Test func `a lane at its cap says which setting it is`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder, lane: .bad, bytesMax: 64 << 10)
        var outcome = AppendOutcome.stored
        var sequence: UInt64 = 0
        while outcome.isStored {
            sequence += 1
            outcome = lane.append(sequence, padding: 5000)
        }
        #expect(outcome.isFull)
        #expect(lane.trouble?.contains("spool.bad_max_bytes") == true)
        _ = lane.drain()
        outcome = lane.append(sequence)
        #expect(outcome.isStored)
        #expect(lane.trouble == nil)
    }

    @Test func `a cursor that could not be written is written by itself`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try open(part(folder), files: disk.files)
        lane.store(1...2)
        let read = lane.take()!
        disk.answer = { $0 == .write ? ENOSPC : 0 }
        lane.commit(read)
        #expect(!lane.cursorIsWritten && lane.trouble?.contains("cursor") == true)
        #expect(lane.lookAfter() == nil && !lane.cursorIsWritten)
        disk.answer = { _ in 0 }
        #expect(lane.lookAfter() == nil)
        #expect(lane.cursorIsWritten && lane.trouble == nil)
        lane = try open(part(folder))
        #expect(lane.ledger.delivered == 1)
    }

    @Test func `a shard whose whole folder is removed keeps its lock in the new one`() throws {
        let folder = TemporaryFolder()
        var spool = try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 7, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 1 << 20)
        spool.good.store(1...2)
        spool.bad.store(1...1)
        try FileManager.default.removeItem(atPath: folder.path + "/shard-7")
        let findings = spool.lookAfter()
        #expect(findings.count == 2)
        let again = spool.lookAfter()
        #expect(again.isEmpty)
        #expect(throws: SpoolError.self) {
            _ = try ShardSpool.open(
                spoolFolder: folder.path, shard: 7, bytesMax: 1 << 30, badBytesMax: 1 << 30,
                segmentBytes: 1 << 20)
        }
        let ledger = spool.ledger
        #expect(ledger.accepted == 3 && ledger.spooled == 2)
        let summary = try SpoolSummary.read(spoolFolder: folder.path, shard: 7)
        #expect(summary.ledger.accepted == 3)
    }

    @Test func `a shard that another has taken meanwhile is not touched again`() throws {
        let folder = TemporaryFolder()
        var spool = try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 7, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 1 << 20)
        try FileManager.default.removeItem(atPath: folder.path + "/shard-7/lock")
        let other = try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 7, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 1 << 20)
        let findings = spool.lookAfter()
        #expect(findings == [.lostLock(pid: Int(getpid()))])
        _ = other.ledger
    }
}
