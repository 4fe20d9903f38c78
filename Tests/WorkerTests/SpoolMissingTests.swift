import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// Hits whose files are gone: told by `verify`, and in the ledger before delivery comes by.
@Suite struct SpoolMissingTests {
    /// Hits 0 to 23, eight a segment, in segments 1 to 3.
    private typealias Shard = InspectedShard

    /// Everybody who looks sees `missing` hits missing, and delivery agrees.
    private func expectMissing(
        _ missing: UInt64, of shard: Shard, passed: UInt64 = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        func expect(_ isSo: Bool, _ what: String) {
            #expect(isSo, "\(what)", sourceLocation: sourceLocation)
        }
        let findings = try shard.walk().findings.filter { $0.kind == .missing }
        expect(findings.reduce(0) { $0 + $1.hits } == missing, "\(findings)")
        let before = try shard.ledger()
        expect(before.closes && before.dropped == missing, "\(before)")
        expect(before.accepted == 24 && before.spooled == 24 - missing - passed, "\(before)")
        let listing = try SpoolListing.read(spoolFolder: shard.folder.path, shard: 3)
        expect(listing.lanes[0].missing == missing, "\(listing)")
        expect(listing.lanes[0].ledger == before.good, "\(listing)")
        var spool = try shard.open()
        let living = spool.ledger
        expect(living.closes && living.good.dropped == missing, "\(living)")
        // At no moment is a hit counted twice, or taken back.
        while let read = spool.good.take() {
            spool.good.commit(read)
            let ledger = spool.ledger
            expect(ledger.closes && ledger.good.dropped == missing, "\(ledger)")
        }
        let after = spool.ledger.good
        expect(after.dropped == missing && after.undelivered == 0, "\(after)")
        expect(after.delivered == 24 - missing, "\(after)")
        expect(spool.good.cursor.dropped == missing, "passed")
    }

    @Test(arguments: [0, 1, 5]) func `the oldest segment is gone`(passed: Int) throws {
        let shard = try Shard(passed: passed)
        try shard.remove(passed > 4 ? LaneFolder.name(of: 2) : LaneFolder.name(of: 1))
        let end: UInt64 = passed > 4 ? 16 : 8
        let findings = try shard.walk().findings
        var expected = SpoolFinding(
            .missing, segment: passed > 4 ? 3 : 2, offset: 4096, hits: end - 2 * UInt64(passed))
        expected.firstHit = 2 * UInt64(passed)
        #expect(findings == [expected] && findings[0].isDamage)
        try expectMissing(expected.hits, of: shard, passed: 2 * UInt64(passed))
    }

    @Test(arguments: [0, 1, 5, 9]) func `the newest segment is gone`(passed: Int) throws {
        let shard = try Shard(passed: passed)
        let last = shard.lane.segments.last!
        let left = shard.lane.segments.dropLast()
        try shard.remove(last)
        let first = max(16, 2 * UInt64(passed))
        let finding = try #require(try shard.walk().findings.first)
        #expect(finding.isAtEnd && finding.isDamage && finding.firstHit == first)
        #expect(finding.segment == (left.isEmpty ? 0 : 2))
        try expectMissing(24 - first, of: shard, passed: 2 * UInt64(passed))
    }

    @Test(arguments: [0, 1, 5]) func `all segments are gone`(passed: Int) throws {
        let shard = try Shard(passed: passed)
        for name in shard.lane.segments { try shard.remove(name) }
        let findings = try shard.walk().findings
        var expected = SpoolFinding(
            .missing, segment: 0, offset: 0, hits: 24 - 2 * UInt64(passed))
        (expected.firstHit, expected.isAtEnd) = (2 * UInt64(passed), true)
        #expect(findings == [expected])
        try expectMissing(expected.hits, of: shard, passed: 2 * UInt64(passed))
    }

