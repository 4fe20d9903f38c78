import Glibc
import Testing

@testable import Platform

@Suite struct PreciseTimerTests {
    /// Notes down when its timer fired, and may do something about it.
    private final class Witness {
        var firedAt: [UInt64] = []
        var whenFired: (Witness) -> Void = { _ in }
        var timer: PreciseTimer!

        init(in loop: Loop, awake: UInt64 = 0) throws {
            let raw = Unmanaged.passUnretained(self).toOpaque()
            timer = try PreciseTimer(
                in: loop, owner: raw, awakeNanoseconds: awake,
                fire: {
                    let witness = Unmanaged<Witness>.fromOpaque($0).takeUnretainedValue()
                    witness.firedAt.append(monotonicNanoseconds())
                    witness.whenFired(witness)
                })
        }
    }

    /// Always asleep until it is time, awake at the end of a long wait, always awake.
    static let awake: [UInt64] = [0, 300_000, 1_000_000_000]

    private let loop: Loop

    init() throws { loop = try Loop.make() }

    /// Closes the timers and frees the loop, which fails if one still lives.
    private func end(_ witnesses: Witness...) throws {
        for witness in witnesses {
            witness.timer.close()
            witness.timer.close()
        }
        loop.run()
        try loop.close()
    }

    @Test(arguments: awake) func `it never fires early, and once for each time it was armed`(
        awake: UInt64
    ) throws {
        let witness = try Witness(in: loop, awake: awake)
        var due: [UInt64] = []
        witness.whenFired = {
            if due.count == 500 { return }
            // From a microsecond to a millisecond and a half ahead, now and then in the past.
            let ahead = UInt64(due.count * 3001 % 1500) * 1000
            due.append(monotonicNanoseconds() + ahead - (due.count % 10 == 0 ? 50_000 : 0))
            $0.timer.arm(atNanoseconds: due.last!)
        }
        witness.whenFired(witness)
        while witness.firedAt.count < 500 { loop.runOnce() }
        for _ in 0..<5 { loop.runNoWait() }
        #expect(witness.firedAt.count == 500)
        #expect(zip(due, witness.firedAt).allSatisfy { $0 <= $1 })
        #expect(!witness.timer.isArmed)
        try end(witness)
    }

    @Test(arguments: awake) func `of two timers the earlier fires first, whichever was armed first`(
        awake: UInt64
    ) throws {
        let (one, two) = (try Witness(in: loop, awake: awake), try Witness(in: loop, awake: awake))
        let now = monotonicNanoseconds()
        one.timer.arm(atNanoseconds: now + 30_000_000)
        two.timer.arm(atNanoseconds: now + 10_000_000)
        while one.firedAt.isEmpty { loop.runOnce() }
        #expect(one.firedAt.count == 1 && two.firedAt.count == 1)
        #expect(two.firedAt[0] < one.firedAt[0])
        try end(one, two)
    }

    @Test(arguments: [UInt64(0), 1, 1_000_000_000]) func `a past time fires at once`(
        past: UInt64
    ) throws {
        let witness = try Witness(in: loop)
        witness.timer.arm(atNanoseconds: past)
        #expect(witness.timer.isArmed && witness.firedAt.isEmpty, "not within the call")
        // The far one ends the test should the other never fire.
        let far = try Witness(in: loop)
        far.timer.arm(atNanoseconds: monotonicNanoseconds() + 10_000_000_000)
        while witness.firedAt.isEmpty && far.firedAt.isEmpty { loop.runOnce() }
        #expect(witness.firedAt.count == 1 && far.firedAt.isEmpty)
        try end(witness, far)
    }

    @Test(arguments: awake) func `disarmed it does not fire, and armed again it does`(
        awake: UInt64
    ) throws {
        let (witness, other) = (
            try Witness(in: loop, awake: awake), try Witness(in: loop, awake: awake)
        )
        let now = monotonicNanoseconds()
        witness.timer.arm(atNanoseconds: now + 5_000_000)
        other.timer.arm(atNanoseconds: now + 20_000_000)
        witness.timer.disarm()
        witness.timer.disarm()
        #expect(!witness.timer.isArmed)
        while other.firedAt.isEmpty { loop.runOnce() }
        #expect(witness.firedAt.isEmpty)
        witness.timer.arm(atNanoseconds: monotonicNanoseconds() + 1_000_000)
        while witness.firedAt.isEmpty { loop.runOnce() }
        #expect(witness.firedAt.count == 1)
        try end(witness, other)
    }

