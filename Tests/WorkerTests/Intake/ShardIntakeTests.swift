import Core
import TestSupport
import Testing

@testable import Worker

@Suite struct ShardIntakeTests {
    @Test func `with ack spooled a frame is answered at once, and nothing is synced`() throws {
        let disk = PowerLossDisk(seed: 1)
        let rig = try IntakeRig(disk, waitsForSync: false)
        let syncsBefore = disk.syncs
        rig.send(hits: 10, badPercent: 50)
        rig.send(hits: 1, badPercent: 0)
        #expect(rig.unanswered.isEmpty && rig.promised.count == 11)
        #expect(disk.syncs == syncsBefore)
        #expect(rig.counters.value(of: .spoolWrites) == 3)
        rig.judge()
    }

    @Test func `with ack fsync a frame is answered when a sync that began after it has ended`()
        throws
    {
        let rig = try IntakeRig(PowerLossDisk(seed: 1))
        rig.send(hits: 2, badPercent: 0)
        #expect(rig.isSyncing)
        rig.send(hits: 3, badPercent: 100)
        rig.send(hits: 4, badPercent: 0)
        #expect(rig.promised.isEmpty)
        rig.endSync()
        #expect(rig.promised.count == 2)
        #expect(rig.isSyncing)
        rig.endSync()
        #expect(rig.promised.count == 9 && rig.unanswered.isEmpty)
        #expect(!rig.isSyncing)
        #expect(rig.counters.value(of: .spoolSyncs) == 2)
        #expect(rig.counters.value(of: .spoolSyncNanosecondsLongest) == 1000)
        rig.tick(afterMs: 250)
        #expect(rig.counters.value(of: .spoolSyncNanosecondsMedian) == 1000)
        rig.judge()
    }

    @Test func `a frame held from before waits for the sync it has not had`() throws {
        let rig = try IntakeRig(PowerLossDisk(seed: 1))
        rig.send(hits: 2, badPercent: 0)
        // The successor made it durable before it took the link: no more to wait for.
        try rig.killWorker()
        #expect(rig.unanswered.isEmpty && rig.promised.count == 2)
        #expect(rig.counters.value(of: .framesRepeated) == 1)
        rig.judge()
        #expect(rig.delivered.values.allSatisfy { $0 == 1 })
    }

    @Test func `frames that come again over another link wait like those that were appended`()
        throws
    {
        let rig = try IntakeRig(PowerLossDisk(seed: 1))
        rig.send(hits: 2, badPercent: 0)
        rig.send(hits: 3, badPercent: 0)
        rig.breakLink()
        #expect(rig.promised.isEmpty && rig.counters.value(of: .framesRepeated) == 2)
        rig.endSync()
        #expect(rig.promised.isEmpty, "that sync began before the frames came again")
        rig.endSync()
        #expect(rig.promised.count == 5 && rig.unanswered.isEmpty)
        rig.judge()
        #expect(rig.delivered.values.allSatisfy { $0 == 1 })
    }

    @Test func `a lane that the disk refuses twice refuses its hits, the other keeps its own`()
        throws
    {
        let disk = PowerLossDisk(seed: 3)
        let rig = try IntakeRig(disk)
        rig.send(hits: 4, badPercent: 0)
        rig.endSync()
        #expect(rig.promised.count == 4)
        disk.syncFails = { _ in true }
        rig.send(hits: 4, badPercent: 0)
        rig.send(hits: 5, badPercent: 0)
        rig.endSync()
        #expect(rig.refused.count == 9 && rig.unanswered.isEmpty)
        #expect(rig.counters.value(of: .hitsRefusedFailure) == 9)
        #expect(rig.counters.value(of: .spoolSyncsFailed) == 1)
        disk.syncFails = { _ in false }

        // It rests, and refuses at once; the bad lane is as before.
        rig.send(hits: 2, badPercent: 0)
        #expect(rig.refused.count == 11 && rig.unanswered.isEmpty)
        rig.send(hits: 3, badPercent: 100)
        rig.endSync()
        #expect(rig.promised.count == 7)

        rig.tick(afterMs: ShardIntake.restMs)
        rig.send(hits: 6, badPercent: 0)
        rig.endSync()
        #expect(rig.promised.count == 13)
        rig.judge()
    }

    @Test func `a refused frame waits its turn behind one that is not answered yet`() throws {
        let disk = PowerLossDisk(seed: 1)
        let rig = try IntakeRig(disk)
        rig.send(hits: 1, badPercent: 0)
        disk.isFull = true
        rig.send(hits: 2, badPercent: 0)
        disk.isFull = false
        #expect(rig.refused.isEmpty)
        rig.endSync()
        #expect(rig.promised.count == 1 && rig.refused.count == 2)
        rig.judge()
    }

