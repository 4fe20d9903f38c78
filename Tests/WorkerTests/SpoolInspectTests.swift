import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// Looking into a shard's folder, and mending it.
@Suite struct SpoolInspectTests {
    private typealias Shard = InspectedShard
    private static let rows = InspectedShard.rows
    private static let recordBytes = InspectedShard.recordBytes

    @Test func `a whole lane has all its rows and nothing to find`() throws {
        let shard = try Shard(passed: 1)
        let walk = try shard.walk()
        #expect(walk.rows == Self.rows && walk.findings.isEmpty)
        #expect(walk.passed == [true] + Array(repeating: false, count: 11))
        #expect(try shard.repair().isEmpty)

        let listing = try SpoolListing.read(spoolFolder: shard.folder.path, shard: 3)
        #expect(listing.holder == nil && listing.lanes.map(\.lane) == [.good, .bad])
        #expect(listing.lanes[0].segments == 3 && listing.lanes[0].newest == 3)
        #expect(listing.lanes[0].ledger.cumulativeHits == 24)
        #expect(listing.lanes[0].ledger.undelivered == 22)
        #expect(listing.lanes[1].segments == 0)
    }

    @Test func `a lane that is not there is empty`() throws {
        let folder = TemporaryFolder()
        var walk = try LaneWalk(spoolFolder: folder.path, shard: 9, lane: .bad)
        guard case .end = walk.next() else {
            Issue.record("there is something")
            return
        }
        let listing = try SpoolListing.read(spoolFolder: folder.path, shard: 9)
        #expect(listing.holder == nil && listing.lanes.allSatisfy { $0.segments == 0 })
    }

