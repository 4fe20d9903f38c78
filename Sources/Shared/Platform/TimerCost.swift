/// What it costs on this machine, now, to sleep until a moment: measured, because it differs a
/// hundredfold between machines, and a generator of load has to know what it can promise.
public struct TimerCost: Equatable, Sendable {
    /// Of the thread, from one firing to the next.
    public let cpuNanoseconds: UInt64
    /// How long after its time a `PreciseTimer` fires, by median and at worst but for 1 %.
    public let lateNanosecondsP50: UInt64
    public let lateNanosecondsP99: UInt64

    /// For how long before its time a timer should stay awake to be on time (`PreciseTimer.init`): for
    /// as long as a sleep is late by, and for as long again as it costs CPU, for a sleep shorter than
    /// that saves none. Never so long that a slow machine would only spin.
    public var awakeNanoseconds: UInt64 { min(lateNanosecondsP50 + cpuNanoseconds, 200_000) }

    private struct Rounds: ~Copyable {
        let loop: Loop
        let everyNanoseconds: UInt64
        let wanted: Int
        let late: UnsafeMutablePointer<UInt64>
        var timer: PreciseTimer?
        var done = 0
        var due: UInt64 = 0

        mutating func arm() {
            due = monotonicNanoseconds() + everyNanoseconds
            timer!.arm(atNanoseconds: due)
        }

        mutating func fired() {
            late[done] = monotonicNanoseconds() - due
            done += 1
            if done < wanted { arm() } else { loop.stop() }
        }
    }

    /// Sleeps so often, for so long each time: 100 ms as it stands. On a loop of its own.
    public static func measure(
        rounds: Int = 500, everyNanoseconds: UInt64 = 200_000
    ) throws(Failure) -> TimerCost {
        precondition(rounds > 0)
        let late = UnsafeMutablePointer<UInt64>.allocate(capacity: rounds)
        defer { late.deallocate() }
        let loop = try Loop.make()
        let owner = UnsafeMutablePointer<Rounds>.allocate(capacity: 1)
        defer {
            owner.deinitialize(count: 1)
            owner.deallocate()
        }
        owner.initialize(
            to: Rounds(loop: loop, everyNanoseconds: everyNanoseconds, wanted: rounds, late: late))
        let timer = try PreciseTimer(
            in: loop, owner: owner,
            fire: { $0.assumingMemoryBound(to: Rounds.self).pointee.fired() })
        owner.pointee.timer = timer
        let before = threadCPUNanoseconds()
        owner.pointee.arm()
        loop.run()
        let used = threadCPUNanoseconds() - before
        timer.close()
        loop.run()
        try loop.close()
        let sorted = UnsafeBufferPointer(start: late, count: rounds).sorted()
        return TimerCost(
            cpuNanoseconds: used / UInt64(rounds), lateNanosecondsP50: sorted[rounds / 2],
            lateNanosecondsP99: sorted[rounds * 99 / 100])
    }
}
