import Core
import Testing

@Suite struct FaultPlanTests {
    private func entry(_ fields: [(String, SettingValue)]) -> FaultText.Fields {
        fields.map { (key: $0.0, value: $0.1) }
    }

    private func read(_ entries: [(String, SettingValue)]...) -> (FaultEntries, [String]) {
        let (read, flaws) = FaultEntries.read(FaultText(top: [], entries: entries.map(entry)))
        return (read, flaws.map(\.message))
    }

    private func plan(_ faults: Fault..., seed: UInt64 = 1) -> FaultPlan {
        FaultPlan(FaultEntries(seed: seed, faults: faults), nowMs: 1000)
    }

    private func call(_ sizes: [Int] = [100, 100, 100], _ stream: String = "s") -> FaultPlan.Call {
        FaultPlan.Call(operation: "PutRecordBatch", stream: stream, recordBytes: sizes)
    }

    /// Indices of the calls that get an outcome.
    private func met(_ plan: inout FaultPlan, calls: Int, everyMs: UInt64 = 0) -> [Int] {
        (0..<calls).filter {
            plan.judge(call(), nowMs: 1000 + UInt64($0) * everyMs) { _ in true }.outcome != nil
        }
    }

    // MARK: Which calls

    @Test func `after, every and count choose by number`() {
        var fault = Fault(.throttle)
        (fault.after, fault.every, fault.count) = (2, 3, 2)
        var plan = plan(fault)
        let found14 = met(&plan, calls: 20)
        #expect(found14 == [2, 5])
        #expect(plan.entries[0].tally.matched == 20 && plan.entries[0].tally.fired == 2)
    }

    @Test func `start, for, on and off choose by time since the plan was set`() {
        var fault = Fault(.throttle)
        (fault.startMs, fault.forMs) = (100, 200)
        var window = plan(fault)
        let found15 = met(&window, calls: 10, everyMs: 50)
        #expect(found15 == [2, 3, 4, 5])
        (fault.startMs, fault.forMs, fault.onMs, fault.offMs) = (0, 0, 100, 50)
        var flapping = plan(fault)
        let found16 = met(&flapping, calls: 8, everyMs: 50)
        #expect(found16 == [0, 1, 3, 4, 6, 7])
    }

    @Test func `chance repeats with its seed, and is as likely as said`() {
        var fault = Fault(.throttle)
        fault.probability = 0.25
        var (one, same, other) = (plan(fault), plan(fault), plan(fault, seed: 2))
        let first = met(&one, calls: 4000)
        let found17 = met(&same, calls: 4000)
        #expect(first == found17)
        let found18 = met(&other, calls: 4000)
        #expect(first != found18)
        #expect((900...1100).contains(first.count))
    }

    @Test(arguments: [
        ("*", "a", true), ("a", "a", true), ("a", "ab", false), ("a*", "ab", true),
        ("*b", "aab", true), ("a*c*e", "abcde", true), ("a*c*e", "abcd", false), ("", "a", false),
        ("**", "", true), ("a*b", "ab", true), ("a*ab", "aab", true), ("*-0", "x-10", false),
    ])
    func `a stream's pattern covers what it says`(pattern: String, name: String, covers: Bool) {
        var fault = Fault(.throttle)
        fault.streams = pattern
        var plan = plan(fault)
        let verdict = plan.judge(call([1], name), nowMs: 1000) { _ in true }
        #expect((verdict.outcome != nil) == covers)
    }

    @Test func `calls are told apart by operation`() {
        var fault = Fault(.status)
        fault.calls = .describe
        var describing = plan(fault)
        let found19 = met(&describing, calls: 1)
        #expect(found19 == [])
        let describe = FaultPlan.Call(operation: "DescribeDeliveryStream", stream: "s")
        let found1 = describing.judge(describe, nowMs: 1000) { _ in true }
        #expect(found1.outcome != nil)
        fault = Fault(.partial)
        fault.calls = .any
        var partial = plan(fault)
        let single = FaultPlan.Call(operation: "PutRecord", stream: "s", recordBytes: [1])
        let found2 = partial.judge(single, nowMs: 1000) { _ in true }
        #expect(found2.outcome == nil)
    }

    // MARK: What

    @Test func `delays add up, and of the others the first has the call`() {
        var (slow, slower) = (Fault(.delay), Fault(.delay))
        (slow.delayMs, slower.delayMs) = (10, 5)
        var plan = plan(slow, Fault(.throttle), Fault(.html), slower)
        let verdict = plan.judge(call(), nowMs: 1000) { _ in true }
        #expect(verdict.delayMs == 15 && !verdict.stores)
        #expect(verdict.outcome == .refuse(Fault(.throttle).refusal))
        #expect(plan.entries.map(\.tally.fired) == [1, 1, 0, 1])
    }

