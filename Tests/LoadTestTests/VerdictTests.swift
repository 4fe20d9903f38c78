import Testing

@testable import LoadTest

@Suite struct VerdictTests {
    static func verdict(_ text: String, on result: RunResult = .sample()) throws
        -> RunResult.Verdict
    {
        let parsed = try Expectation.parse(text)
        #expect(parsed.count == 1)
        return parsed[0].evaluate(on: result)
    }

    @Test(arguments: [
        ("p99<20ms", true, "p99 was 5.003 ms"),
        ("p99<5.003ms", false, "p99 was 5.003 ms"),
        ("p99<=5.003ms", true, "p99 was 5.003 ms"),
        ("p50>1ms", true, "p50 was 5.003 ms"),
        ("max>=1s", false, "max was 5.003 ms"),
        ("service.p99.9<500us", true, "service.p99.9 was 400 µs"),
        ("service.p99.9<400µs", false, "service.p99.9 was 400 µs"),
        ("schedule.max<0.2ms", true, "schedule.max was 20 µs"),
        ("response.min>4ms", true, "response.min was 5 ms"),
        ("errors=0", true, "errors was 0"),
        ("errors==0", true, "errors was 0"),
        ("errors<0.1%", true, "errors was 0"),
        ("rate>999", true, "rate was 1,000 answered/s"),
        ("rate > 1k", false, "rate was 1,000 answered/s"),
        ("sent=10k", true, "sent was 10,000 of 10,000 due (100%)"),
        ("answered>=99.9%", true, "answered was 10,000 of 10,000 sent (100%)"),
        ("cpu<90%", true, "cpu was 50% of a core (the busiest thread)"),
        ("cpu<0.5", false, "cpu was 50% of a core (the busiest thread)"),
        ("status.200!=10000", false, "status.200 was 10,000 of 10,000 sent (100%)"),
        ("status.4xx=0", true, "status.4xx was 0"),
    ])
    func `an expectation is held against the run`(
        text: String, isMet: Bool, found: String
    ) throws {
        // 5000 µs is counted with its neighbours up to 5003.
        #expect(
            try Self.verdict(text)
                == RunResult.Verdict(expectation: text, found: found, isMet: isMet))
    }

    @Test func `each kind of answer counts where it belongs`() throws {
        let result = RunResult.sample {
            $0.totals.statuses = ["200": 9000, "302": 100, "400": 500, "404": 30, "503": 20]
            $0.totals.counters["answered"] = 9650
            $0.totals.counters["connectFailed"] = 40
            $0.totals.counters["timedOut"] = 10
            $0.totals.counters["late"] = 7
            $0.totals.counters["dropped"] = 3
            $0.totals.counters["due"] = 10_003
        }
        for (text, found) in [
            // 404, 503 and what had no answer; neither the bad hits nor the redirects.
            ("errors<1", "errors was 100 of 10,000 sent (1%)"),
            ("bad<1", "bad was 500 of 10,000 sent (5%)"),
            ("refused<1", "refused was 20 of 10,000 sent (0.2%)"),
            ("unanswered<1", "unanswered was 350 of 10,000 sent (3.5%)"),
            ("late<1", "late was 7 of 10,000 sent (0.07%)"),
            ("dropped<1", "dropped was 3 of 10,003 due (0.03%)"),
            ("status.404<1", "status.404 was 30 of 10,000 sent (0.3%)"),
            ("status.2xx<1", "status.2xx was 9,000 of 10,000 sent (90%)"),
        ] {
            #expect(try Self.verdict(text, on: result).found == found)
        }
        #expect(try Self.verdict("errors<=1%", on: result).isMet)
        #expect(try !Self.verdict("errors<1%", on: result).isMet)
        #expect(try Self.verdict("late=0.07%", on: result).isMet, "rounding makes no difference")
    }

    @Test func `lost and duplicated are known only from a ledger`() throws {
        let unknown = try Self.verdict("lost=0")
        #expect(!unknown.isMet)
        #expect(
            unknown.found
                == "lost is unknown: only a ledger tells; run with --ledger FILE and hold it "
                + "against the rows: --against var")
        let result = RunResult.sample {
            $0.ledger = LedgerFindings(sent: 10_000, lost: 2, resent: 3, retried: 4)
        }
        #expect(try Self.verdict("lost=0", on: result).found == "lost was 2 of 10,000 sent (0.02%)")
        #expect(try Self.verdict("duplicated<=7", on: result).isMet)
        #expect(try !Self.verdict("duplicated<7", on: result).isMet)
    }

    @Test(arguments: [
        ("p99<1s", "p99 is unknown: nothing was answered"),
        ("p99!=1s", "p99 is unknown: nothing was answered"),
        ("errors<1%", "errors is unknown: nothing was sent"),
        ("sent>=99%", "sent is unknown: nothing was due"),
        ("cpu<90%", "cpu is unknown: it was not measured"),
    ])
    func `what was not measured is not met`(text: String, found: String) throws {
        let empty = RunResult.sample {
            $0.totals = RunResult.Totals(counters: [:], statuses: [:])
            $0.response = LatencyCells()
            $0.threadLoads = []
        }
        #expect(
            try Self.verdict(text, on: empty)
                == RunResult.Verdict(expectation: text, found: found, isMet: false))
        #expect(try !Self.verdict("rate>0", on: empty).isMet)
    }

    // MARK: Texts

    @Test func `several stand in one text, blanks do not matter`() throws {
        let parsed = try Expectation.parse(" p99 < 10 ms ,errors<0.1%,\trate>=19.5k")
        #expect(parsed.map(\.text) == ["p99 < 10 ms", "errors<0.1%", "rate>=19.5k"])
        #expect(parsed.map(\.limit) == [10_000, 0.001, 19_500])
        #expect(parsed.map(\.unit) == [.microseconds, .share, .plain])
        #expect(parsed.map(\.comparison) == [.below, .below, .atLeast])
        #expect(parsed[0].metric == .latency(.response, .percentile(99)))
    }

    @Test(arguments: [
        ("p99<1us", 1.0), ("p99<1\u{B5}s", 1), ("p99<1\u{3BC}s", 1), ("p99<1ms", 1000),
        ("p99<1.5s", 1_500_000), ("p99<0.25ms", 250),
    ])
    func `times have units`(text: String, microseconds: Double) throws {
        #expect(try Expectation.parse(text)[0].limit == microseconds)
    }

    @Test(arguments: [
        ("", "expected a metric, at character 1 of \"\""),
        ("<5ms", "expected a metric, at character 1 of \"<5ms\""),
        ("p99", "expected one of < <= > >= = != here, at character 4 of \"p99\""),
        ("p99<", "expected a number, at character 5 of \"p99<\""),
        ("p99<20", "p99 needs a unit, at character 7 of \"p99<20\""),
        ("p99<20%", "\"%\" is no unit of p99, at character 7 of \"p99<20%\""),
        ("p99<-5ms", "expected a number, at character 5 of \"p99<-5ms\""),
        ("p99<nan", "expected a number, at character 5 of \"p99<nan\""),
        ("p99<1e3ms", "\"e3ms\" is no unit of p99, at character 6 of \"p99<1e3ms\""),
        ("p99=<5ms", "\"=<\" is no comparison, at character 4 of \"p99=<5ms\""),
        ("p99~5ms", "expected one of < <= > >= = != here, at character 4 of \"p99~5ms\""),
        ("errors=0,", "expected a metric, at character 10 of \"errors=0,\""),
        ("errors=0, p99<5", "p99 needs a unit, at character 16 of \"errors=0, p99<5\""),
        ("errors<5ms", "\"ms\" is no unit of errors, at character 9 of \"errors<5ms\""),
        ("rate>5%", "\"%\" is no unit of rate, at character 7 of \"rate>5%\""),
        ("error=0", "\"error\" is no metric, at character 1 of \"error=0\""),
        ("p101<5ms", "\"p101\" is no metric, at character 1 of \"p101<5ms\""),
        ("p0<5ms", "\"p0\" is no metric, at character 1 of \"p0<5ms\""),
        ("status.999=0", "\"status.999\" is no metric, at character 1 of \"status.999=0\""),
        (
            "service.errors=0",
            "\"service.errors\" is no metric, at character 1 of \"service.errors=0\""
        ),
    ])
    func `a fault is told with its place`(text: String, message: String) {
        #expect(refusal { _ = try Expectation.parse(text) }?.message == message)
    }

    @Test(arguments: [
        ("error=0", "errors"), ("drop=0", "dropped"), ("p999<5ms", "p99.9"),
        ("p9999<5ms", "p99.99"), ("service.p999<5ms", "service.p99"),
        ("losst=0", "lost"), ("P99<5ms", "p99"),
    ])
    func `a near miss is suggested`(text: String, near: String) {
        let hint = refusal { _ = try Expectation.parse(text) }?.hint
        #expect(hint?.hasPrefix("did you mean \(near)? metrics are p50, ") == true, "\(hint ?? "")")
    }

    @Test func `every listed metric is one`() throws {
        for name in Metric.names { #expect(Metric(name: name) != nil, "\(name)") }
    }

    @Test func `a text cut at any byte is other expectations or refused`() throws {
        let text = "service.p99.9 <= 10.5ms, status.5xx<0.1%,rate>19.5k"
        for beginning in beginnings(of: text) {
            do {
                for expectation in try Expectation.parse(beginning) {
                    #expect(beginning.contains(expectation.text))
                }
            } catch {
                #expect(error.message.contains("at character"))
                #expect(!error.hint.isEmpty)
            }
        }
        #expect(try Expectation.parse(text).count == 3)
    }

    @Test func `endless texts are refused`() {
        let many = Array(repeating: "errors=0", count: 65).joined(separator: ",")
        #expect(
            refusal { _ = try Expectation.parse(many) }?.message == "65 expectations in one text")
    }
}
