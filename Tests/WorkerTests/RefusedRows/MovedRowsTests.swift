import Config
import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// Rows that Firehose refuses, on their way out of their lane, over deaths.
@Suite struct MovedRowsTests {
    /// One life of a shard. It ends as a killed process does: nothing is closed.
    private final class Life {
        let spool: UnsafeMutablePointer<ShardSpool>
        let refuge: Refuge

        init(_ folder: TemporaryFolder, isSynced: Bool = false, badBytesMax: UInt64 = 1 << 20)
            throws
        {
            spool = .allocate(capacity: 1)
            spool.initialize(
                to: try ShardSpool.openFreed(
                    spoolFolder: folder.path, shard: 0, bytesMax: 1 << 20,
                    badBytesMax: badBytesMax, segmentBytes: 64 << 10))
            refuge = .badLane(
                withUnsafeMutablePointer(to: &spool.pointee.bad) { $0 },
                MovedRowFormat(SchemaFile.standard.schema), incarnation: 9)
            guard isSynced else { return }
            for failure in [
                spool.pointee.good.startSyncing(), spool.pointee.bad.startSyncing(),
            ] { #expect(failure == nil) }
        }

        deinit {
            spool.deinitialize(count: 1)
            spool.deallocate()
        }

        /// Reads the next good record and has its one row set aside.
        func setAside() throws -> (outcome: SetAsideOutcome, advance: BatchLedger.Advance) {
            let next = spool.pointee.good.take()
            let read = try #require(next)
            let advance = BatchLedger.Advance(
                position: read.end, setAside: 1,
                receivedAtMicroseconds: UInt64(spool.pointee.good.cursor.passed + 1))
            return (again(read.rows, advance), advance)
        }

        func again(_ row: String, _ advance: BatchLedger.Advance) -> SetAsideOutcome {
            refuge.take([Array(row.utf8)], outOf: &spool.pointee.good, advance)
        }

        /// The bad stream takes all there is, and the lane goes on to another segment.
        func deliverBad() {
            _ = spool.pointee.bad.drain()
            spool.pointee.bad.seal()
            let outcome = spool.pointee.bad.append(99)
            #expect(outcome.isStored)
        }

        var badSegments: Int { spool.pointee.bad.segments.count }
        var keeps: Bool { spool.pointee.bad.keepsPassed || spool.pointee.bad.keepsMove }

        func sync() {
            Self.sync(&spool.pointee.good)
            Self.sync(&spool.pointee.bad)
        }

        private static func sync(_ lane: inout SpoolLane) {
            guard case .file(let file) = lane.beginSync() else { return }
            try? Files().syncData(file)
            _ = lane.finishSync(nil)
        }
    }

    /// The bad row of the first good one.
    private static let oneAside = RowLoad(
        bytes: MovedRowFormat(SchemaFile.standard.schema)
            .badRow(Array(SpoolLane.rows(1, hits: 1).utf8)).count, rows: 1)

    private func expectOneAside(_ life: Life, good: UInt64) {
        let ledger = life.spool.pointee.ledger
        #expect(ledger.closes && ledger.good.setAside == 1 && ledger.good.undelivered == good)
        let moved = life.spool.pointee.bad.cumulativeMoved
        #expect(moved == 1)
    }

    @Test
    func `a death between the move and the step of the cursor is made good by the next start`()
        throws
    {
        let folder = TemporaryFolder()
        do {
            let life = try Life(folder)
            life.spool.pointee.good.store(1...3)
            #expect(try life.setAside().outcome == .stored(Self.oneAside))
        }
        for _ in 0..<2 { expectOneAside(try Life(folder), good: 2) }
    }

    /// The simulator's seed 22428: the bad stream took the row, and its segment was deleted, before
    /// the good lane's cursor had stepped.
    @Test(arguments: [false, true])
    func `what the bad lane has of a move stays until the cursor has stepped, delivered or not`(
        isSynced: Bool
    ) throws {
        let folder = TemporaryFolder()
        do {
            let life = try Life(folder, isSynced: isSynced)
            life.spool.pointee.good.store(1...3)
            life.sync()
            let outcome = try life.setAside().outcome
            #expect((outcome == .syncing) == isSynced)
            life.sync()
            _ = life.spool.pointee.lookAfter()
            life.deliverBad()
            #expect(life.badSegments == 1)
        }
        let life = try Life(folder, isSynced: isSynced)
        expectOneAside(life, good: 2)
        // The cursor on disk knows: now it may go.
        life.deliverBad()
        #expect(life.badSegments == 0)
    }

    @Test func `a move that is asked for again is not made again, and then frees the bad lane`()
        throws
    {
        let folder = TemporaryFolder()
        let life = try Life(folder, isSynced: true)
        life.spool.pointee.good.store(1...3)
        life.sync()
        let (outcome, advance) = try life.setAside()
        #expect(outcome == .syncing)
        life.sync()
        let row = SpoolLane.rows(1, hits: 1)
        #expect(life.again(row, advance) == .stored(Self.oneAside))
        #expect(life.again(row, advance) == .stored(Self.oneAside))
        let badHits = life.spool.pointee.bad.cumulativeHits
        #expect(badHits == 1 && life.keeps)
        life.spool.pointee.good.commit(to: advance.position, delivered: 0, setAside: 1)
        let why = life.refuge.release(&life.spool.pointee.good)
        #expect(why == nil && !life.keeps)
        expectOneAside(life, good: 2)
    }

    @Test func `a bad lane that is full of what is delivered keeps nothing for a move`() throws {
        let folder = TemporaryFolder()
        let life = try Life(folder, badBytesMax: 256 << 10)
        life.spool.pointee.good.store(1...3)
        while life.spool.pointee.bad.append(
            life.spool.pointee.bad.appends + 1, padding: 8000
        ).isStored {}
        let (outcome, advance) = try life.setAside()
        #expect(outcome == .refused("the bad lane is full"))
        #expect(!life.keeps)
        _ = life.spool.pointee.bad.drain()
        let row = SpoolLane.rows(1, hits: 1)
        #expect(life.again(row, advance) == .stored(Self.oneAside))
    }

    @Test func `rows that the bad stream refuses are a file of the quarantine, once`() throws {
        let folder = TemporaryFolder()
        let life = try Life(folder)
        life.spool.pointee.bad.store(1...2)
        let next = life.spool.pointee.bad.take()
        let read = try #require(next)
        let advance = BatchLedger.Advance(position: read.end, setAside: 1)
        for _ in 0..<2 {
            let outcome = Refuge.quarantine.take(
                [Array(read.rows.utf8)], outOf: &life.spool.pointee.bad, advance)
            #expect(outcome == .stored(RowLoad()))
        }
        let quarantine = folder.path + "/shard-0/quarantine"
        let names = try FileManager.default.contentsOfDirectory(atPath: quarantine)
        #expect(names.count == 1 && names[0].hasPrefix("bad-hits-1-"))
        let kept = try String(contentsOfFile: "\(quarantine)/\(names[0])", encoding: .utf8)
        #expect(kept == read.rows)
    }
}
