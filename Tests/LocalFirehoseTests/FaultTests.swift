import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

/// What a client sees of each kind of fault, over a real socket, and what becomes of its records.
@Suite struct FaultTests {
    /// One call under one fault.
    private func call(
        _ fault: Fault, _ bytes: [UInt8] = FaultBench.put(), quietMs: UInt64 = 5000,
        then: (FaultBench, FaultBench.Answer) throws -> Void
    ) throws {
        var fault = fault
        fault.name = "it"
        let bench = try FaultBench(fault)
        let answer = try bench.answer(bytes, quietMs: quietMs)
        try then(bench, answer)
        bench.stop()
    }

    private func fault(_ kind: Fault.Kind, _ change: (inout Fault) -> Void = { _ in }) -> Fault {
        var fault = Fault(kind)
        change(&fault)
        return fault
    }

    // MARK: Refusals

    static let refusals: [(Fault.Kind, Int, String)] = [
        (.status, 503, "ServiceUnavailableException"), (.throttle, 400, "ThrottlingException"),
        (.expiredToken, 400, "ExpiredTokenException"),
        (.unrecognizedClient, 400, "UnrecognizedClientException"),
        (.accessDenied, 400, "AccessDeniedException"),
        (.notFound, 400, "ResourceNotFoundException"),
    ]

    @Test(arguments: refusals)
    func `a refused call says why, and nothing of it is kept`(
        kind: Fault.Kind, status: Int, code: String
    ) throws {
        try call(fault(kind)) { bench, answer in
            #expect(answer.status == status && answer.json?["__type"]?.text == code)
            #expect(answer.text.contains("x-amzn-ErrorType: \(code)\r\n"))
            #expect(bench.stored() == "")
            let tally = try bench.tally("it")
            #expect(tally["fired"] == 1 && tally["records_refused"] == 3)
            #expect(bench.counters.page.value(of: .localRecordsRefused) == 3)
            #expect(bench.counters.page.value(of: .localFaults) == 1)
        }
    }

    @Test func `records may be kept although the call is refused`() throws {
        try call(
            fault(.status) {
                ($0.status, $0.stored, $0.message) = (500, true, "Oh.")
            }
        ) { bench, answer in
            #expect(answer.status == 500 && answer.json?["__type"]?.text == "InternalFailure")
            #expect(answer.json?["message"]?.text == "Oh.")
            #expect(bench.stored().hasSuffix("one\ntwo\nthree\n"))
            let counted = try bench.tally("it")["records_untold"]
            #expect(counted == 3)
            #expect(bench.counters.page.value(of: .localRecordsUntold) == 3)
        }
    }

    @Test func `poison refuses the calls that hold it, and others pass`() throws {
        try call(fault(.poison) { $0.text = "two" }) { bench, answer in
            #expect(answer.json?["__type"]?.text == "ValidationException")
            let next = try bench.answer(FaultBench.put(["one\n", "three\n"]))
            #expect(next.status == 200)
            #expect(bench.stored().hasSuffix("one\nthree\n"))
        }
    }

    @Test func `another stream is spared`() throws {
        try call(fault(.notFound) { $0.streams = "goo*" }) { bench, answer in
            #expect(answer.status == 400)
            let next = try bench.answer(FaultBench.put(to: "other"))
            #expect(next.status == 200)
            #expect(bench.stored("other").hasSuffix("one\ntwo\nthree\n"))
        }
    }

    // MARK: Results

