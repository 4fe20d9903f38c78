import TestSupport
import Testing

@testable import LoadTest

@Suite struct FindMaxTests {
    static let settings = FindMaxMachine.Settings(condition: "p99<10ms")

    /// Runs a search to its end; `holds` is the server. Checks what must be so of any search.
    static func search(
        _ settings: FindMaxMachine.Settings = settings, holds: (Double) -> Bool
    ) -> RunResult.RateSearch {
        var machine = FindMaxMachine(settings)
        var action = machine.start()
        var asked: [(rate: Double, isRepeat: Bool)] = []
        while case .measure(let rate, let isRepeat) = action {
            asked.append((rate, isRepeat))
            #expect(rate >= settings.lowestRate && rate <= settings.limitRate)
            guard asked.count <= settings.trialsMax else { break }
            let held = holds(rate)
            action =
                held
                ? machine.held(found: "ok", answeredRate: rate - Double(asked.count))
                : machine.missed(found: "not ok")
        }
        guard case .finished(let search) = action else {
            Issue.record("more than \(settings.trialsMax) trials")
            return RunResult.RateSearch(condition: "", trials: [])
        }
        #expect(search.condition == settings.condition)
        #expect(search.trials.map(\.rate) == asked.map(\.rate))
        #expect(search.trials.map(\.isRepeat) == asked.map(\.isRepeat))
        checkRepeats(of: search, settings)
        return search
    }

    /// A rate that was found is the one of the last trials, which are repeats and all held.
    static func checkRepeats(
        of search: RunResult.RateSearch, _ settings: FindMaxMachine.Settings
    ) {
        guard let rate = search.rate else {
            #expect(search.lowest == nil && search.highest == nil)
            return
        }
        let last = search.trials.suffix(settings.repeats)
        #expect(last.count == settings.repeats)
        #expect(last.allSatisfy { $0.isRepeat && $0.isHeld && $0.rate == rate })
        #expect(search.lowest! <= search.highest!)
    }

    /// The trials' rates, and the rate found, with a server that `holds` is asked about once a trial.
    static func outcome(
        _ settings: FindMaxMachine.Settings, holds: (Double) -> Bool
    ) -> (rates: [Double], found: Double?) {
        var machine = FindMaxMachine(settings)
        var action = machine.start()
        while case .measure(let rate, _) = action {
            action =
                holds(rate)
                ? machine.held(found: "ok", answeredRate: rate) : machine.missed(found: "not ok")
        }
        guard case .finished(let search) = action else { return ([], nil) }
        return (search.trials.map(\.rate), search.rate)
    }

