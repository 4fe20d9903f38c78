import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// Shards that have no worker any more are delivered by another's.
@Suite struct AdoptionTests {
    /// An open shard at an address of its own, as a queue needs it.
    private final class Held {
        let spool = UnsafeMutablePointer<ShardSpool>.allocate(capacity: 1)

        init(_ folder: TemporaryFolder, _ shard: Int) throws {
            spool.initialize(
                to: try ShardSpool.openFreed(
                    spoolFolder: folder.path, shard: shard, bytesMax: 1 << 30,
                    badBytesMax: 1 << 30, segmentBytes: 64 << 20))
        }

        deinit {
            spool.deinitialize(count: 1)
            spool.deallocate()
        }

        var good: UnsafeMutablePointer<SpoolLane> {
            withUnsafeMutablePointer(to: &spool.pointee.good) { $0 }
        }
        var bad: UnsafeMutablePointer<SpoolLane> {
            withUnsafeMutablePointer(to: &spool.pointee.bad) { $0 }
        }
        var ledger: SpoolLedger { spool.pointee.ledger }
    }

    private static func fill(_ folder: TemporaryFolder, _ shard: Int, good: Int, bad: Int) throws {
        let shard = try Held(folder, shard)
        if good > 0 { shard.good.pointee.store(1...UInt64(good)) }
        if bad > 0 { shard.bad.pointee.store(1...UInt64(bad)) }
        shard.spool.pointee.close()
    }

    private static func adoption(
        _ folder: TemporaryFolder, worker: Int = 0, workers: Int = 2
    ) -> Adoption {
        Adoption(
            .init(
                spoolFolder: folder.path, worker: worker, workers: workers, bytesMax: 1 << 30,
                badBytesMax: 1 << 30, segmentBytes: 64 << 20))
    }

    /// Ticks until something happens. Another test's fork may hold a lock for a moment.
    private static func tickOn(
        _ adoption: inout Adoption, _ good: inout LaneQueue, _ bad: inout LaneQueue,
        _ nowMs: inout UInt64
    ) -> Adoption.Event {
        for _ in 0..<200 {
            nowMs += Adoption.lookEveryMs
            let event = adoption.tick(nowMs: nowMs, good: &good, bad: &bad)
            if case .failed = event {
                usleep(10_000)
                continue
            }
            if event != .none { return event }
        }
        return .none
    }

    /// Reads and passes one record, as a batch of its own.
    private static func takeOne(_ queue: inout LaneQueue) -> String? {
        queue.beginBatch()
        guard case .record(let view) = queue.readNext() else { return nil }
        let rows = String(decoding: view.payload, as: UTF8.self)
        queue.commit(
            BatchLedger.Advance(
                position: view.end, delivered: UInt64(view.hitCount), dropped: view.droppedBefore))
        return rows
    }

    @Test func `each shard without a worker falls to exactly one`() {
        for workers in 1...5 {
            var adopters: [Int: Int] = [:]
            for worker in 0..<workers {
                let its = Adoption.orphans(
                    among: Array(0..<23), worker: worker, workers: workers)
                for shard in its {
                    #expect(adopters[shard] == nil)
                    adopters[shard] = worker
                }
            }
            #expect(adopters.keys.sorted() == Array(workers..<23))
            #expect(adopters.allSatisfy { $0.value == $0.key % workers })
        }
    }

