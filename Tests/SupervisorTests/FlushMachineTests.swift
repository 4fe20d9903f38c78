import Core
import Testing

@testable import Supervisor

@Suite struct FlushMachineTests {
    private func counts(
        good: UInt64, delivered: UInt64, bad: UInt64 = 0, badDelivered: UInt64 = 0
    ) -> LedgerCounts {
        var counts = LedgerCounts()
        (counts.goodHits, counts.goodDelivered) = (good, delivered)
        (counts.badHits, counts.badDelivered) = (bad, badDelivered)
        return counts
    }

    private func machine(_ counts: [LedgerCounts], local: Bool = false) -> FlushMachine {
        FlushMachine(counts: counts, awaitsLocal: local, nowMs: 0, timeoutMs: 1000)
    }

    @Test func `an empty spool is flushed at once`() {
        let start = [counts(good: 5, delivered: 5)]
        var machine = machine(start)
        #expect(machine.tick(counts: start, nowMs: 0) == .done)
    }

    @Test func `it waits for what was there at the start, not for what comes after`() {
        var machine = machine([counts(good: 10, delivered: 4), counts(good: 3, delivered: 3)])
        let later = [counts(good: 90, delivered: 9), counts(good: 50, delivered: 3)]
        #expect(machine.tick(counts: later, nowMs: 0) == .flushWorkers([0], cutsWaits: true))
        #expect(machine.waiting == [.init(shard: 0, lane: .good, rows: 1)])
        let passed = [counts(good: 95, delivered: 10), counts(good: 50, delivered: 3)]
        #expect(machine.tick(counts: passed, nowMs: 20) == .done)
    }

    @Test func `workers are told every 200 ms, and to cut their waits every ten seconds`() {
        let start = [counts(good: 1, delivered: 0)]
        var machine = FlushMachine(
            counts: start, awaitsLocal: false, nowMs: 0, timeoutMs: 25_000)
        var (told, cut): ([UInt64], [UInt64]) = ([], [])
        for nowMs in stride(from: UInt64(0), to: 25_000, by: 20) {
            switch machine.tick(counts: start, nowMs: nowMs) {
            case .flushWorkers([0], let cutsWaits):
                told.append(nowMs)
                if cutsWaits { cut.append(nowMs) }
            case .none: break
            default: Issue.record("what now?")
            }
        }
        #expect(told == Array(stride(from: 0, to: 25_000, by: 200)))
        #expect(cut == [0, 10_000, 20_000])
        #expect(machine.tick(counts: start, nowMs: 25_000) == .timedOut)
    }

    @Test func `both lanes must pass, and the stuck one is named`() {
        var machine = machine([counts(good: 2, delivered: 0, bad: 4, badDelivered: 1)])
        let stuck = [counts(good: 2, delivered: 2, bad: 4, badDelivered: 2)]
        #expect(machine.tick(counts: stuck, nowMs: 1000) == .timedOut)
        #expect(machine.waiting == [.init(shard: 0, lane: .bad, rows: 2)])
    }

    @Test func `hits that were set aside or dropped do not hold it up`() {
        var machine = machine([counts(good: 10, delivered: 0)])
        var now = counts(good: 10, delivered: 7)
        now.goodDropped = 3
        #expect(machine.tick(counts: [now], nowMs: 0) == .done)
    }

    @Test func `rows moved to the bad lane on the way are awaited there`() {
        var machine = machine([counts(good: 10, delivered: 0, bad: 1, badDelivered: 1)])
        var now = counts(good: 10, delivered: 8, bad: 3, badDelivered: 1)
        now.goodSetAside = 2
        now.badMoved = 2
        #expect(machine.tick(counts: [now], nowMs: 0) == .flushWorkers([0], cutsWaits: true))
        #expect(machine.waiting == [.init(shard: 0, lane: .bad, rows: 2)])
        now.badDelivered = 3
        #expect(machine.tick(counts: [now], nowMs: 20) == .done)
    }

    @Test func `the local firehose loads last, and is asked again when it died`() {
        let start = [counts(good: 1, delivered: 0)]
        var machine = machine(start, local: true)
        #expect(machine.tick(counts: start, nowMs: 0) == .flushWorkers([0], cutsWaits: true))
        let done = [counts(good: 1, delivered: 1)]
        #expect(machine.tick(counts: done, nowMs: 20) == .flushLocal)
        #expect(machine.tick(counts: done, nowMs: 40) == .none)
        machine.localDied()
        #expect(machine.tick(counts: done, nowMs: 60) == .flushLocal)
        machine.localLoaded()
        #expect(machine.tick(counts: done, nowMs: 80) == .done)
    }

    @Test func `without an answer of the local firehose its time runs out`() {
        let start = [counts(good: 1, delivered: 1)]
        var machine = machine(start, local: true)
        #expect(machine.tick(counts: start, nowMs: 0) == .flushLocal)
        #expect(machine.tick(counts: start, nowMs: 1000) == .timedOut)
        #expect(machine.waiting.isEmpty)
    }
}