    @Test func `a living shard names its process, can be read and cannot be repaired`() throws {
        let shard = try Shard()
        let spool = try shard.open()
        let listing = try SpoolListing.read(spoolFolder: shard.folder.path, shard: 3)
        #expect(listing.holder?.pid == Int(getpid()))
        #expect(try shard.walk().rows == Self.rows)
        #expect(try shard.repair(isDryRun: true).isEmpty)
        let failure = #expect(throws: SpoolRepairFailure.self) {
            try SpoolRepair.run(spoolFolder: shard.folder.path, shard: 3, isDryRun: false) { _ in }
        }
        #expect(failure?.isInUse == true)
        #expect(failure?.description.contains("process \(getpid())") == true)
        _ = spool.ledger
    }

    @Test func `damage is named with its place, taken out once, and delivery stays as it was`()
        throws
    {
        let shard = try Shard(passed: 1)
        let names = shard.lane.segments
        shard.flip(names[1], at: 4096 + Self.recordBytes + 100)
        let walk = try shard.walk()
        var expected = SpoolFinding(
            .damage, segment: 2, offset: UInt64(4096 + Self.recordBytes),
            byteCount: UInt64(Self.recordBytes))
        #expect(walk.findings.first == expected)
        expected = SpoolFinding(
            .missing, segment: 2, offset: UInt64(4096 + 2 * Self.recordBytes), hits: 2)
        expected.firstHit = 10
        #expect(walk.findings.dropFirst() == [expected])
        #expect(walk.findings.allSatisfy { $0.isDamage })
        #expect(walk.rows == Array(Self.rows[..<5] + Self.rows[6...]))

        let planned = try shard.repair(isDryRun: true)
        #expect(try shard.walk().findings == walk.findings, "a dry run changes nothing")
        let done = try shard.repair()
        #expect(done == planned && done.count == 3)
        let after = try shard.walk()
        #expect(after.rows == walk.rows)
        #expect(after.findings.map(\.kind) == [.missing])
        #expect(!after.findings.contains { $0.isDamage }, "known")
        #expect(try shard.repair().isEmpty)
        let kept = try FileManager.default.contentsOfDirectory(atPath: shard.path + "/quarantine")
        #expect(
            kept.sorted() == [
                "good-0000000000000002-\(4096 + Self.recordBytes)-\(Self.recordBytes).damaged",
                "good-hits-10-11.missing",
            ])
        let (rows, ledger) = try shard.drain()
        #expect(rows == Array(walk.rows[1...]))
        #expect(ledger.delivered == 22 && ledger.dropped == 2 && ledger.cumulativeHits == 24)
    }

    @Test func `the segment that the cursor is in can be written anew`() throws {
        let shard = try Shard(passed: 3)
        shard.flip(shard.lane.segments[0], at: 4096 + 100)
        let done = try shard.repair()
        #expect(done.contains { if case .rewritten(.good, 1, _, _) = $0 { true } else { false } })
        let walk = try shard.walk()
        #expect(!walk.findings.contains { $0.isDamage })
        let (rows, ledger) = try shard.drain()
        #expect(rows == Array(Self.rows[3...]), "what was passed does not come again")
        #expect(ledger.delivered == 24 && ledger.dropped == 0)
    }

    @Test func `a torn tail is no damage, and a repair cuts it off`() throws {
        let shard = try Shard()
        let name = shard.lane.segments[2]
        let whole = shard.lane.bytes(name)
        shard.lane.write(whole + Array(whole[4096..<5000]), to: name)
        let walk = try shard.walk()
        #expect(walk.rows == Self.rows)
        #expect(walk.findings.map(\.kind) == [.tornTail])
        #expect(walk.findings[0].byteCount == 904 && !walk.findings[0].isDamage)
        let done = try shard.repair()
        let (from, to) = (UInt64(whole.count + 904), UInt64(whole.count))
        #expect(done == [.rewritten(.good, segment: 3, from: from, to: to)])
        #expect(try shard.walk().findings.isEmpty)
    }

    @Test func `heads, cursors and foreign files are mended without a row lost`() throws {
        let shard = try Shard(passed: 1)
        let names = shard.lane.segments
        shard.flip(names[1], at: 20)
        shard.lane.write(Array(repeating: 9, count: 1024), to: "cursor")
        var newer = shard.lane.bytes(names[2])
        newer[4] = 2
        shard.lane.write(newer, to: names[2])
        let kinds = Set(try shard.walk().findings.map { "\($0.kind)" })
        #expect(kinds.isSuperset(of: ["head", "cursor"]))
        _ = try shard.repair()
        #expect(try shard.repair().isEmpty)
        let walk = try shard.walk()
        #expect(!walk.findings.contains { $0.isDamage }, "\(walk.findings)")
        #expect(Array(walk.rows[..<8]) == Array(Self.rows[..<8]))
    }

    /// Whatever is done to the files, a repair ends with nothing damaged, and every row that could
    /// be read before can be read after.
    @Test(arguments: 0..<30)
    func `after a repair nothing is damaged and nothing readable is gone`(seed: Int) throws {
        var random = SeededDice(seed: UInt64(seed))
        let shard = try Shard(passed: Int.random(in: 0...4, using: &random))
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let name = (shard.lane.segments + ["cursor"]).randomElement(using: &random)!
            guard FileManager.default.fileExists(atPath: "\(shard.lane.path)/\(name)") else {
                continue
            }
            var bytes = shard.lane.bytes(name)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeLast(min(bytes.count, Int.random(in: 1...9000, using: &random)))
            case 1: bytes += (0..<700).map { _ in UInt8.random(in: 0...255, using: &random) }
            case 2:
                try FileManager.default.removeItem(atPath: "\(shard.lane.path)/\(name)")
                continue
            default:
                guard !bytes.isEmpty else { continue }
                for _ in 0..<3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
            }
            shard.lane.write(bytes, to: name)
        }
        let before = try shard.walk()
        _ = try shard.repair()
        let after = try shard.walk()
        #expect(after.rows == before.rows)
        #expect(!after.findings.contains { $0.isDamage }, "\(after.findings)")
        let again = try shard.repair()
        #expect(again.isEmpty, "\(again)")
        let (_, ledger) = try shard.drain()
        #expect(ledger.undelivered == 0)
        #expect(ledger.cumulativeHits == ledger.delivered + ledger.dropped)
    }
}