    @Test func `records fail by index`() {
        func failed(_ change: (inout Fault) -> Void) -> [Int]? {
            var fault = Fault(.partial)
            change(&fault)
            var plan = plan(fault)
            let verdict = plan.judge(call(Array(repeating: 1, count: 5)), nowMs: 1000) { _ in true }
            if case .fail(let indices, _)? = verdict.outcome { return indices }
            return nil
        }
        #expect(failed { $0.which = .first } == [0])
        #expect(failed { $0.which = .last } == [4])
        #expect(failed { $0.which = .all } == [0, 1, 2, 3, 4])
        #expect(failed { $0.entries = [3, 1, 9] } == [1, 3])
        #expect(failed { $0.entries = [9] } == nil)
        #expect(failed { ($0.which, $0.share) = (.random, 0) } == nil)
        #expect(failed { ($0.which, $0.share) = (.random, 1) } == [0, 1, 2, 3, 4])
    }

    @Test func `a quota lets a second's worth through, and then what runs in`() {
        var fault = Fault(.quota)
        fault.bytesPerSecond = 1000
        var plan = plan(fault)
        var passed = 0
        for tick in 0..<100 {
            let verdict = plan.judge(
                call([100, 100]), nowMs: 1000 + UInt64(tick) * 100
            ) { _ in true }
            if case .fail(let indices, let refusal)? = verdict.outcome {
                passed += 2 - indices.count
                #expect(refusal.code == "ServiceUnavailableException")
                #expect(refusal.message == "Slow down.")
            } else {
                passed += 2
            }
        }
        // A second's worth at once, and 9.9 s of it after.
        #expect(passed == 10 + 99)
        #expect(plan.entries[0].tally.matched == 100)
    }

    @Test func `each stream has its own quota, and a call too many is throttled`() {
        var fault = Fault(.quota)
        fault.callsPerSecond = 2
        var plan = plan(fault)
        for stream in ["a", "b"] {
            let outcomes = (0..<3).map { _ in
                plan.judge(call([1], stream), nowMs: 1000) { _ in true }.outcome
            }
            #expect(outcomes == [nil, nil, .refuse(Fault(.throttle).refusal)])
        }
    }

    @Test func `a record larger than a second's worth passes a full bucket`() {
        var fault = Fault(.quota)
        fault.bytesPerSecond = 1000
        var plan = plan(fault)
        let found3 = plan.judge(call([5000]), nowMs: 1000) { _ in true }
        #expect(found3.outcome == nil)
        let found4 = plan.judge(call([1]), nowMs: 4000) { _ in true }
        #expect(found4.outcome != nil)
        let found5 = plan.judge(call([1]), nowMs: 6100) { _ in true }
        #expect(found5.outcome == nil)
    }

    @Test func `poison meets only calls that hold it`() {
        var fault = Fault(.poison)
        fault.text = "bad"
        var plan = plan(fault)
        let found6 = plan.judge(call(), nowMs: 1000) { $0 == "good" }
        #expect(found6.outcome == nil)
        let found7 = plan.judge(call(), nowMs: 1000) { $0 == "bad" }
        #expect(found7.outcome != nil)
        #expect(plan.entries[0].tally.fired == 1)
    }

    @Test func `a lognormal delay has the median and the tail it was given`() {
        var fault = Fault(.delay)
        (fault.p50Ms, fault.p99Ms) = (100, 1000)
        var plan = plan(fault)
        let delays = (0..<5000).map { _ in
            plan.judge(call(), nowMs: 1000) { _ in true }.delayMs
        }.sorted()
        #expect((90...110).contains(delays[2500]))
        #expect((800...1250).contains(delays[4950]))
        #expect(delays.last! <= 10_000)
        (fault.p50Ms, fault.p99Ms, fault.delayMs, fault.delayMaxMs) = (0, 0, 10, 20)
        plan = self.plan(fault)
        for _ in 0..<100 {
            let delay = plan.judge(call(), nowMs: 1000) { _ in true }.delayMs
            #expect((10...20).contains(delay))
        }
    }

