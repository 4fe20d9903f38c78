import TestSupport
import Testing

@testable import Supervisor

@Suite struct HangWatchTests {
    @Test func `silence is the time since the heartbeat last changed`() {
        var watch = HangWatch(nowMs: 1000)
        #expect(watch.look(beat: 0, nowMs: 1250) == 250)
        #expect(watch.look(beat: 7, nowMs: 1500) == 0)
        #expect(watch.look(beat: 7, nowMs: 1750) == 250)
        #expect(watch.look(beat: 7, nowMs: 2000) == 500)
        #expect(watch.silentMs == 500)
        #expect(watch.look(beat: 8, nowMs: 2250) == 0)
        #expect(watch.silentMs == 0)
    }

    @Test func `what the heartbeat says is not believed, only that it changes`() {
        var watch = HangWatch(nowMs: 1000)
        _ = watch.look(beat: .max, nowMs: 1250)
        #expect(watch.look(beat: .max, nowMs: 2000) == 750)
        // A clock that runs backwards is a sign of life as well.
        #expect(watch.look(beat: 3, nowMs: 2250) == 0)
    }

    @Test func `after a gap of the supervisor's own the time begins anew`() {
        var watch = HangWatch(nowMs: 1000)
        var nowMs: UInt64 = 1000
        for _ in 0..<100 {
            nowMs += 250
            _ = watch.look(beat: 5, nowMs: nowMs)
        }
        let silentMs = watch.look(beat: 5, nowMs: nowMs + HangWatch.gapMs)
        #expect(silentMs == 100 * 250 - 250 + HangWatch.gapMs)
        #expect(watch.look(beat: 5, nowMs: nowMs + 2 * HangWatch.gapMs + 1) == 0)
        #expect(watch.look(beat: 5, nowMs: nowMs + 2 * HangWatch.gapMs + 251) == 250)
    }

    /// A child that beats every 500 ms and a supervisor that is stopped now and then: never is it
    /// silent for longer than a beat and a look; and one that stops beating is found in time.
    @Test(arguments: 0..<200) func `who beats is never taken for hung`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        var nowMs = random.roll(1 << 40)
        let startMs = nowMs
        var watch = HangWatch(nowMs: nowMs)
        for _ in 0..<400 {
            nowMs += random.roll(20) == 0 ? random.roll(100_000) : 250 + random.roll(50)
            let silentMs = watch.look(beat: (nowMs - startMs) / 500, nowMs: nowMs)
            #expect(silentMs <= 500 + HangWatch.gapMs)
        }
        let lastMs = nowMs
        while watch.look(beat: 1 << 50, nowMs: nowMs) < 30_000 { nowMs += 250 }
        #expect(nowMs - lastMs <= 30_000 + 250)
    }
}