    @Test func `failed records are told by index, and only the others are kept`() throws {
        try call(fault(.partial) { $0.entries = [0, 2] }) { bench, answer in
            #expect(answer.status == 200 && answer.json?["FailedPutCount"] == .integer(2))
            guard case .array(let results)? = answer.json?["RequestResponses"] else {
                Issue.record("no results")
                return
            }
            #expect(
                results.map { $0["ErrorCode"]?.text } == [
                    "ServiceUnavailableException", nil, "ServiceUnavailableException",
                ])
            #expect(
                results[0]["ErrorMessage"]?.text == "Slow down." && results[0]["RecordId"] == nil)
            #expect(bench.stored().dropFirst(8) == "two\n")
            let tally = try bench.tally("it")
            #expect(tally["records_stored"] == 1 && tally["records_refused"] == 2)
            #expect(bench.counters.page.value(of: .localRecords) == 1)
        }
    }

    @Test func `failed records that were kept all the same are told apart`() throws {
        try call(
            fault(.partial) { ($0.which, $0.stored, $0.code) = (.last, true, "InternalFailure") }
        ) { bench, answer in
            #expect(answer.body.contains("\"ErrorCode\":\"InternalFailure\""))
            #expect(bench.stored().dropFirst(8) == "one\ntwo\nthree\n")
            let tally = try bench.tally("it")
            #expect(tally["records_stored"] == 2 && tally["records_untold"] == 1)
        }
    }

    @Test func `results that contradict themselves`() throws {
        try call(fault(.wrongCount) { $0.failedPutCount = 2 }) { bench, answer in
            #expect(answer.json?["FailedPutCount"] == .integer(2))
            #expect(!answer.body.contains("ErrorCode"))
            #expect(bench.stored().hasSuffix("three\n"))
        }
        for (difference, count) in [(-1, 2), (2, 5), (-9, 0)] {
            try call(fault(.results) { $0.difference = difference }) { _, answer in
                guard case .array(let results)? = answer.json?["RequestResponses"] else {
                    Issue.record("no results")
                    return
                }
                #expect(results.count == count)
            }
        }
    }

    @Test func `answers that are not the service's`() throws {
        try call(fault(.notJSON)) { bench, answer in
            #expect(answer.status == 200 && answer.json == nil && !answer.body.isEmpty)
            #expect(bench.stored().hasSuffix("three\n"))
        }
        try call(fault(.html) { $0.stored = false }) { bench, answer in
            #expect(answer.body.hasPrefix("<html>") && bench.stored() == "")
        }
    }

    @Test func `answers that are too large`() throws {
        try call(fault(.largeHeaders)) { _, answer in
            #expect(answer.text.utf8.count - answer.body.utf8.count > 64 << 10)
            #expect(answer.json?["FailedPutCount"] == .integer(0))
        }
        try call(fault(.largeBody)) { _, answer in
            #expect(answer.body.utf8.count == 10 << 20)
            #expect(answer.json?["FailedPutCount"] == .integer(0))
        }
    }

    // MARK: Ways

    @Test func `a chunked answer is the same in pieces`() throws {
        try call(fault(.chunked)) { bench, answer in
            #expect(answer.text.contains("Transfer-Encoding: chunked\r\n"))
            #expect(answer.body.hasPrefix("10\r\n{\"FailedPutCount\r\n10\r\n"))
            #expect(answer.body.hasSuffix("\r\n0\r\n\r\n"))
            let counted = try bench.tally("it")["records_stored"]
            #expect(counted == 3)
        }
    }

    @Test func `silence: nothing at all, or the head alone`() throws {
        try call(fault(.hang), quietMs: 200) { bench, answer in
            #expect(answer.text == "" && !answer.hasEnded && bench.stored() == "")
        }
        try call(fault(.hang) { $0.stored = true }, quietMs: 200) { bench, answer in
            #expect(answer.text == "" && bench.stored().hasSuffix("three\n"))
        }
        try call(fault(.silence), quietMs: 200) { bench, answer in
            #expect(answer.text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.body == "" && !answer.hasEnded && bench.stored().hasSuffix("three\n"))
        }
    }

    @Test func `a drip takes its time and comes whole`() throws {
        try call(fault(.drip) { $0.bytesPerSecond = 1000 }) { _, answer in
            #expect(answer.json?["FailedPutCount"] == .integer(0))
            #expect(answer.milliseconds >= 200)
        }
    }

    @Test func `a delayed answer takes its time`() throws {
        try call(fault(.delay) { $0.delayMs = 150 }) { bench, answer in
            #expect(answer.status == 200 && answer.milliseconds >= 140)
            #expect(bench.counters.page.value(of: .localFaults) == 1)
        }
    }

    @Test func `a reset comes within the answer, or within the call`() throws {
        try call(fault(.reset)) { bench, answer in
            #expect(answer.hasEnded && answer.json == nil)
            #expect(bench.stored().hasSuffix("three\n"))
            let counted = try bench.tally("it")["records_untold"]
            #expect(counted == 3)
        }
        let large = [String](repeating: String(repeating: "x", count: 900_000), count: 4)
        try call(fault(.reset) { ($0.at, $0.streams) = (.request, "good") }, FaultBench.put(large))
        {
            bench, answer in
            #expect(answer.hasEnded && answer.wasReset && answer.text == "")
            #expect(bench.stored() == "")
            let next = try bench.answer(FaultBench.put(to: "other"))
            #expect(next.status == 200)
        }
    }

    @Test func `a connection that is closed while it is idle seemed to be kept`() throws {
        try call(fault(.close) { $0.delayMs = 50 }) { bench, answer in
            #expect(answer.status == 200 && !answer.text.contains("Connection: close"))
            let client = try RawClient(port: bench.port)
            let first = client.exchange(FaultBench.put(), bench.loop, quietMs: 5000)
            #expect(first.status == 200 && !first.hasEnded)
            let second = client.exchange([], bench.loop, quietMs: 5000)
            #expect(second.hasEnded && !second.wasReset && second.text == "")
            client.close()
        }
    }

    @Test func `a service whose clock is off refuses what others sign, and says its time`() throws {
        try call(fault(.skew) { $0.offsetSeconds = -3600 }) { bench, answer in
            #expect(answer.json?["__type"]?.text == "InvalidSignatureException")
            #expect(answer.json?["message"]?.text?.hasPrefix("Signature not yet current") == true)
            let now = Int64(realtimeMicroseconds() / 1_000_000)
            let dates = (-3603...(-3600)).map { httpDate(unixSeconds: now + $0) }
            #expect(dates.contains { answer.text.contains("Date: \($0)\r\n") })
            let next = try bench.answer(FaultBench.put(secondsOff: -3600))
            #expect(next.status == 200)
        }
    }

    @Test func `requests behind a fault on the same connection are answered too`() throws {
        let bench = try FaultBench(fault(.delay) { ($0.delayMs, $0.count) = (30, 1) })
        let client = try RawClient(port: bench.port)
        let first = client.exchange(
            FaultBench.put(["a\n"]) + FaultBench.put(["b\n"]), bench.loop, quietMs: 5000)
        var text = first.text
        if !text.contains("RecordId", times: 2) {
            text += client.exchange([], bench.loop, quietMs: 5000).text
        }
        #expect(text.contains("RecordId", times: 2))
        client.close()
        bench.stop()
    }

    // MARK: Other calls

    @Test func `control calls can be met as well`() throws {
        let describe = FaultBench.call(
            "DescribeDeliveryStream", "{\"DeliveryStreamName\":\"good\"}")
        try call(fault(.throttle) { $0.calls = .describe }, describe) { bench, answer in
            #expect(answer.json?["__type"]?.text == "ThrottlingException")
            let next = try bench.answer(FaultBench.put())
            #expect(next.status == 200)
        }
        try call(fault(.throttle), describe) { _, answer in #expect(answer.status == 200) }
    }

    // MARK: Live

    @Test func `a plan is set, shown and cleared while it runs, in TOML or JSON`() throws {
        let bench = try FaultBench()
        #expect(try bench.answer(FaultBench.put()).status == 200)
        let toml = "[[fault]]\nkind = \"status\"\nname = \"down\"\ncount = 1\n"
        let set = try bench.answer(FaultBench.admin("POST", toml))
        #expect(set.status == 200 && set.body.contains("\"name\":\"down\""))
        #expect(try bench.answer(FaultBench.put()).status == 503)
        #expect(try bench.answer(FaultBench.put()).status == 200)
        #expect(
            try bench.tally("down") == [
                "matched": 2, "fired": 1, "records_stored": 0, "records_untold": 0,
                "records_refused": 3,
            ])
        let json = "{\"seed\":3,\"fault\":[{\"kind\":\"throttle\"}]}"
        #expect(try bench.answer(FaultBench.admin("POST", json)).body.contains("\"seed\":3"))
        #expect(try bench.answer(FaultBench.put()).body.contains("ThrottlingException"))
        #expect(try bench.answer(FaultBench.admin("DELETE")).body.contains("\"faults\":[]"))
        #expect(try bench.answer(FaultBench.put()).status == 200)
        #expect(bench.logged.count == 3)
        bench.stop()
    }

    @Test func `a plan that cannot be used is refused in words, and the old one stays`() throws {
        let bench = try FaultBench(fault(.throttle) { $0.name = "old" })
        for (body, words) in [
            ("[[fault]]\nkind = \"hangs\"\n", "did you mean"), ("[[fault]\n", "body:1:"),
            ("{\"fault\":[{\"kind\":\"skew\"}]}", "fault 1: skew without an offset"),
            ("{\"fault\":3}", "fault must be a list"), ("{\"fault\"", "no JSON"),
            ("{\"fault\":[{\"kind\":\"tls\"}]}", "speaks plain HTTP"),
        ] {
            let answer = try bench.answer(FaultBench.admin("POST", body))
            #expect(answer.status == 400 && answer.body.contains(words), "\(answer.body)")
        }
        #expect(try bench.tally("old")["fired"] == 0)
        let large = String(repeating: "#", count: 300 << 10)
        #expect(try bench.answer(FaultBench.admin("POST", large)).status == 413)
        #expect(try bench.answer(FaultBench.admin("PUT")).status == 405)
        bench.stop()
    }

    @Test func `a web page cannot reach the plan`() throws {
        let bench = try FaultBench()
        let elsewhere = "GET /_hydrant/faults HTTP/1.1\r\nHost: evil.test:80\r\n\r\n"
        #expect(try bench.answer(Array(elsewhere.utf8)).status == 403)
        let posted = FaultBench.admin(
            "POST", "[[fault]]\nkind = \"hang\"\n", "Origin: http://evil.test\r\n")
        #expect(try bench.answer(posted).status == 403)
        #expect(try bench.answer(FaultBench.put()).status == 200)
        bench.stop()
    }

    @Test func `a name is found in the first of a call, whatever the cut`() {
        let json = Array("{\"DeliveryStreamName\" : \"good\",\"Records\":[]}".utf8)
        for cut in 0...json.count {
            let found = Array(json.prefix(cut)).withUnsafeBytes { streamName(in: $0) }
            #expect(found == (cut >= 30 ? "good" : nil), "\(cut)")
        }
    }
}

extension String {
    func contains(_ part: String, times: Int) -> Bool { ranges(of: part).count == times }
}