    @Test func `a miss that does not happen again is not believed`() {
        var settings = Self.settings
        settings.missesToBelieve = 2
        settings.trialsMax = 96
        // A machine that disturbs every other trial, whatever the rate.
        var trial = 0
        let disturbed = Self.outcome(settings) { rate in
            trial += 1
            return rate <= 5300 && trial % 2 == 0
        }
        #expect(disturbed.found == 5250)
        let calm = Self.outcome(settings) { $0 <= 5300 }
        #expect(calm.found == 5250)
        // Each miss cost one trial more, each hold none.
        #expect(
            calm.rates == [
                1000, 2000, 4000, 8000, 8000, 6000, 6000, 5000, 5500, 5500, 5250, 5250, 5250, 5250,
            ])
    }

    @Test func `two misses in a row are believed, in a repeat as well`() {
        var settings = Self.settings
        settings.missesToBelieve = 2
        settings.trialsMax = 96
        var repeats = 0
        let search = Self.outcome(settings) { rate in
            if rate > 5300 { return false }
            if rate == 5250 { repeats += 1 }
            // It held while it was searched for, and once more.
            return rate < 5250 || repeats <= 2
        }
        #expect(search.found.map { $0 < 5250 && $0 >= 4900 } == true)
        let never = Self.outcome(settings) { _ in false }
        #expect(never.found == nil)
    }

    @Test func `it doubles, bisects and repeats`() {
        let search = Self.search { $0 <= 5300 }
        #expect(
            search.trials.map(\.rate) == [
                1000, 2000, 4000, 8000, 6000, 5000, 5500, 5250, 5250, 5250, 5250,
            ])
        #expect(
            search.trials.map(\.isHeld) == [
                true, true, true, false, false, true, false, true, true, true, true,
            ])
        #expect(search.trials.filter(\.isRepeat).count == 3)
        #expect(search.rate == 5250)
        // The answered rate of the search is one less with each trial; repeats are 9 to 11.
        #expect(search.lowest == 5239)
        #expect(search.highest == 5241)
    }

    @Test func `it halves when the first rate is too high`() {
        let search = Self.search { $0 <= 130 }
        #expect(search.trials.map(\.rate).prefix(5) == [1000, 500, 250, 125, 188])
        #expect(search.rate! <= 130 && search.rate! >= 130 / 1.05)
    }

    @Test(arguments: [1.0, 3, 17, 999, 1000, 1001, 44_444, 1_234_567, 19_999_999])
    func `a sharp capacity is found within the tolerance`(capacity: Double) {
        let search = Self.search { $0 <= capacity }
        #expect(search.rate! <= capacity)
        #expect(search.rate! * 1.05 + 1e-9 >= capacity)
    }

    @Test func `a server that never holds is given up at the lowest rate`() {
        let search = Self.search { _ in false }
        #expect(search.rate == nil)
        #expect(search.trials.last?.rate == 1)
        #expect(search.trials.allSatisfy { !$0.isHeld && !$0.isRepeat })
        #expect(search.trials.count < 12)
    }

    @Test func `a server that always holds is repeated at the limit`() {
        var settings = Self.settings
        settings.limitRate = 50_000
        let search = Self.search(settings) { _ in true }
        #expect(
            search.trials.map(\.rate) == [
                1000, 2000, 4000, 8000, 16_000, 32_000, 50_000, 50_000, 50_000, 50_000,
            ])
        #expect(search.rate == 50_000)
    }

    @Test func `a start above the limit begins at the limit`() {
        var settings = Self.settings
        settings.limitRate = 500
        #expect(Self.search(settings) { _ in true }.trials.map(\.rate) == [500, 500, 500, 500])
    }

    @Test func `a repeat that misses goes down a step and begins anew`() {
        var tried = 0
        // Held once at up to 5250; when repeated, 5100 is the most it holds.
        let search = Self.search { rate in
            tried += 1
            return tried <= 8 ? rate <= 5300 : rate <= 5100
        }
        let repeats = search.trials.filter(\.isRepeat)
        #expect(repeats.map(\.rate) == [5250, 5000, 5000, 5000])
        #expect(search.rate == 5000)
    }

    @Test func `steps down grow where nothing holds again`() {
        var tried = 0
        let search = Self.search { rate in
            tried += 1
            return tried <= 8 ? rate <= 5300 : rate <= 1200
        }
        // To what held before where that is nearer, else by 5, 10, 20, 40 and at most 50 %.
        let repeats = search.trials.filter(\.isRepeat).map(\.rate)
        #expect(repeats == [5250, 5000, 4500, 4000, 2400, 2000, 1000, 1000, 1000])
        #expect(search.rate == 1000)
    }

    @Test func `trials are bounded, and without its repeats no rate counts`() {
        var settings = Self.settings
        settings.trialsMax = 6
        let searchHeld = Self.search(settings) { _ in true }
        #expect(searchHeld.trials.map(\.rate) == [1000, 2000, 4000, 4000, 4000, 4000])
        #expect(searchHeld.rate == 4000)

        var tried = 0
        let search = Self.search(settings) { _ in
            tried += 1
            return tried != 5
        }
        #expect(search.trials.count == 6)
        #expect(search.rate == nil)
    }

    /// Capacity with noise: each trial meets another server.
    @Test(arguments: 0..<300)
    func `a noisy capacity ends in a rate it holds most of the time`(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        let capacity = Double.random(in: 5...2_000_000, using: &dice)
        let noise = Double.random(in: 0...0.3, using: &dice)
        let search = Self.search { rate in
            rate <= capacity * (1 + Double.random(in: -noise...noise, using: &dice))
        }
        #expect(search.trials.count <= Self.settings.trialsMax)
        let rate = search.rate ?? 0
        // The trials it saw held, so it is no more than the best server was worth …
        #expect(rate <= capacity * (1 + noise))
        // … and unless every step down met a bad moment, not far below the worst.
        #expect(rate >= capacity * (1 - noise) * 0.5)
    }

    /// Any sequence of answers at all, and any settings: it ends, and what it says is true of them.
    @Test(arguments: 0..<300)
    func `whatever the server answers the search ends`(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        var settings = Self.settings
        settings.startRate = Double.random(in: 0...30_000_000, using: &dice)
        settings.lowestRate = [0.01, 1, 100].randomElement(using: &dice)!
        settings.limitRate = [100, 5000, 20_000_000].randomElement(using: &dice)!
        settings.tolerance = Double.random(in: 0.001...0.5, using: &dice)
        settings.repeats = Int.random(in: 1...5, using: &dice)
        settings.trialsMax = Int.random(in: 6...60, using: &dice)
        let chance = Int.random(in: 0...100, using: &dice)
        let search = Self.search(settings) { _ in dice.chance(chance) }
        if let rate = search.rate {
            #expect(search.trials.contains { $0.isHeld && $0.rate == rate })
        }
    }
}