    @Test(arguments: [0, 1]) func `a segment in the middle is gone`(passed: Int) throws {
        let shard = try Shard(passed: passed)
        try shard.remove(LaneFolder.name(of: 2))
        try expectMissing(8, of: shard, passed: 2 * UInt64(passed))
    }

    @Test func `the newest segment is damaged in the middle and at its end`() throws {
        let shard = try Shard(passed: 1)
        shard.flip(LaneFolder.name(of: 3), at: 4096 + Shard.recordBytes + 99)
        shard.flip(LaneFolder.name(of: 3), at: 4096 + 3 * Shard.recordBytes + 99)
        try expectMissing(4, of: shard, passed: 2)
    }

    @Test func `after a death the cursor knows what there was a second before`() throws {
        let shard = try Shard(passed: 1)
        var spool = try shard.open()
        spool.good.store(13...14, hits: 2)
        #expect(spool.lookAfter().isEmpty)
        spool.good.store(15...15, hits: 2)
        let copy = shard.folder.path + "/copy/shard-3"
        try FileManager.default.createDirectory(
            atPath: shard.folder.path + "/copy", withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: shard.path, toPath: copy)
        func ledger() throws -> LaneLedger {
            try SpoolSummary.read(folder: copy, shard: 3).ledger.good
        }
        #expect(try ledger().cumulativeHits == 30 && ledger().dropped == 0)
        for name in TemporaryFolder.Part(path: copy + "/good").segments {
            try FileManager.default.removeItem(atPath: "\(copy)/good/\(name)")
        }
        #expect(try ledger().cumulativeHits == 28 && ledger().dropped == 26)
        _ = spool.ledger
    }

    @Test func `what a repair finds missing is dropped in the ledger from then on`() throws {
        let shard = try Shard(passed: 1)
        shard.flip(LaneFolder.name(of: 1), at: 4096 + 2 * Shard.recordBytes + 99)
        shard.flip(LaneFolder.name(of: 2), at: 4096 + Shard.recordBytes + 99)
        let before = try shard.ledger()
        #expect(before.dropped == 0 && before.spooled == 22)
        _ = try shard.repair()
        #expect(try shard.walk().findings.allSatisfy { !$0.isDamage })
        try expectMissing(4, of: shard, passed: 2)
        // Passed: the cursor has them now, and the notes count no more.
        let after = try shard.ledger()
        #expect(after.closes && after.dropped == 4 && after.delivered == 20)
    }

    @Test func `a repair of a lane without its files notes what is gone, once`() throws {
        for names in [[1], [2], [3], [1, 2, 3], [1, 3]] as [[UInt64]] {
            let shard = try Shard()
            for name in names { try shard.remove(LaneFolder.name(of: name)) }
            let planned = try shard.repair(isDryRun: true)
            #expect(try shard.repair() == planned)
            #expect(try shard.repair().isEmpty)
            #expect(try shard.walk().findings.allSatisfy { !$0.isDamage && $0.isAccounted })
            try expectMissing(8 * UInt64(names.count), of: shard)
        }
    }

    @Test func `of a living lane nothing is missing, whatever is delivered meanwhile`() throws {
        for step in 0..<12 {
            let shard = try Shard()
            var spool = try shard.open()
            var walk = try LaneWalk(spoolFolder: shard.folder.path, shard: 3, lane: .good)
            var count = 0
            var findings: [SpoolFinding] = []
            walking: while true {
                if count == step {
                    spool.good.store(13...14, hits: 2)
                    _ = spool.good.drain()
                    #expect(shard.lane.segments.count == 1)
                }
                count += 1
                switch walk.next() {
                case .record: continue
                case .finding(let finding): findings.append(finding)
                case .end: break walking
                }
            }
            #expect(findings.isEmpty, "\(step)")
        }
    }

