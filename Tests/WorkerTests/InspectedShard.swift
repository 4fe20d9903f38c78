import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// A shard's folder with a good lane of three segments, four records each.
struct InspectedShard {
    static let rows = (1...12).map { SpoolLane.rows(UInt64($0), hits: 2, padding: 7 << 10) }
    static let recordBytes = SpoolLane.headroom + rows[0].utf8.count

    let folder = TemporaryFolder()
    var path: String { folder.path + "/shard-3" }
    var lane: TemporaryFolder.Part { .init(path: path + "/good") }

    init(passed: Int = 0) throws {
        var spool = try open()
        for sequence in 1...12 as ClosedRange<UInt64> {
            spool.good.store(sequence...sequence, hits: 2, padding: 7 << 10)
        }
        for _ in 0..<passed { spool.good.commit(spool.good.take()!) }
        spool.close()
    }

    func open() throws -> ShardSpool {
        try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 3, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 64 << 10)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(lane.path)/\(name)")
    }

    /// The ledger as `hydrant status` of a stopped cluster has it.
    func ledger() throws -> SpoolLedger {
        try SpoolSummary.read(spoolFolder: folder.path, shard: 3).ledger
    }

    func walk() throws -> WalkResult {
        var walk = try LaneWalk(spoolFolder: folder.path, shard: 3, lane: .good)
        var result = WalkResult()
        while true {
            switch walk.next() {
            case .record(let record):
                result.rows.append(String(decoding: record.payload, as: UTF8.self))
                result.passed.append(record.isPassed)
            case .finding(let finding): result.findings.append(finding)
            case .end:
                #expect(walk.bytesRead == walk.byteCount)
                return result
            }
        }
    }

    func repair(isDryRun: Bool = false) throws -> [SpoolRepair.Step] {
        var steps: [SpoolRepair.Step] = []
        for attempt in 0... {
            do {
                try SpoolRepair.run(
                    spoolFolder: folder.path, shard: 3, isDryRun: isDryRun
                ) { steps.append($0) }
                break
            } catch let failure as SpoolRepairFailure {
                // Another test's fork holds the lock for a moment.
                guard failure.isInUse, attempt < 100 else { throw failure }
                usleep(10_000)
            }
        }
        return steps
    }

    func flip(_ name: String, at offset: Int) {
        var bytes = lane.bytes(name)
        bytes[offset] ^= 1
        lane.write(bytes, to: name)
    }

    /// What delivery would get.
    func drain() throws -> (rows: [String], ledger: LaneLedger) {
        var spool = try open()
        let rows = spool.good.drain()
        return (rows, spool.good.ledger)
    }
}

/// What a walk of a lane gave.
struct WalkResult {
    var rows: [String] = []
    var passed: [Bool] = []
    var findings: [SpoolFinding] = []
}