    @Test(arguments: awake) func `armed again, earlier or later, only the last time holds`(
        awake: UInt64
    ) throws {
        let witness = try Witness(in: loop, awake: awake)
        let now = monotonicNanoseconds()
        witness.timer.arm(atNanoseconds: now + 60_000_000_000)
        witness.timer.arm(atNanoseconds: now + 1_000_000)
        let later = now + 15_000_000
        witness.timer.arm(atNanoseconds: later)
        while witness.firedAt.isEmpty { loop.runOnce() }
        #expect(witness.firedAt.count == 1 && witness.firedAt[0] >= later)
        try end(witness)
    }

    @Test(arguments: awake)
    func `when two are due in one turn, the first can still take back or put off the second`(
        awake: UInt64
    ) throws {
        let timers = try (0..<3).map { _ in try Witness(in: loop, awake: awake) }
        let now = monotonicNanoseconds()
        let later = now + 20_000_000
        // Whichever of them the loop calls first speaks for the others.
        for witness in timers {
            witness.timer.arm(atNanoseconds: now + 1_000_000)
            witness.whenFired = { fired in
                let others = timers.filter { $0 !== fired }
                others.forEach { $0.whenFired = { _ in } }
                others[0].timer.disarm()
                others[1].timer.arm(atNanoseconds: later)
            }
        }
        usleep(3000)
        while timers.map(\.firedAt.count).reduce(0, +) < 2 { loop.runOnce() }
        for _ in 0..<5 { loop.runNoWait() }
        #expect(timers.map(\.firedAt.count).sorted() == [0, 1, 1])
        #expect(timers.compactMap(\.firedAt.first).max()! >= later)
        timers.forEach { $0.timer.close() }
        loop.run()
        try loop.close()
    }

    @Test func `fired and not armed again, it lets the loop sleep`() throws {
        let witness = try Witness(in: loop)
        final class Turns { var count = 0 }
        let turns = Turns()
        let each = TurnEnd(
            in: loop, owner: Unmanaged.passUnretained(turns).toOpaque(),
            fire: { Unmanaged<Turns>.fromOpaque($0).takeUnretainedValue().count += 1 })
        witness.timer.arm(atNanoseconds: 1)
        let stopper = try Witness(in: loop)
        let loop = loop
        stopper.whenFired = { _ in loop.stop() }
        stopper.timer.arm(atNanoseconds: monotonicNanoseconds() + 50_000_000)
        loop.run()
        #expect(witness.firedAt.count == 1 && stopper.firedAt.count == 1)
        #expect(turns.count <= 3, "one turn for each firing; a spinning one makes thousands")
        #expect(witness.timer.spunNanoseconds == 0)
        each.close()
        try end(witness, stopper)
    }

    @Test(arguments: awake) func `it may be closed by its own firing`(
        awake: UInt64
    ) throws {
        let witness = try Witness(in: loop, awake: awake)
        witness.whenFired = { $0.timer.close() }
        witness.timer.arm(atNanoseconds: 1)
        loop.run()  // ends because nothing is left
        #expect(witness.firedAt.count == 1)
        try loop.close()
    }

    @Test func `a loop with something open is not freed, and goes on`() throws {
        let witness = try Witness(in: loop)
        let failure = #expect(throws: Failure.self) { try loop.close() }
        #expect(failure?.number == EBUSY)
        witness.timer.arm(atNanoseconds: 1)
        loop.runOnce()
        #expect(witness.firedAt.count == 1)
        try end(witness)
    }

    @Test func `awake it turns the loop until its time, and says for how long in vain`() throws {
        let witness = try Witness(in: loop, awake: 20_000_000)
        let due = monotonicNanoseconds() + 30_000_000
        witness.timer.arm(atNanoseconds: due)
        var turns = 0
        while witness.firedAt.isEmpty {
            loop.runOnce()
            turns += 1
        }
        #expect(turns > 10 && witness.firedAt[0] >= due)
        let spun = witness.timer.spunNanoseconds
        #expect(spun > 0 && spun < witness.firedAt[0] - due + 20_000_000)
        loop.runNoWait()
        #expect(witness.timer.spunNanoseconds == spun)
        try end(witness)
    }

    @Test func `what a sleep costs is measured`() throws {
        let cost = try TimerCost.measure(rounds: 50, everyNanoseconds: 100_000)
        #expect(cost.cpuNanoseconds > 0 && cost.cpuNanoseconds < 1_000_000_000)
        #expect(cost.lateNanosecondsP50 <= cost.lateNanosecondsP99)
        #expect(try TimerCost.measure(rounds: 1).lateNanosecondsP50 > 0)
    }
}