@Suite struct FindMaxTrialTests {
    static func judge(
        _ condition: String = "p99<10ms,errors<0.1%", _ change: (inout RunResult) -> Void = { _ in }
    ) throws -> Expectation.Judgement {
        Expectation.judge(trial: .sample(change), expectations: try Expectation.parse(condition))
    }

    @Test func `a trial that is as expected holds`() throws {
        #expect(
            try Self.judge()
                == Expectation.Judgement(
                    isHeld: true, found: "p99 5.003 ms, errors 0", answeredRate: 1000))
    }

    @Test func `one figure beyond its limit is a miss`() throws {
        let judgement = try Self.judge("p99<5ms,errors=0")
        #expect(!judgement.isHeld)
        #expect(judgement.found == "p99 5.003 ms, errors 0")
    }

    @Test func `a rate that was not sent was not held`() throws {
        let dropped = try Self.judge {
            $0.totals.counters["dropped"] = 1
            $0.totals.counters["sent"] = 9999
        }
        #expect(!dropped.isHeld)
        #expect(dropped.found == "p99 5.003 ms, errors 0, dropped 1 of 10,000 due")

        let slow = try Self.judge { $0.totals.counters["sent"] = 9899 }
        #expect(!slow.isHeld)
        #expect(
            slow.found == "p99 5.003 ms, errors 0, only 98.99% of the asked requests sent")
        #expect(try Self.judge { $0.totals.counters["sent"] = 9900 }.isHeld)
    }

    @Test func `a generator that was late itself says so, and whether it was busy`() throws {
        let late = LatencyCells(microseconds: Array(repeating: 3000, count: 10))
        let judgement = try Self.judge {
            $0.schedule = late
            $0.threadLoads = [0.3, 0.99]
        }
        #expect(!judgement.isHeld)
        #expect(
            judgement.found
                == "p99 5.003 ms, errors 0, own schedule error p90 3.00 ms, the generator itself was "
                + "busy (a thread at 99% of a core): give it more threads or another host")
        #expect(try Self.judge { $0.threadLoads = [1] }.isHeld, "busy and punctual is no fault")
    }

    @Test func `an interrupted trial holds nothing`() throws {
        #expect(try !Self.judge { $0.wasInterrupted = true }.isHeld)
    }

    @Test func `what is unknown is a miss with its reason`() throws {
        let judgement = try Self.judge("lost=0")
        #expect(!judgement.isHeld)
        #expect(judgement.found.hasPrefix("lost unknown (only a ledger tells"))
    }

    @Test func `what is asked is the schedule up to the run's end, or its requests`() {
        var plan = LoadPlan.steady(rate: 100, seconds: 10)
        #expect(plan.requestsAsked == 1000)
        plan.requests = 300
        #expect(plan.requestsAsked == 300)
        plan.seconds = 2
        #expect(plan.requestsAsked == 200)
    }
}