    @Test func `what was written again after a failed sync is neither missing nor damage`() throws {
        for isHole in [false, true] {
            let shard = try Shard(passed: 12)
            var spool = try shard.open()
            let failure = spool.good.startSyncing()
            #expect(failure == nil)
            spool.good.store(13...15, hits: 2)
            guard case .file = spool.good.beginSync() else {
                Issue.record("there is something to sync")
                return
            }
            let outcome = spool.good.finishSync(Failure(number: EIO, call: "fdatasync"))
            #expect(outcome.isClean)
            spool.good.store(16...16, hits: 2)
            spool.close()
            let name = shard.lane.segments.dropLast().last!
            let recordBytes = SpoolLane.headroom + SpoolLane.rows(13, hits: 2).utf8.count
            if isHole { shard.flip(name, at: 4096 + recordBytes + 60) }
            let expected = (13...16).map { SpoolLane.rows($0, hits: 2) }
            func undelivered() throws -> [String] {
                let walk = try shard.walk()
                return zip(walk.rows, walk.passed).filter { !$0.1 }.map(\.0)
            }
            #expect(try undelivered() == expected)
            #expect(try shard.walk().findings.allSatisfy { $0.kind == .damage })
            #expect(try shard.walk().findings.isEmpty == !isHole)
            // Torn ends make a repair write both segments anew.
            for name in shard.lane.segments.suffix(2) {
                shard.lane.write(shard.lane.bytes(name) + [1, 2, 3], to: name)
            }
            _ = try shard.repair()
            #expect(try shard.walk().findings.isEmpty)
            #expect(try undelivered() == expected)
            let (rows, ledger) = try shard.drain()
            #expect(rows == expected && ledger.dropped == 0)
        }
    }

    @Test(arguments: [
        "good-hits-0-18446744073709551615.missing", "good-hits-3-2.missing", "good-hits-3.missing",
        "bad-hits-1-2.missing", "good-hits-x-2.missing", "good-hits-1-2", "good-hits--1-2.missing",
    ])
    func `a name that is no note is none`(name: String) throws {
        #expect(Quarantine.missing(in: name, .good) == nil)
        #expect(Quarantine.missing(in: "good-hits-1200-1207.missing", .good) == 1200..<1208)
        let shard = try Shard()
        try FileManager.default.createDirectory(
            atPath: shard.path + "/quarantine", withIntermediateDirectories: true)
        FileManager.default.createFile(atPath: shard.path + "/quarantine/" + name, contents: nil)
        try expectMissing(0, of: shard)
    }

    @Test func `ranges of missing hits are merged, clamped, counted and forgotten`() {
        var missing = MissingHits([7..<9, 1..<3, 2..<5, 5..<6, 20..<20, 9..<12])
        #expect(missing.ranges == [1..<6, 7..<12] && missing.count == 10)
        #expect(missing.count(from: 0) == 10 && missing.count(from: 8) == 4)
        #expect(missing.count(from: 12) == 0)
        #expect(missing.clamped(to: 3..<8).ranges == [3..<6, 7..<8])
        #expect(missing.clamped(to: 6..<7).ranges.isEmpty)
        #expect(missing.contains(7..<12) && missing.contains(4..<4) && !missing.contains(5..<8))
        missing.forget(below: 5)
        #expect(missing.ranges.count == 2)
        missing.forget(below: 6)
        #expect(missing.ranges == [7..<12])
        missing.forget(below: .max)
        #expect(missing == MissingHits())
    }

    @Test func `hits known to be missing count the same however they are cut`() {
        var random = SeededDice(seed: 8)
        for _ in 0..<200 {
            let ranges = (0..<8).map { _ in
                let first = UInt64.random(in: 0..<60, using: &random)
                return first..<first + UInt64.random(in: 0...9, using: &random)
            }
            let hits = Set(ranges.flatMap { Array($0) })
            let missing = MissingHits(ranges)
            #expect(missing.count == UInt64(hits.count))
            let passed = UInt64.random(in: 0...80, using: &random)
            #expect(missing.count(from: passed) == UInt64(hits.count { $0 >= passed }))
            #expect(missing.clamped(to: passed..<80).count == missing.count(from: passed))
        }
    }
}
