import Testing

@testable import LoadTest

@Suite struct RateTextTests {
    @Test(arguments: [
        ("1", 1.0), ("500", 500), ("20k", 20_000), ("20K", 20_000), ("1.5M", 1_500_000),
        ("0.5", 0.5), ("20M", 20_000_000), ("0.001", 0.001), ("12.25k", 12_250),
    ])
    func `a rate is a number, with k or M`(text: String, rate: Double) throws {
        #expect(try RateText.rate(text) == .constant(rate))
    }

    @Test(arguments: [
        ("", "\"\" is not a rate"),
        ("0", "a rate of \"0\" sends nothing"),
        ("0k", "a rate of \"0k\" sends nothing"),
        ("-5", "the rate \"-5\" is negative"),
        ("nan", "\"nan\" is not a rate"),
        ("inf", "\"inf\" is not a rate"),
        ("1e6", "the rate \"1e6\" has a unit that is not k (thousand) or M (million)"),
        ("20m", "the rate \"20m\" has a unit that is not k (thousand) or M (million)"),
        ("20k/s", "the rate \"20k/s\" has a unit that is not k (thousand) or M (million)"),
        ("20,000", "the rate \"20,000\" has a unit that is not k (thousand) or M (million)"),
        (
            "20.001M",
            "the rate \"20.001M\" is above 20M a second, more than one host can send"
        ),
        ("0.0001", "the rate \"0.0001\" is below one request in 1000 s"),
        ("1.", "\"1.\" is not a rate"),
        (".5", "\".5\" is not a rate"),
        ("1 k", "the rate \"1 k\" has a unit that is not k (thousand) or M (million)"),
        ("1234567890123456789", "\"1234567890123456789\" is not a rate"),
        (
            "5\u{1B}[2J",
            "the rate \"5\\u{1B}[2J\" has a unit that is not k (thousand) or M (million)"
        ),
    ])
    func `an impossible rate is refused with its reason`(text: String, message: String) {
        let refused = refusal { _ = try RateText.rate(text) }
        #expect(refused?.message == message)
        #expect(refused?.hint.isEmpty == false)
    }

