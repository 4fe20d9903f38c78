import Core
import Platform
import TestSupport
import Testing

@testable import Worker

extension LaneSync {
    var isClean: Bool { if case .clean = self { true } else { false } }
    var isLost: Bool { if case .lost = self { true } else { false } }
}

// `#expect` takes no calls that change what they are made on.
private func expectClean(
    _ outcome: LaneSync, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.isClean, sourceLocation: sourceLocation)
}

private func expectLost(
    _ outcome: LaneSync, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.isLost, sourceLocation: sourceLocation)
}

private func expectFailed(
    _ outcome: AppendOutcome, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.failure != nil, sourceLocation: sourceLocation)
}

private func expectEqual(
    _ found: [UInt64], _ expected: [UInt64], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found == expected, sourceLocation: sourceLocation)
}

extension PowerLossDisk {
    /// One sync fails, those after it work.
    func failNextSync() {
        var failures = 1
        syncFails = { _ in
            failures -= 1
            return failures >= 0
        }
    }
}

extension SpoolLane {
    static func open(
        on disk: PowerLossDisk, bytesMax: UInt64 = 1 << 30, segmentBytes: UInt64 = 64 << 20
    ) throws -> SpoolLane {
        var lane = try SpoolLane.open(
            folder: "lane", lane: .good, shard: 0, bytesMax: bytesMax, segmentBytes: segmentBytes,
            files: disk.files)
        let failure = lane.startSyncing()
        #expect(failure == nil)
        return lane
    }

    /// A whole sync; `meanwhile` comes while it is under way.
    mutating func sync(
        on disk: PowerLossDisk, meanwhile: (inout SpoolLane) -> Void = { _ in }
    ) -> LaneSync {
        guard case .file(let file) = beginSync() else { return .clean }
        let sync = disk.beginSync(file)
        meanwhile(&self)
        return finishSync(disk.endSync(sync))
    }

    func held(_ sequences: ClosedRange<UInt64>) -> [UInt64] {
        sequences.filter { holds(testOrigin, $0) }
    }
}

/// A lane on a disk that fails to sync, and forgets what is not synced.
@Suite struct LaneSyncTests {
    private func rows(_ sequences: ClosedRange<UInt64>) -> [String] {
        sequences.map { SpoolLane.rows($0, hits: 1) }
    }

    private func expectRows(
        _ sequences: ClosedRange<UInt64>, in lane: inout SpoolLane,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let drained = lane.drain()
        #expect(drained == rows(sequences), sourceLocation: sourceLocation)
        let ledger = lane.ledger
        #expect(ledger.dropped == 0, sourceLocation: sourceLocation)
        #expect(ledger.delivered == UInt64(sequences.count), sourceLocation: sourceLocation)
        #expect(ledger.undelivered == 0, sourceLocation: sourceLocation)
    }

