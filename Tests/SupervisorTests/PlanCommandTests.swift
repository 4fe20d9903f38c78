import Core
import Testing

@testable import Supervisor

@Suite struct PlanCommandTests {
    private func plan(_ arguments: [String], settings: Settings = Settings()) throws -> PlanText {
        let command = try PlanCommand.parse(arguments)
        return PlanText(plan: DeliveryPlan(try command.demand(settings)))
    }

    @Test func `the plan of the README`() throws {
        let text = try plan([
            "--rate", "120k", "--row-bytes", "480", "--region", "eu-west-1", "--price", "0.029",
        ])
        #expect(
            text.table == """
                120,000 rows/s of 480 B in eu-west-1: 54.9 MiB/s

                quota of a stream      5 MiB/s, 500,000 records/s, 2,000 calls/s
                shards needed          16 (a worker and a stream each), 30 % of the quota \
                left as headroom
                a shard takes          3.43 MiB/s, 68.7 % of its stream's quota, with workers \
                = 16

                                       rows aggregated  one row a record
                shards needed                       16                16
                calls a second                     220               240
                records a second                   220           120,000
                billed GB a day                  4,680            49,438
                billed over row bytes            1.01×             10.7×
                USD a day                          136             1,434

                COPYs an hour          960 into the table, 60 a stream (buffer 64 MiB or 300 \
                s); one runs at a time, so each has 3.75 s

                outage of Firehose     1h
                spool                  216 GiB in all, 13.5 GiB a shard; spool.max_bytes = 10 \
                GiB lasts 44.5 min: too little
                caught up              2.19 h after it
                memory                 does not grow with it: up to 10.4 MiB of calls a \
                worker, 32 MiB of hits a router

                """)
    }

    @Test func `without a price it says how to give one, and too few workers are told`() throws {
        let text = try plan(["--rate", "120k", "--row-bytes", "480", "--workers", "4"]).table
        #expect(text.contains("--price 0.029 or plan.price_per_gb"))
        #expect(text.contains("workers = 4 is too few for this rate"))
        #expect(text.contains("never: too few shards"))
        var settings = Settings()
        settings.pricePerGB = 0.05
        #expect(
            try plan(["--rate", "1k", "--row-bytes", "480"], settings: settings).table
                .contains("USD a day  "))
    }

    @Test func `workers that share a stream share its quota`() throws {
        var settings = Settings()
        settings.stream = "one"
        let words = [
            "--rate", "14k", "--row-bytes", "480", "--region", "eu-west-1", "--workers", "2",
        ]
        let text = try plan(words, settings: settings).table
        #expect(text.contains("all of them 128 % of the one stream's quota, with workers = 2"))
        #expect(text.contains("never: too few shards") && text.contains("put {shard} into"))
        #expect(try plan(words, settings: settings).json.contains("\"enough_shards\":false"))
        #expect(try plan(words).json.contains("\"enough_shards\":true"))
    }

    @Test func `a shard that needs its calls answered fast is told so`() throws {
        let fast = ["--rate", "120k", "--row-bytes", "480", "--workers", "4", "--quota", "20MiB"]
        let text = try plan(fast).table
        #expect(text.contains("calls go one after the other: at 13.7 MiB/s each has 284 ms"))
        #expect(try plan(fast).json.contains("\"call_s_max\":0.28"))
        #expect(
            try !plan(["--rate", "120k", "--row-bytes", "480"]).table.contains(
                "one after the other:"))
    }

    @Test func `the JSON has the same numbers`() throws {
        let text = try plan(["--rate", "1M", "--row-bytes", "512", "--outage", "30m"]).json
        #expect(text.hasPrefix("{\"rows_per_second\":1000000,\"row_bytes\":512,"))
        #expect(text.contains("\"outage_s\":1800,"))
        #expect(text.contains("\"usd_per_day\":null"))
    }

    @Test(arguments: [("500", 500.0), ("120k", 120_000), ("1.2M", 1_200_000), ("0.5", 0.5)])
    func `a rate may be written short`(text: String, rate: Double) throws {
        #expect(try PlanCommand.rate(text) == rate)
    }

    @Test(arguments: [
        "", "k", "0", "-5", "12x", "1e9", "0x10", "nan", "inf", "1001M", "1..2", "k1",
    ])
    func `what is no rate is refused with examples`(text: String) {
        do {
            _ = try PlanCommand.rate(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect("\(error)".contains("120k"))
        }
    }

    @Test(arguments: [
        ["--row-bytes", "0"], ["--row-bytes", "1024001"], ["--outage", "1"], ["--outage", "900h"],
        ["--workers", "0"], ["--headroom", "96"], ["--quota", "5M"], ["--price", "-1"],
        ["--region", "EU West"], ["--buffer-size", "129"], ["--buffer-interval", "901"],
    ])
    func `every flag out of its range is named`(flag: [String]) throws {
        var arguments = ["--rate", "1k", "--row-bytes", "480"]
        if flag[0] == "--row-bytes" { arguments.removeLast(2) }
        do {
            _ = try plan(arguments + ["\(flag[0])=\(flag[1])"])
            Issue.record("\(flag) was taken")
        } catch {
            #expect("\(error)".contains(flag[0]))
        }
    }

    @Test func `a refusal shows the usage of this command`() {
        #expect {
            _ = try Hydrant.parseAsRoot(["plan", "--rate", "0", "--row-bytes", "480"])
        } throws: {
            Hydrant.fullMessage(for: $0).contains("Usage: hydrant plan ")
        }
    }
}