    @Test func `the hint of a refused rate shows one that works`() {
        #expect(
            refusal { _ = try RateText.rate("fast") }?.description == """
                "fast" is not a rate
                hint: write requests a second, for all connections together: 500, 20k or 1.5M
                """)
    }

    @Test func `a ramp goes from one rate to another`() throws {
        #expect(try RateText.ramp("0:20k/30s") == .ramp(from: 0, to: 20_000, seconds: 30))
        #expect(try RateText.ramp("5k:0/1m30s") == .ramp(from: 5000, to: 0, seconds: 90))
    }

    @Test(arguments: [
        ("20k/30s", "\"20k/30s\" is not a ramp from one rate to another"),
        ("0:20k", "\"0:20k\" does not say for how long"),
        ("0:20k/30", "in \"0:20k/30\": \"30\" has a number without a unit"),
        ("0:0/30s", "the ramp \"0:0/30s\" sends nothing"),
        ("1:2:3/30s", "\"1:2:3/30s\" is not a ramp from one rate to another"),
        (":20k/30s", "\"\" in \":20k/30s\" is not a rate"),
        (
            "0:30M/1s",
            "the rate \"30M\" in \"0:30M/1s\" is above 20M a second, more than one host can send"
        ),
        ("-1:5/1s", "the rate \"-1\" in \"-1:5/1s\" is negative"),
    ])
    func `a ramp that is none is refused`(text: String, message: String) {
        #expect(refusal { _ = try RateText.ramp(text) }?.message == message)
    }

    @Test(arguments: [
        ("1k,2k,5k/10s", [1000.0, 2000, 5000]),
        ("1k:4k:1k/10s", [1000, 2000, 3000, 4000]),
        ("1k:4.5k:1k/10s", [1000, 2000, 3000, 4000]),
        ("30:10:10/10s", [30, 20, 10]),
        ("5:5:1/10s", [5]),
        ("100,0,100/10s", [100, 0, 100]),
        ("7/10s", [7]),
    ])
    func `steps are a list, or a range`(text: String, rates: [Double]) throws {
        #expect(try RateText.steps(text) == .steps(rates, secondsEach: 10))
    }

    @Test func `a step of a fraction reaches its end`() throws {
        guard case .steps(let rates, _) = try RateText.steps("0.1:0.3:0.1/1s") else {
            Issue.record("no steps")
            return
        }
        #expect(rates.count == 3)
    }

    @Test(arguments: [
        ("1k,2k", "\"1k,2k\" does not say for how long"),
        ("1k,,2k/1s", "\"\" in \"1k,,2k/1s\" is not a rate"),
        ("1k:2k/1s", "\"1k:2k/1s\" is not FROM:TO:BY"),
        ("1k:2k:0/1s", "the steps of \"1k:2k:0/1s\" are 0 apart"),
        ("0,0/1s", "the steps \"0,0/1s\" send nothing"),
        ("1:1M:1/1s", "\"1:1M:1/1s\" has 1000000 steps"),
        ("1,2/90h", "the steps \"1,2/90h\" take 180h together"),
    ])
    func `steps that are none are refused`(text: String, message: String) {
        #expect(refusal { _ = try RateText.steps(text) }?.message == message)
    }

    /// What is left of a text is read as what it then says, or refused; nothing else happens.
    @Test(arguments: ["1.5M", "0:20k/1m30s", "1k,2k,5k/10s", "1k:10k:1k/500ms"])
    func `a text cut anywhere is another text or a refusal with its hint`(text: String) {
        for beginning in beginnings(of: text) {
            for form in 0..<3 {
                do {
                    let profile = try Self.shape(beginning, form: form).profile(seconds: 10)
                    #expect(profile.requests > 0)
                } catch {
                    #expect(error.message.contains(beginning) || beginning.isEmpty)
                    #expect(!error.hint.isEmpty)
                }
            }
        }
    }

    static func shape(_ text: String, form: Int) throws(PlanRefusal) -> RateShape {
        switch form {
        case 0: try RateText.rate(text)
        case 1: try RateText.ramp(text)
        default: try RateText.steps(text)
        }
    }

    // MARK: Profiles

    @Test func `a ramp stays at its end for the rest of the run`() throws {
        let profile = try RateText.ramp("0:20k/30s").profile(seconds: 60)
        #expect(profile.seconds == 60)
        #expect(profile.requests == 300_000 + 600_000)
        #expect(profile.rate(atSeconds: 45) == 20_000)
    }

    @Test func `steps last as long as they say, and are cut by a shorter run`() throws {
        let steps = try RateText.steps("1k,2k,5k/10s")
        #expect(steps.seconds == 30)
        #expect(steps.profile(seconds: 30).requests == 80_000)
        #expect(steps.profile(seconds: 15).requests == 20_000)
        #expect(try RateText.rate("5").seconds == nil)
    }

    @Test(arguments: [1, 2, 999, 1000, 15_000, 400_000])
    func `a run that ends by requests has room for all of them and no more`(count: UInt64) throws {
        for shape in [
            try RateText.rate("20k"), try RateText.rate("0.3k"), try RateText.ramp("0:20k/30s"),
            try RateText.steps("1k,0,5k/1s"),
        ] {
            let profile = try shape.profile(requests: count)
            var cursor = RateCursor(profile)
            #expect(cursor.dueNanoseconds(count: Double(count) - 1) != nil)
            #expect(cursor.dueNanoseconds(count: Double(count)) == nil)
        }
    }

    @Test func `a rate that ends at zero cannot send more`() {
        #expect(
            refusal { _ = try RateText.ramp("10:0/10s").profile(requests: 51) }?.message
                == "the rate ends at 0 after 50 of 51 requests")
        #expect(refusal { _ = try RateText.ramp("10:0/10s").profile(requests: 50) } == nil)
        #expect(
            refusal { _ = try RateText.rate("1").profile(requests: 1_000_000) }?.message
                == "1000000 requests at that rate take longer than 96h")
    }
}

@Suite struct RateDurationTests {
    @Test(arguments: [
        ("500ms", 0.5), ("10s", 10.0), ("5m", 300), ("1h", 3600), ("1m30s", 90), ("1.5s", 1.5),
        ("1h30m", 5400), ("1s500ms", 1.5), ("0.5m", 30), ("96h", 345_600),
    ])
    func `a duration is numbers with units`(text: String, seconds: Double) {
        #expect(LoadDuration(text)?.seconds == seconds)
    }

    @Test(arguments: [
        ("", "\"\" is not a duration"), ("s", "\"s\" is not a duration"),
        ("10", "\"10\" has a number without a unit"),
        ("1m30", "\"1m30\" has a number without a unit"),
        ("30s1m", "\"30s1m\" has its units out of order: hours, minutes, seconds, milliseconds"),
        ("1s1s", "\"1s1s\" has its units out of order: hours, minutes, seconds, milliseconds"),
        ("10sec", "\"10sec\" has a unit that is not ms, s, m or h"),
        ("0s", "\"0s\" is no time at all"), ("97h", "\"97h\" is too long"),
        ("-1s", "\"-1s\" is not a duration"), ("1 s", "\"1 s\" has a number without a unit"),
        ("999999999999999999h", "\"999999999999999999h\" is too long"),
    ])
    func `what is no duration is refused`(text: String, message: String) {
        #expect(refusal { _ = try LoadDuration.parse(text) }?.message == message)
        #expect(LoadDuration(text) == nil)
    }

    @Test func `a duration cut anywhere is another one or none`() {
        let accepted = beginnings(of: "1h20m30s500ms").filter { LoadDuration($0) != nil }
        #expect(
            accepted == ["1h", "1h20m", "1h20m30s", "1h20m30s500ms"],
            "1h20m30s500m has its minutes after its seconds")
    }

    @Test(arguments: ["500ms", "10s", "1m30s", "1h", "1h1m1s1ms"])
    func `a duration is written as it was read`(text: String) {
        #expect(LoadDuration(text)?.description == text)
    }
}