    @Test(arguments: 0..<20)
    func `what was synced is there after the power was cut`(seed: UInt64) throws {
        let disk = PowerLossDisk(seed: seed)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...3)
        let outcome = lane.sync(on: disk) { $0.store(4...5) }
        #expect(outcome.isClean)
        let hasUnsynced = lane.hasUnsynced
        #expect(hasUnsynced)
        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        let read = lane.drain()
        #expect(Array(read.prefix(3)) == rows(1...3))
        #expect(
            read == rows(1...5) || read == rows(1...4) || read == rows(1...3) || read.count == 4)
    }

    @Test(arguments: [false, true])
    func `after a failed sync its records are in another segment, once, and durable`(
        dropsPages: Bool
    ) throws {
        let disk = PowerLossDisk(seed: 1)
        disk.dropsPages = dropsPages
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...2)
        expectClean(lane.sync(on: disk))
        lane.store(3...4)
        disk.failNextSync()
        let outcome = lane.sync(on: disk) { $0.store(5...5) }
        #expect(outcome.isClean)
        let hasUnsynced = lane.hasUnsynced
        #expect(!hasUnsynced)
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 5)
        #expect(ledger.byteCount == disk.byteCount(in: "lane"))
        lane.store(6...6)
        expectClean(lane.sync(on: disk))

        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        expectEqual(lane.held(1...9), [1, 2, 3, 4, 5, 6])
        let hits = lane.cumulativeHits
        #expect(hits == 6)
        expectRows(1...6, in: &lane)
    }

    @Test(arguments: [false, true])
    func `a reader in the middle of what is written again goes on without a repetition`(
        dropsPages: Bool
    ) throws {
        for readBefore in 0...5 {
            let disk = PowerLossDisk(seed: 1)
            disk.dropsPages = dropsPages
            var lane = try SpoolLane.open(on: disk)
            lane.store(1...2)
            expectClean(lane.sync(on: disk))
            lane.store(3...5)
            var read: [String] = []
            for _ in 0..<readBefore {
                let next = lane.take()!
                lane.commit(next)
                read.append(next.rows)
            }
            disk.failNextSync()
            expectClean(lane.sync(on: disk))
            lane.store(6...6)
            lane.rewind()
            let all = read + lane.drain()
            #expect(all == rows(1...6), "\(readBefore) read before")
            let dropped = lane.ledger.dropped
            #expect(dropped == 0)
        }
    }

    @Test func `a hole in the segment that was not synced is filled from the next`() throws {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...5)
        disk.failNextSync()
        expectClean(lane.sync(on: disk))
        lane.store(6...6)
        // The second record's page is lost, the others are in the cache still.
        let recordBytes = SpoolRecordHeader.byteCount + rows(1...1)[0].utf8.count
        disk.setByte(
            "lane/0000000000000001.segment",
            at: SegmentHead.byteCount + recordBytes + SpoolRecordHeader.byteCount + 1, to: 0)
        expectRows(1...6, in: &lane)
        let unreadable = lane.recordsUnreadable
        #expect(unreadable == 0)
    }

    @Test func `a disk that refuses again loses what waits, and the lane claims none of it`() throws
    {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...2)
        expectClean(lane.sync(on: disk))
        disk.syncFails = { _ in true }
        lane.store(3...4)
        let outcome = lane.sync(on: disk) { $0.store(5...5) }
        #expect(outcome.isLost)
        expectEqual(lane.held(1...9), [1, 2])
        let hasUnsynced = lane.hasUnsynced
        #expect(!hasUnsynced)

        disk.syncFails = { _ in false }
        lane.store(6...7)
        expectClean(lane.sync(on: disk))
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 7, "they may be there all the same")
        #expect(ledger.byteCount == disk.byteCount(in: "lane"))
        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        let read = lane.drain()
        // What was appended after the sync began may have reached the disk by luck.
        #expect(read.filter { $0 != rows(5...5)[0] } == rows(1...2) + rows(6...7))
        let after = lane.ledger
        #expect(after.delivered == UInt64(read.count) && after.delivered + after.dropped == 7)
    }

    @Test func `no descriptor is synced again after it failed`() throws {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...1)
        let first = lane.activeFile
        disk.syncFails = { _ in true }
        expectLost(lane.sync(on: disk))
        disk.syncFails = { _ in false }
        lane.store(2...2)
        let second = lane.activeFile
        #expect(first != second)
        disk.failNextSync()
        expectClean(lane.sync(on: disk))
        let third = lane.activeFile
        #expect(third != second && third >= 0)
    }

    @Test func `a full segment is left only when all of it is durable`() throws {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk, segmentBytes: 64 << 10)
        var next: UInt64 = 1
        for _ in 0..<12 {
            lane.store(next...next + 9, padding: 2000)
            next += 10
            let upTo = next - 1
            let outcome = lane.sync(on: disk) { lane in
                lane.store(next...next + 2, padding: 2000)
                next += 3
            }
            #expect(outcome.isClean)
            let copy = lane.durableOrigins.copy()
            for sequence in 1...upTo {
                let isDurable = copy.holds(testOrigin, sequence)
                #expect(isDurable)
            }
        }
        // Whatever is in a segment that was left survives; so does its name.
        let sealed = lane.segments.count
        #expect(sealed >= 3)
        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        let found = lane.segments.count
        #expect(found >= sealed)
        let read = lane.drain()
        #expect(read.count >= Int(next) - 4)
        #expect(
            Array(read.prefix(40)) == (1...40).map { SpoolLane.rows($0, hits: 1, padding: 2000) })
    }

    @Test func `a full segment whose last sync fails is written again`() throws {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk, segmentBytes: 64 << 10)
        lane.store(1...40, padding: 2000)
        disk.failNextSync()
        guard case .clean = lane.beginSync() else {
            Issue.record("it was to be synced at once")
            return
        }
        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        let read = lane.drain()
        #expect(read.count == 40)
        let dropped = lane.ledger.dropped
        #expect(dropped == 0)
    }

    @Test func `when a write fails nothing is appended until what waits is safe elsewhere`() throws
    {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...2)
        disk.failsWrites = true
        expectFailed(lane.append(3))
        disk.failsWrites = false
        expectFailed(lane.append(3))
        guard case .clean = lane.beginSync() else {
            Issue.record("it was to be written again at once")
            return
        }
        lane.store(3...3)
        expectClean(lane.sync(on: disk))
        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        expectRows(1...3, in: &lane)
    }

    @Test func `a write that fails while a sync is under way keeps the descriptor open for it`()
        throws
    {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...2)
        let outcome = lane.sync(on: disk) { lane in
            disk.failsWrites = true
            expectFailed(lane.append(3))
            disk.failsWrites = false
            let (active, syncing) = (lane.activeFile, lane.syncingFile)
            #expect(active == -1 && syncing >= 0)
        }
        #expect(outcome.isClean)
        disk.cutPower()
        lane = try SpoolLane.open(on: disk)
        expectRows(1...2, in: &lane)
    }

    @Test func `what a predecessor wrote is durable before it is held`() throws {
        let disk = PowerLossDisk(seed: 1)
        do {
            var lane = try SpoolLane.open(on: disk)
            lane.store(1...3)
        }
        let syncsBefore = disk.syncs
        do {
            let lane = try SpoolLane.open(on: disk)
            expectEqual(lane.held(1...9), [1, 2, 3])
        }
        #expect(disk.syncs > syncsBefore)
        disk.cutPower()
        var lane = try SpoolLane.open(on: disk)
        expectRows(1...3, in: &lane)
    }

    @Test func `what cannot be made durable at the start is not held`() throws {
        let disk = PowerLossDisk(seed: 1)
        do {
            var lane = try SpoolLane.open(on: disk)
            lane.store(1...3)
        }
        disk.syncFails = { _ in true }
        var lane = try SpoolLane.open(
            folder: "lane", lane: .good, shard: 0, bytesMax: 1 << 30, segmentBytes: 64 << 20,
            files: disk.files)
        let failure = lane.startSyncing()
        #expect(failure != nil)
        expectEqual(lane.held(1...9), [])
    }

    @Test func `a shard without a cursor begins before what its oldest segment has again`() throws {
        let disk = PowerLossDisk(seed: 1)
        var lane = try SpoolLane.open(on: disk)
        lane.store(1...4)
        disk.failNextSync()
        expectClean(lane.sync(on: disk))
        try disk.unlink("lane/0000000000000001.segment")
        try disk.unlink("lane/cursor")
        lane = try SpoolLane.open(on: disk)
        let read = lane.drain()
        #expect(read == rows(1...4))
        let ledger = lane.ledger
        #expect(ledger.cumulativeHits == 4 && ledger.delivered == 4)
    }

    @Test func `without syncing nothing is kept in memory`() throws {
        let folder = TemporaryFolder()
        var lane = try SpoolLane.open(folder)
        lane.store(1...100)
        let hasUnsynced = lane.hasUnsynced
        #expect(!hasUnsynced)
    }

    @Test func `on a real file system a failed sync makes a new segment`() throws {
        let folder = TemporaryFolder()
        let disk = FaultyDisk()
        var lane = try SpoolLane.open(folder, files: disk.files)
        let failure = lane.startSyncing()
        #expect(failure == nil)
        lane.store(1...3)
        guard case .file = lane.beginSync() else {
            Issue.record("there is something to sync")
            return
        }
        lane.store(4...4)
        let outcome = lane.finishSync(Failure(number: 5, call: "fdatasync"))
        #expect(outcome.isClean)
        #expect(folder.segments.count == 2)
        let copy = folder.copy()
        expectRows(1...4, in: &lane)
        var other = try SpoolLane.open(copy)
        expectEqual(other.held(1...9), [1, 2, 3, 4])
        expectRows(1...4, in: &other)
    }
}