    @Test func `resets, skews and handshakes are decided before the call`() {
        var (reset, skew, tls) = (Fault(.reset), Fault(.skew), Fault(.tls))
        (reset.at, reset.streams) = (.request, "s")
        skew.offsetSeconds = -600
        (tls.tls, tls.count) = (.silence, 1)
        var plan = plan(reset, skew, tls)
        let found8 = plan.judge(call(), nowMs: 1000) { _ in true }
        #expect(found8 == FaultPlan.Verdict())
        let found9 = plan.resets(operation: "PutRecord", stream: "s", nowMs: 1000)
        #expect(found9)
        let found10 = plan.resets(operation: "PutRecord", stream: nil, nowMs: 1000)
        #expect(!found10)
        let found11 = plan.skewSeconds(operation: "PutRecord", stream: nil, nowMs: 1000)
        #expect(found11 == -600)
        let found12 = plan.connectionCame(nowMs: 1000)
        #expect(found12 == .silence)
        let found13 = plan.connectionCame(nowMs: 1000)
        #expect(found13 == nil)
    }

    @Test func `records are stored unless the answer refuses them`() {
        for kind in Fault.Kind.allCases {
            let refuses: Set<Fault.Kind> = [
                .status, .throttle, .poison, .expiredToken, .unrecognizedClient, .accessDenied,
                .notFound, .partial, .quota, .hang,
            ]
            #expect(Fault(kind).storesRecords == !refuses.contains(kind), "\(kind)")
        }
        var reset = Fault(.reset)
        reset.at = .request
        #expect(!reset.storesRecords)
    }

    // MARK: Reading

    @Test func `an entry is read, and named after its kind`() {
        let (read, flaws) = read(
            [("kind", .text("status")), ("status", .integer(500)), ("streams", .text("a*"))],
            [("kind", .text("skew")), ("offset", .text("-10m")), ("for", .text("1m"))])
        #expect(flaws == [])
        #expect(read.faults[0].refusal.code == "InternalFailure")
        #expect(read.faults[0].name == "status 1" && read.faults[0].streams == "a*")
        #expect(read.faults[1].offsetSeconds == -600 && read.faults[1].forMs == 60_000)
    }

    nonisolated(unsafe) static let flawed: [([(String, SettingValue)], String)] = [
        ([], "an entry without a kind"),
        ([("kind", .text("hangs"))], "must be"),
        ([("kind", .text("hang")), ("kidn", .integer(1))], "unknown key kidn"),
        (
            [("kind", .text("hang")), ("size", .integer(1))],
            "size means nothing to kind = \"hang\""
        ),
        ([("kind", .text("chunked")), ("stored", .boolean(false))], "stored means nothing"),
        ([("kind", .text("skew"))], "skew without an offset"),
        ([("kind", .text("skew")), ("offset", .text("-x"))], "is not a duration"),
        ([("kind", .text("poison"))], "poison without a text"),
        ([("kind", .text("quota"))], "a quota without a limit"),
        ([("kind", .text("delay"))], "a delay without a time"),
        ([("kind", .text("delay")), ("p50", .text("1s"))], "p50 and p99 go together"),
        (
            [("kind", .text("delay")), ("delay", .text("2s")), ("delay_max", .text("1s"))],
            "delay_max is less"
        ),
        ([("kind", .text("html")), ("on", .text("1s"))], "on and off go together"),
        ([("kind", .text("html")), ("every", .integer(0))], "must be a whole number"),
        ([("kind", .text("html")), ("probability", .real(1.5))], "must be a number, 0 to 1"),
        ([("kind", .text("html")), ("streams", .text(""))], "must have 1 to 128 bytes"),
        ([("kind", .text("partial")), ("entries", .list([.integer(500)]))], "has an index"),
    ]

    @Test(arguments: flawed.indices)
    func `what is wrong with an entry is told`(index: Int) {
        let (fields, expected) = Self.flawed[index]
        let (_, flaws) = read(fields)
        #expect(flaws.count == 1 && flaws.first?.contains(expected) == true, "\(flaws)")
    }

    @Test func `a plan has limits`() {
        let fields = entry([("kind", .text("html"))])
        let text = FaultText(
            top: [("seed", .integer(-1)), ("sead", .integer(1))],
            entries: Array(repeating: fields, count: 101))
        let (read, flaws) = FaultEntries.read(text)
        #expect(flaws.map(\.key) == ["seed", "sead", nil])
        #expect(read.faults.count == 100)
    }

    @Test func `faults of TLS need TLS`() {
        let entries = FaultEntries(faults: [Fault(.html), Fault(.tls)])
        #expect(entries.flaw(whereTLS: true) == nil)
        #expect(entries.flaw(whereTLS: false)?.entry == 1)
    }
}
