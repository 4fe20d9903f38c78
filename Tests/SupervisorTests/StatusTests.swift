import Core
import Foundation
import Testing

@testable import Supervisor

@Suite struct StatusTests {
    static let report: StatusReport = {
        var counts = LedgerCounts()
        (counts.goodHits, counts.goodDelivered, counts.badHits) = (1_234_567, 1_234_500, 3)
        counts.badDelivered = 1
        var ledger = Ledger(counts, unstored: 2)
        let shard = ShardLedger(
            shard: 0, stream: "hydrant-0", ledger: ledger,
            oldestMicroseconds: 1_700_000_000_000_000,
            good: .init(
                state: .backingOff, lastError: "503 \"slow\"\u{1B}[2J",
                sinceMicroseconds: 1_700_000_000_500_000))
        ledger.refused = 5
        return StatusReport(
            state: "running", pid: 10, uptimeMs: 61_005, nowMicroseconds: 1_700_000_012_345_678,
            processes: [
                .init(
                    role: "worker", index: 0, pid: 12, state: "ready", uptimeMs: 60_000,
                    restarts: 1, heartbeatAgeMs: 250,
                    stillMs: 5250),
                .init(
                    role: "router", index: 0, pid: nil, state: "down", uptimeMs: 0, restarts: 4,
                    heartbeatAgeMs: nil),
            ],
            ledger: ledger, shards: [shard],
            counters: [
                ("requests", 9), ("firehose_row_bytes", 1_000_000),
                ("firehose_billed_bytes", 1_004_160),
            ], sharedCPU: 3)
    }()

    @Test func `as JSON it reads so`() {
        let sum = #""accepted":1234570,"delivered":1234500,"bad":3,"spooled":67,"dropped":0,"#
        let rest = #""unstored":2,"bad_delivered":1,"bad_spooled":2,"bad_set_aside":0"#
        let golden =
            #"{"state":"running","pid":10,"uptime_s":61.005,"processes":["#
            + #"{"role":"worker","index":0,"pid":12,"state":"ready","uptime_s":60.000,"#
            + #""restarts":1,"heartbeat_age_s":0.250},"#
            + #"{"role":"router","index":0,"pid":null,"state":"down","uptime_s":0.000,"#
            + #""restarts":4,"heartbeat_age_s":null}],"shared_cpu":3,"ledger":{"#
            + sum + #""refused":5,"# + rest
            + #"},"billing_overhead_percent":0.42,"shards":[{"shard":0,"stream":"hydrant-0","# + sum
            + rest
            + #","oldest_undelivered_s":12.345,"adopted_by":null,"spool_error":null,"delivery":{"state":"backing_off","#
            + #""last_error":"503 \"slow\"\u001b[2J","since":"2023-11-14T22:13:20.500Z"},"#
            + #""bad_delivery":{"state":"idle","last_error":null,"since":null}}],"#
            + #""counters":{"requests":9,"firehose_row_bytes":1000000,"#
            + #""firehose_billed_bytes":1004160}}"#
        #expect(Self.report.json == golden)
    }

    @Test func `another parser takes it`() throws {
        let object = try JSONSerialization.jsonObject(with: Data(Self.report.json.utf8))
        let root = try #require(object as? [String: Any])
        let shards = try #require(root["shards"] as? [[String: Any]])
        let delivery = try #require(shards[0]["delivery"] as? [String: Any])
        #expect(delivery["last_error"] as? String == "503 \"slow\"\u{1B}[2J")
    }

    @Test func `as a table it reads so, and moves no cursor`() {
        let golden = """
            hydrant is running (pid 10, up 61.0 s), oldest undelivered row: 12.3 s

             accepted  delivered  spooled  bad  dropped  refused
            1,234,570  1,234,500       67    3        0        5
            of the bad rows 1 are delivered, 2 in the spool
            billing overhead 0.42 %: 1,000,000 B of rows are billed as 1,004,160 B

            shard   accepted  delivered  spooled  bad  dropped  unstored  oldest  delivery     stream
                0  1,234,570  1,234,500       67    3        0         2  12.3 s  backing_off  hydrant-0
            shard 0: backing_off since 2023-11-14T22:13:20.500Z: 503 "slow"?[2J

            process  index  pid  state      up  restarts
            worker       0   12  ready  60.0 s         1
            router       0    -  down        -         4
            worker 0 has stood still for 5.2 s
            routers and workers share CPU 3

            """
        #expect(Self.report.table == golden)
    }

    @Test func `a stopped cluster is shown from its spool`() {
        let shards = [Self.report.shards[0], Self.report.shards[0]]
        let report = StatusReport.stopped(shards, nowMicroseconds: 1_700_000_012_345_678)
        #expect(report.ledger.accepted == 2 * 1_234_570)
        #expect(report.json.hasPrefix(#"{"state":"stopped","pid":null,"#))
        #expect(report.table.hasPrefix("hydrant is stopped, oldest undelivered row: 12.3 s\n"))
    }

    @Test func `the billing overhead is of what was delivered, and none before`() {
        func text(_ rows: UInt64, _ billed: UInt64) -> String? {
            Billing([("firehose_row_bytes", rows), ("firehose_billed_bytes", billed)])?
                .overheadText
        }
        #expect(text(0, 0) == nil && Billing([]) == nil)
        #expect(text(5120, 5120) == "0.00")
        #expect(text(500, 5120) == "924.00")
        #expect(text(100_000, 100_049) == "0.05")
        #expect(
            StatusReport.stopped([], nowMicroseconds: 0).json.contains(
                #""billing_overhead_percent":null"#))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_399_999_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
        (1_798_761_599_000_000, "2026-12-31T23:59:59.000Z"),
    ])
    func `an instant reads as UTC`(microseconds: Int, text: String) {
        #expect(utcTime(microseconds: UInt64(microseconds)) == text)
    }

    /// Every scalar that JSON must escape, and some that it need not.
    @Test func `whatever a text holds, JSON gives it back`() throws {
        let scalars = Array(UInt32(0)...0x2FF) + [0x2028, 0x2029, 0x1F600]
        let text = String(String.UnicodeScalarView(scalars.map { Unicode.Scalar($0)! }))
        var json = JSONText()
        json.array([text]) { $0.string($1) }
        let back = try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String]
        #expect(back.map { Array($0[0].unicodeScalars) } == Array(text.unicodeScalars))
    }
}

@Suite struct ControlRequestTests {
    @Test(arguments: [
        ControlRequest.status, .statusTable, .flush(timeoutMs: 1500), .stop, .stopNow,
        .stopDeliver, .stopKeep, .reload,
    ])
    func `a request comes back from its line`(request: ControlRequest) {
        #expect(ControlRequest(line: request.line) == request)
    }

    @Test(arguments: [
        "", "status ", "Status", "flush", "flush -1", "flush 1s", "flush 86400001", "stop later",
        "stop now now", "reload now",
    ])
    func `anything else is none`(line: String) {
        #expect(ControlRequest(line: line) == nil)
    }

    @Test func `durations have a unit and a limit`() {
        #expect(DurationArgument(argument: "500ms")?.milliseconds == 500)
        #expect(DurationArgument(argument: "180s")?.milliseconds == 180_000)
        #expect(DurationArgument(argument: "24h")?.milliseconds == 86_400_000)
        for wrong in ["", "5", "s", "1.5s", "-1s", "25h", "99999999999999999999s", "1d", "٣s"] {
            #expect(DurationArgument(argument: wrong) == nil)
        }
    }
}
