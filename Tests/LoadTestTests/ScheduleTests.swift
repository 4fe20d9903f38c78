import Testing

@testable import LoadTest

/// When requests are due, before anything keeps them from it.
@Suite struct ScheduleTests {
    private func dues(_ plan: LoadPlan, thread: Int = 0, limit: Int = 100_000) -> [UInt64] {
        var schedule = Schedule(plan, thread: thread, log: nil)
        var found: [UInt64] = []
        while found.count < limit, let due = schedule.next() { found.append(due) }
        return found
    }

    /// For one thread.
    private static func plan(rate: Double, seconds: Double) -> LoadPlan {
        var plan = LoadPlan.steady(rate: rate, seconds: seconds)
        (plan.workers, plan.threads) = (1, 1)
        return plan
    }

    @Test func `an even rate has equal gaps, from the start on`() {
        let plan = Self.plan(rate: 1000, seconds: 2)
        let found = dues(plan)
        #expect(found.count == 2000)
        #expect(found.prefix(3) == [0, 1_000_000, 2_000_000])
        #expect(found.last == 1_999_000_000)
    }

    @Test func `threads together have the schedule of one`() {
        var plan = Self.plan(rate: 1000, seconds: 1)
        let alone = dues(plan)
        (plan.workers, plan.threads) = (2, 2)
        let together = (0..<4).flatMap { dues(plan, thread: $0) }.sorted()
        #expect(together == alone)
    }

    @Test func `random arrivals have the mean of the rate and the spread of a Poisson process`() {
        var plan = Self.plan(rate: 1000, seconds: 50)
        plan.arrivals = .poisson
        let found = dues(plan)
        // 50,000 ± 5 standard deviations.
        #expect(abs(found.count - 50_000) < 1120)
        #expect(found == dues(plan))
        let gaps = zip(found, found.dropFirst()).map { Double($1 - $0) / 1e6 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        // Of an exponential distribution both are the same.
        #expect(abs(mean - 1) < 0.05 && abs(variance - 1) < 0.1)
        plan.seed += 1
        #expect(found != dues(plan))
    }

    @Test func `a log is replayed at its own times, faster by the pace, and begins again`() throws {
        let lines = (0..<4).map {
            "192.0.2.1 - - [23/Nov/2026:07:30:0\($0) +0000] \"GET /p.gif?n=\($0) HTTP/1.1\" 200 43"
        }
        let file = TemporaryLog(lines)
        let log = try ReplayLog(path: file.path)
        var plan = Self.plan(rate: 1, seconds: 60)
        plan.replay = .init(file: log.path, pace: 2)
        var schedule = Schedule(plan, thread: 0, log: log)
        let found = (0..<6).map { _ in Double(schedule.next()!) / 1e9 }
        #expect(found == [0, 0.5, 1, 1.5, log.seconds / 2, log.seconds / 2 + 0.5])
    }
}
