import Core
import Testing

@testable import Supervisor

/// What the supervisor knows of shards without a worker, also when their folders go.
@Suite struct OrphanShardsTests {
    private func line(good: UInt64, delivered: UInt64 = 0, bad: UInt64 = 0) -> SpoolLedgerLine {
        var line = SpoolLedgerLine(shard: 3)
        line.counts.goodHits = good
        line.counts.goodDelivered = delivered
        line.counts.badHits = bad
        line.oldestMicroseconds = 7
        return line
    }

    @Test func `what waited in a folder that is gone, and stays gone, is dropped`() {
        var remembered = RememberedLine(line(good: 40, delivered: 10, bad: 3))
        remembered.take(line(good: 43, delivered: 20, bad: 3), nowMs: 0)
        for nowMs: UInt64 in [1000, 2000, 5999] {
            remembered.take(SpoolLedgerLine(shard: 3), nowMs: nowMs)
            #expect(remembered.line == line(good: 43, delivered: 20, bad: 3))
        }
        for nowMs: UInt64 in [6000, 9000] {
            remembered.take(SpoolLedgerLine(shard: 3), nowMs: nowMs)
            let counts = remembered.line.counts
            #expect(counts.goodHits == 43 && counts.goodDelivered == 20 && counts.badHits == 3)
            #expect(counts.goodDropped == 23 && counts.badDropped == 3)
            #expect(counts.goodWaiting == 0 && counts.badWaiting == 0)
            #expect(remembered.line.oldestMicroseconds == 0)
        }
    }

    @Test func `a folder that its adopter made again is believed`() {
        var remembered = RememberedLine(line(good: 43))
        remembered.take(SpoolLedgerLine(shard: 3), nowMs: 0)
        remembered.take(line(good: 43, delivered: 5), nowMs: 1000)
        #expect(remembered.line == line(good: 43, delivered: 5))
        // Its patience begins anew.
        remembered.take(SpoolLedgerLine(shard: 3), nowMs: 7000)
        #expect(remembered.line == line(good: 43, delivered: 5))
    }
}