    @Test func `links are held up when enough waits for the disk`() throws {
        let rig = try IntakeRig(PowerLossDisk(seed: 1), segmentBytes: 64 << 20)
        var frames = 0
        while rig.mayRead {
            rig.send(hits: 1, badPercent: 0)
            frames += 1
        }
        #expect(frames == AckQueue.framesMax)
        rig.endSync()
        rig.endSync()
        #expect(rig.unanswered.isEmpty)
        frames = 0
        while rig.mayRead {
            rig.send(hits: 4, badPercent: 0, bytes: 15_000, filler: "\"")
            frames += 1
        }
        let isSaturated = rig.intake.pointee.isSaturated
        #expect(isSaturated && frames < AckQueue.framesMax + 1)
        rig.endSync()
        rig.endSync()
        #expect(rig.unanswered.isEmpty && rig.mayRead)
        rig.judge()
    }
}

/// A worker's life as a seeded walk: frames, syncs that end whenever they like or fail, deaths between
/// any two calls to the disk, power cuts. What was promised is there in the end.
@Suite struct IntakeWalkTests {
    private struct Faults: OptionSet {
        let rawValue: Int
        static let kills = Faults(rawValue: 1)
        static let failedSyncs = Faults(rawValue: 2)
        static let powerCuts = Faults(rawValue: 4)
        static let fullDisk = Faults(rawValue: 8)
    }

    private func walk(_ seed: Int, _ faults: Faults) throws -> IntakeRig {
        let disk = PowerLossDisk(seed: UInt64(seed) &* 7919)
        let rig = try IntakeRig(disk)
        disk.dropsPages = seed % 2 == 1
        for _ in 0..<300 {
            switch disk.dice.roll(100) {
            case 0..<45:
                if rig.mayRead {
                    rig.send(
                        hits: Int(disk.dice.roll(8)) + 1, badPercent: Int(disk.dice.roll(3)) * 20,
                        bytes: Int(disk.dice.roll(3000)))
                }
            case 45..<75: rig.endSync()
            case 75..<80: rig.deliver(.good, records: Int(disk.dice.roll(20)))
            case 80..<83: rig.deliver(.bad, records: Int(disk.dice.roll(20)))
            case 83..<87: rig.tick(afterMs: 400)
            case 87..<91 where faults.contains(.failedSyncs):
                let percent = [0, 0, 30, 60, 100][Int(disk.dice.roll(5))]
                disk.syncFails = percent == 0 ? { _ in false } : { $0.chance(percent) }
            case 92..<93: rig.breakLink()
            case 93..<94 where faults.contains(.kills): try rig.killWorker()
            case 94..<95 where faults.contains(.kills):
                disk.changesLeft = Int(disk.dice.roll(12))
            case 95..<97 where faults.contains(.powerCuts): try rig.cutPower()
            case 97..<99 where faults.contains(.fullDisk): disk.isFull.toggle()
            default: break
            }
            if disk.isDead { try rig.killWorker() }
        }
        disk.syncFails = { _ in false }
        disk.isFull = false
        disk.changesLeft = nil
        if disk.isDead { try rig.killWorker() }
        rig.tick(afterMs: 2000)
        for _ in 0..<4 { rig.endSync() }
        #expect(rig.unanswered.isEmpty)
        if faults.contains(.powerCuts) { try rig.cutPower() }
        rig.judge()
        #expect(!rig.promised.isEmpty)
        return rig
    }

    @Test(arguments: 0..<15)
    func `deaths alone lose nothing and repeat nothing in the spool`(seed: Int) throws {
        let rig = try walk(seed, [.kills])
        #expect(rig.refused.isEmpty && rig.promised.count > 50)
        let ledger = rig.spool.pointee.ledger
        #expect(ledger.dropped == 0)
        #expect(ledger.accepted == rig.sentIds.count)
    }

    @Test(arguments: 0..<15)
    func `a failing disk loses nothing that was promised`(seed: Int) throws {
        _ = try walk(seed, [.failedSyncs, .fullDisk])
    }

    @Test(arguments: 0..<15)
    func `a failing disk and deaths lose nothing that was promised`(seed: Int) throws {
        _ = try walk(seed, [.failedSyncs, .fullDisk, .kills])
    }

    @Test(arguments: 0..<25)
    func `power cuts lose nothing that was promised`(seed: Int) throws {
        _ = try walk(seed, [.kills, .powerCuts])
    }

    @Test(arguments: 0..<25)
    func `a failing disk and power cuts lose nothing that was promised`(seed: Int) throws {
        _ = try walk(seed, [.failedSyncs, .powerCuts, .fullDisk])
    }
}