    @Test func `an orphan whose folder is removed gets it again, and keeps its ledger`() throws {
        let folder = TemporaryFolder()
        try Self.fill(folder, 2, good: 3, bad: 2)
        let own = try Held(folder, 0)
        var good = LaneQueue(own: own.good)
        var bad = LaneQueue(own: own.bad)
        var adoption = Self.adoption(folder)
        var nowMs: UInt64 = 0
        var event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .adopted(shard: 2))
        try FileManager.default.removeItem(atPath: folder.path + "/shard-2")
        let findings = adoption.lookAfter()
        #expect(findings.count == 2)
        while Self.takeOne(&good) != nil {}
        while Self.takeOne(&bad) != nil {}
        let spool = adoption.adopted
        let adopted = try #require(spool)
        #expect(adopted.pointee.ledger.accepted == 5 && adopted.pointee.ledger.spooled == 0)
        let dropped = adopted.pointee.ledger.dropped
        event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        guard case .finished(shard: 2, let hits) = event else {
            Issue.record("\(event)")
            return
        }
        #expect(hits + dropped == 5)
        let kept = try SpoolSummary.read(spoolFolder: folder.path, shard: 2)
        #expect(kept.ledger.accepted == 5 && kept.ledger.dropped == dropped)
    }

    @Test func `orphans are taken in one after the other and keep their ledgers`() throws {
        let folder = TemporaryFolder()
        try Self.fill(folder, 0, good: 2, bad: 0)
        try Self.fill(folder, 2, good: 3, bad: 1)
        try Self.fill(folder, 3, good: 9, bad: 9)  // the other worker's
        try Self.fill(folder, 4, good: 0, bad: 0)
        try Self.fill(folder, 6, good: 1, bad: 0)
        let own = try Held(folder, 0)
        var good = LaneQueue(own: own.good)
        var bad = LaneQueue(own: own.bad)
        var adoption = Self.adoption(folder)
        var nowMs: UInt64 = 0
        var event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .adopted(shard: 2))
        var rows: [String] = []
        while let next = Self.takeOne(&good) { rows.append(next) }
        #expect(rows.count == 5)
        event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .none, "its bad lane has a row")
        let badRows = [Self.takeOne(&bad), Self.takeOne(&bad)]
        #expect(badRows[0] != nil && badRows[1] == nil)
        event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .finished(shard: 2, hits: 4))
        event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .adopted(shard: 6), "4 is empty")
        let last = Self.takeOne(&good)
        #expect(last != nil)
        event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .finished(shard: 6, hits: 1))
        event = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(event == .none)

        let summaries = try SpoolSummary.readAll(spoolFolder: folder.path)
        #expect(summaries.map(\.shard) == [0, 2, 3, 4, 6])
        #expect(summaries.map(\.ledger.accepted) == [2, 4, 18, 0, 1])
        #expect(summaries.map(\.ledger.spooled) == [0, 0, 9, 0, 0])
        #expect(summaries.allSatisfy { $0.ledger.closes })
        _ = own.ledger
    }

    @Test func `a shard whose worker still lives is taken in when it has left`() throws {
        let folder = TemporaryFolder()
        try Self.fill(folder, 2, good: 3, bad: 0)
        let old = try Held(folder, 2)
        let own = try Held(folder, 0)
        var good = LaneQueue(own: own.good)
        var bad = LaneQueue(own: own.bad)
        var adoption = Self.adoption(folder)
        let event = adoption.tick(nowMs: 0, good: &good, bad: &bad)
        guard case .failed(2, let reason) = event else {
            Issue.record("\(event)")
            return
        }
        #expect(reason.contains("in use by process \(getpid())"))
        // Told once, and not tried all the time.
        let again = adoption.tick(nowMs: Adoption.retryMs - 1, good: &good, bad: &bad)
        let later = adoption.tick(nowMs: Adoption.retryMs, good: &good, bad: &bad)
        let adopted = adoption.adopted
        #expect(again == .none && later == .none && adopted == nil)
        old.good.pointee.store(4...4)
        old.spool.pointee.close()
        var nowMs = 2 * Adoption.retryMs
        let taken = Self.tickOn(&adoption, &good, &bad, &nowMs)
        #expect(taken == .adopted(shard: 2))
        var count = 0
        while Self.takeOne(&good) != nil { count += 1 }
        #expect(count == 4)
        adoption.close()
        _ = own.ledger
    }

    @Test func `own rows go first, and neither lane waits for long`() throws {
        let folder = TemporaryFolder()
        try Self.fill(folder, 2, good: 50, bad: 0)
        let orphan = try Held(folder, 2)
        let own = try Held(folder, 0)
        own.good.pointee.store(1...3, hits: 2)
        var queue = LaneQueue(own: own.good, callBytes: 150)
        queue.adopt(orphan.good)
        // A batch a record of 116 B: the own backlog until the rest fits a call, then turn by turn
        // with what is appended.
        var order = ""
        var sequence: UInt64 = 3
        for _ in 0..<12 {
            let before = own.good.pointee.cursor.delivered
            let rows = Self.takeOne(&queue)
            #expect(rows != nil)
            order += own.good.pointee.cursor.delivered > before ? "o" : "a"
            if own.good.pointee.cursor.delivered == own.good.pointee.cumulativeHits {
                sequence += 1
                own.good.pointee.store(sequence...sequence, hits: 2)
            }
        }
        #expect(order == "ooaoaoaoaoao")
        let isAtEnd = queue.isAtEnd
        #expect(!isAtEnd)
        let (its, others) = (own.ledger, orphan.ledger)
        #expect(its.delivered + others.delivered > 12)
    }

    @Test func `a batch is of one lane, and moves the cursor of that one`() throws {
        let folder = TemporaryFolder()
        try Self.fill(folder, 2, good: 4, bad: 0)
        let orphan = try Held(folder, 2)
        let own = try Held(folder, 0)
        own.good.pointee.store(1...2)
        var queue = LaneQueue(own: own.good)
        queue.adopt(orphan.good)
        for expected in [2, 4] {
            queue.beginBatch()
            var end: SpoolPosition?
            var count = 0
            while case .record(let view) = queue.readNext() {
                (end, count) = (view.end, count + 1)
            }
            #expect(count == expected)
            let isAtEnd = queue.isAtEnd
            #expect(isAtEnd == (expected == 4))
            queue.commit(BatchLedger.Advance(position: end!, delivered: UInt64(count)))
        }
        let (its, others) = (own.ledger, orphan.ledger)
        #expect(its.delivered == 2 && others.delivered == 4)
        queue.beginBatch()
        if case .record = queue.readNext() { Issue.record("there is nothing more") }
        queue.release()
        let adopted = queue.adopted
        #expect(adopted == nil)
    }

    @Test(arguments: 0..<20)
    func `whatever the order of appends, batches and deaths, each row is delivered once`(
        seed: Int
    ) throws {
        var random = SeededDice(seed: UInt64(seed))
        let folder = TemporaryFolder()
        try Self.fill(folder, 2, good: 30, bad: 0)
        let orphan = try Held(folder, 2)
        let own = try Held(folder, 0)
        var queue = LaneQueue(own: own.good)
        queue.adopt(orphan.good)
        var appended: UInt64 = 0
        var delivered = 0
        var steps = 0
        while steps < 200 || !queue.isAtEnd {
            steps += 1
            if steps < 200, Bool.random(using: &random) {
                appended += 1
                own.good.pointee.store(appended...appended)
            }
            queue.beginBatch()
            var (end, count): (SpoolPosition?, UInt64) = (nil, 0)
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                guard case .record(let view) = queue.readNext() else { break }
                (end, count) = (view.end, count + 1)
            }
            if let end { queue.commit(BatchLedger.Advance(position: end, delivered: count)) }
            delivered += Int(count)
        }
        #expect(delivered == Int(appended) + 30)
        let (its, others) = (own.ledger, orphan.ledger)
        #expect(its.delivered == appended && others.delivered == 30)
    }
}
