import TestSupport
import Testing

@testable import Core

@Suite struct LedgerTests {
    @Test func `a worked example closes`() {
        var counts = LedgerCounts()
        counts.goodHits = 100
        counts.goodDelivered = 80
        counts.goodSetAside = 3
        counts.goodDropped = 2
        counts.badHits = 13  // 10 that came bad, 3 moved
        counts.badMoved = 3
        counts.badDelivered = 5
        counts.badDropped = 1
        let ledger = Ledger(counts, unstored: 4)
        #expect(ledger.accepted == 110)
        #expect(ledger.delivered == 80)
        #expect(ledger.spooled == 15)
        #expect(ledger.bad == 12)
        #expect(ledger.dropped == 3)
        #expect(ledger.unstored == 4)
        #expect(ledger.badDelivered == 5)
        #expect(ledger.badSpooled == 7)
        #expect(ledger.rowsInSpool == 22)
    }

    /// A life of two lanes, hit by hit: accepted is what came, whatever became of it.
    @Test(arguments: 0..<50) func `it closes after any life of the lanes`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        var counts = LedgerCounts()
        var came: UInt64 = 0
        for _ in 0..<500 {
            switch random.next() % 8 {
            case 0, 1, 2:
                counts.goodHits += 1
                came += 1
            case 3:
                counts.badHits += 1
                came += 1
            case 4 where counts.goodWaiting > 0: counts.goodDelivered += 1
            case 5 where counts.goodWaiting > 0:
                counts.goodSetAside += 1
                counts.badHits += 1
                counts.badMoved += 1
            case 6 where counts.badWaiting > 0: counts.badDelivered += 1
            case 7 where counts.goodWaiting > 0 && random.next() % 8 == 0: counts.goodDropped += 1
            case 7 where counts.badWaiting > 0 && random.next() % 8 == 0: counts.badDropped += 1
            default: break
            }
            let ledger = Ledger(counts)
            #expect(ledger.accepted == came)
            #expect(
                ledger.accepted
                    == ledger.delivered + ledger.spooled + ledger.bad + ledger.dropped)
        }
    }

    /// A child may write anything; the sum still is the sum and nothing traps.
    @Test(arguments: 0..<50) func `nonsense in the counters traps nobody`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        let ledger = Ledger(LedgerCounts { _ in random.next() })
        #expect(
            ledger.accepted
                == ledger.delivered &+ ledger.spooled &+ ledger.bad &+ ledger.dropped)
    }

    @Test func `counts come from their counters`() {
        let counts = LedgerCounts { UInt64($0.rawValue) }
        #expect(counts.goodHits == UInt64(Counter.goodHits.rawValue))
        #expect(counts.goodDelivered == UInt64(Counter.goodDelivered.rawValue))
        #expect(counts.goodSetAside == UInt64(Counter.goodSetAside.rawValue))
        #expect(counts.goodDropped == UInt64(Counter.goodDropped.rawValue))
        #expect(counts.badHits == UInt64(Counter.badHits.rawValue))
        #expect(counts.badMoved == UInt64(Counter.badMoved.rawValue))
        #expect(counts.badDelivered == UInt64(Counter.badDelivered.rawValue))
        #expect(counts.badDropped == UInt64(Counter.badDropped.rawValue))
    }

    @Test func `ledgers add up`() {
        var counts = LedgerCounts()
        counts.goodHits = 5
        counts.goodDelivered = 2
        counts.badHits = 1
        let one = Ledger(counts, unstored: 7)
        let two = one + one
        #expect(two.accepted == 12 && two.spooled == 6 && two.bad == 2 && two.unstored == 14)
        #expect(two.badSpooled == 2 && two.delivered == 4)
    }
}
