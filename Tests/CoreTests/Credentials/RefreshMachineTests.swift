import TestSupport
import Testing

@testable import Core

@Suite struct RefreshMachineTests {
    private static let minuteMs: UInt64 = 60_000
    private static func key(_ number: Int) -> Credentials {
        Credentials(accessKeyID: "K\(number)", secretAccessKey: "s")
    }

    /// A machine that holds credentials with so much life left, at time 0.
    private static func holding(
        msLeft: Int64?, isInstanceMetadata: Bool = false, dice: UInt64 = 0
    ) -> RefreshMachine {
        var machine = RefreshMachine()
        _ = machine.start()
        _ = machine.found(
            key(1), msLeft: msLeft, isInstanceMetadata: isInstanceMetadata, nowMs: 0, dice: dice)
        return machine
    }

    @Test func `what ends is renewed between 15 and 11 minutes before`() {
        let lifeMs = 6 * 60 * Self.minuteMs
        for dice in [0, 1, 239_999, 240_000, UInt64.max] {
            let wakeMs = Self.holding(msLeft: Int64(lifeMs), dice: dice).wakeAtMs
            let before = lifeMs - (wakeMs ?? 0)
            #expect((11 * Self.minuteMs...15 * Self.minuteMs).contains(before))
        }
    }

    @Test func `what never ends is left alone`() {
        #expect(Self.holding(msLeft: nil).wakeAtMs == nil)
    }

    @Test func `what lives shortly is renewed in the middle of its life`() {
        let wakeMs = Self.holding(msLeft: 20_000).wakeAtMs ?? 0
        #expect((10_000...12_500).contains(wakeMs))
    }

    @Test func `until the giver has renewed it, it is asked again, but never in a tight loop`() {
        var machine = Self.holding(msLeft: Int64(15 * Self.minuteMs))
        let endMs = 15 * Self.minuteMs
        var searches = 0
        while let wakeMs = machine.wakeAtMs, wakeMs < endMs {
            let action = machine.timerFired(nowMs: wakeMs)
            #expect(action == .search)
            searches += 1
            let verdict = machine.found(
                Self.key(1), msLeft: Int64(endMs - wakeMs), isInstanceMetadata: false,
                nowMs: wakeMs, dice: 0)
            #expect(verdict == .same)
        }
        #expect(searches < 12)
    }

    @Test func `failures are followed by longer and longer waits, up to five minutes`() {
        var machine = RefreshMachine()
        _ = machine.start()
        var (nowMs, waits) = (UInt64(0), [UInt64]())
        for _ in 0..<10 {
            machine.failed(nowMs: nowMs, dice: .max)
            let wakeMs = machine.wakeAtMs ?? 0
            waits.append(wakeMs - nowMs)
            nowMs = wakeMs
            #expect(machine.isPressing(nowMs: nowMs))
            _ = machine.timerFired(nowMs: nowMs)
        }
        #expect(waits == waits.sorted())
        #expect(waits.allSatisfy { (2500...300_000).contains($0) } && waits.last! >= 150_000)
    }

    @Test func `a failure matters from ten minutes before the end on`() {
        let machine = Self.holding(msLeft: Int64(60 * Self.minuteMs))
        let quiet = machine.isPressing(nowMs: 49 * Self.minuteMs)
        let loud = machine.isPressing(nowMs: 50 * Self.minuteMs)
        #expect(!quiet && loud)
    }

    @Test func `credentials that have ended are refused, except from instance metadata`() {
        var machine = RefreshMachine()
        _ = machine.start()
        var verdict = machine.found(
            Self.key(1), msLeft: 0, isInstanceMetadata: false, nowMs: 0, dice: 0)
        #expect(verdict == .expired && machine.wakeAtMs != nil)
        _ = machine.timerFired(nowMs: machine.wakeAtMs!)
        let nowMs: UInt64 = 10_000
        verdict = machine.found(
            Self.key(1), msLeft: -5, isInstanceMetadata: true, nowMs: nowMs, dice: 12345)
        #expect(verdict == .useStale)
        let waitMs = (machine.wakeAtMs ?? 0) - nowMs
        #expect((2 * Self.minuteMs...10 * Self.minuteMs).contains(waitMs))
    }

    @Test func `a complaint is acted on at once, and those that follow ever more rarely`() {
        var machine = Self.holding(msLeft: nil)
        var (nowMs, searches, number) = (UInt64(60_000), 0, 1)
        let first = machine.wanted(nowMs: nowMs)
        #expect(first == .search)
        let second = machine.wanted(nowMs: nowMs)
        #expect(second == .none, "one search at a time")
        // Whatever is found is refused again, a hundred times a second, for an hour.
        while nowMs < 60 * Self.minuteMs {
            if machine.isAwaitingResult {
                number += 1
                searches += 1
                _ = machine.found(
                    Self.key(number), msLeft: nil, isInstanceMetadata: false, nowMs: nowMs, dice: 0)
            }
            nowMs += 10
            if machine.wanted(nowMs: nowMs) == .none, let wakeMs = machine.wakeAtMs,
                nowMs >= wakeMs
            {
                _ = machine.timerFired(nowMs: nowMs)
            }
        }
        #expect((2...25).contains(searches), "\(searches)")
        // Long after the last complaint the next one is acted on at once.
        if machine.isAwaitingResult { machine.failed(nowMs: nowMs, dice: 0) }
        nowMs += 60 * Self.minuteMs
        let later = machine.wanted(nowMs: nowMs)
        #expect(later == .search)
    }

    /// Whatever happens: one search at a time, at least so long between two, and never asleep
    /// without a reason.
    @Test(arguments: 1...40)
    func `a random life keeps its promises`(seed: Int) {
        var dice = SeededDice(seed: UInt64(seed))
        var machine = RefreshMachine()
        var (nowMs, number) = (UInt64(1), 0)
        var (isSearching, endedAtMs) = (false, nil as UInt64?)
        var endless = false
        func began(_ action: RefreshMachine.Action) {
            guard action == .search else { return }
            #expect(!isSearching)
            if let endedAtMs { #expect(nowMs - endedAtMs >= 2500, "a tight loop") }
            isSearching = true
        }
        began(machine.start())
        for _ in 0..<500 {
            nowMs += dice.next() % 30_000
            switch dice.next() % 4 {
            case 0: began(machine.wanted(nowMs: nowMs))
            case 1 where isSearching:
                isSearching = false
                machine.failed(nowMs: nowMs, dice: dice.next())
                endedAtMs = nowMs
                #expect(machine.wakeAtMs! > nowMs)
            case 2 where isSearching:
                isSearching = false
                number += Int(dice.next() % 2)
                let left = Int64(dice.next() % 7_200_000) - 600_000
                endless = dice.next() % 5 == 0
                _ = machine.found(
                    Self.key(number), msLeft: endless ? nil : left,
                    isInstanceMetadata: dice.next() % 2 == 0, nowMs: nowMs, dice: dice.next())
                endedAtMs = nowMs
            default: began(machine.timerFired(nowMs: nowMs))
            }
            #expect(machine.isAwaitingResult == isSearching)
            #expect(isSearching || endless || machine.wakeAtMs != nil)
        }
        #expect(number > 0)
    }
}
