import TestSupport
import Testing

@testable import Core
@testable import Worker

@Suite struct PaceTests {
    /// 1,000 B, 100 records and 10 calls a second.
    static let quota = StreamQuota(
        bytesPerSecond: 1000, recordsPerSecond: 100, callsPerSecond: 10)

    /// When the next calls of that weight leave, one call after the other.
    static func leave(
        _ pace: inout Pace, _ weight: CallWeight, from startMs: UInt64 = 0, count: Int
    ) -> [UInt64] {
        var nowMs = startMs
        return (0..<count).map { _ in
            while true {
                let waitMs = pace.take(weight, nowMs: nowMs)
                if waitMs == 0 { return nowMs }
                nowMs += waitMs
            }
        }
    }

    @Test func `bytes leave at the quota's rate, after what may leave at once`() {
        var pace = Pace(Self.quota)
        let times = Self.leave(&pace, CallWeight(bytes: 250, records: 1), count: 7)
        #expect(times == [0, 0, 0, 250, 500, 750, 1000])
    }

    @Test func `records have their quota, and calls theirs`() {
        var pace = Pace(Self.quota)
        let records = Self.leave(&pace, CallWeight(bytes: 1, records: 25), count: 5)
        #expect(records == [0, 0, 0, 250, 500])
        pace = Pace(Self.quota)
        let calls = Self.leave(&pace, CallWeight(bytes: 1, records: 1), count: 10)
        #expect(calls == [0, 0, 0, 0, 0, 0, 0, 50, 150, 250])
    }

    @Test func `a call above the burst leaves when nothing else is owed, and is paid off`() {
        var pace = Pace(Self.quota)
        let times = Self.leave(&pace, CallWeight(bytes: 3000, records: 1), count: 3)
        #expect(times == [0, 3000, 6000])
    }

    @Test func `throttling halves the rate each time, down to a least`() {
        var pace = Pace(Self.quota)
        pace.throttled(nowMs: 0)
        #expect(pace.factor == 0.5)
        #expect(pace.take(CallWeight(bytes: 100, records: 1), nowMs: 0) == 200)
        for _ in 0..<20 { pace.throttled(nowMs: 0) }
        #expect(pace.factor == Pace.factorMin)
    }

    @Test func `the rate comes back by a tenth of the quota a second`() {
        var pace = Pace(Self.quota)
        pace.throttled(nowMs: 0)
        _ = pace.take(CallWeight(), nowMs: 1000)
        #expect(abs(pace.factor - 0.6) < 1e-9)
        _ = pace.take(CallWeight(), nowMs: 4000)
        #expect(abs(pace.factor - 0.9) < 1e-9)
        _ = pace.take(CallWeight(), nowMs: 60_000)
        #expect(pace.factor == 1)
    }

    @Test func `what the service did not take does not count`() {
        var pace = Pace(Self.quota)
        let all = CallWeight(bytes: 750, records: 10)
        #expect(pace.take(all, nowMs: 0) == 0)
        pace.giveBack(all)
        #expect(pace.take(all, nowMs: 0) == 0)
        #expect(pace.take(all, nowMs: 0) > 0)
    }

    @Test func `a clock that stands still or goes back gives nothing`() {
        var pace = Pace(Self.quota)
        #expect(pace.take(CallWeight(bytes: 750, records: 1), nowMs: 5000) == 0)
        #expect(pace.take(CallWeight(bytes: 100, records: 1), nowMs: 5000) == 100)
        #expect(pace.take(CallWeight(bytes: 100, records: 1), nowMs: 100) == 100)
        #expect(pace.take(CallWeight(bytes: 100, records: 1), nowMs: 200) == 0)
    }

    @Test func `a call fits the burst of its quota, and is large enough for any row`() {
        #expect(Pace.callBytesMax(nil) == Limits.firehoseCallBytesMax)
        #expect(Pace.callBytesMax(.of(region: "us-east-1")) == 3_932_160)
        #expect(Pace.callBytesMax(.of(region: "eu-central-1")) == 786_432)
        #expect(
            Pace.callBytesMax(StreamQuota.of(region: "eu-central-1").divided(by: 64))
                == RowEncoder.rowBytesMax)
        let raised = StreamQuota.of(region: "us-east-1").raised(toBytesPerSecond: 50 << 20)
        #expect(Pace.callBytesMax(raised) == Limits.firehoseCallBytesMax)
    }

    /// The service has the same quota and counts in its own way; calls arrive up to 200 ms late.
    @Test(arguments: 0..<50)
    func `paced calls are never throttled, and use the quota up`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        let quota = StreamQuota.of(region: "us-east-1")
        var fault = Fault()
        fault.bytesPerSecond = quota.bytesPerSecond
        fault.recordsPerSecond = quota.recordsPerSecond
        fault.callsPerSecond = quota.callsPerSecond
        var service = FaultQuota(fault, nowMs: 0)
        var pace = Pace(quota)
        var (nowMs, sent): (UInt64, Int) = (0, 0)
        let call = Pace.callBytesMax(quota)
        while nowMs < 60_000 {
            // Full records, and the rest.
            let sizes = [1_024_000, 1_024_000, 1_024_000, call - 3_072_000]
            nowMs =
                Self.leave(
                    &pace, CallWeight(bytes: call, records: 4), from: nowMs, count: 1)[0]
            let arrivesMs = nowMs + UInt64.random(in: 0...200, using: &random)
            #expect(service.take(sizes, nowMs: arrivesMs) == [])
            sent += call
            nowMs = arrivesMs
        }
        #expect(Double(sent) >= 0.95 * 60 * Double(quota.bytesPerSecond))
    }

    /// Half of the quota is somebody else's: the rate finds what is left.
    @Test func `a stream that gives less than its quota is used well all the same`() {
        let quota = StreamQuota(
            bytesPerSecond: 1 << 20, recordsPerSecond: 1000, callsPerSecond: 100)
        var fault = Fault()
        fault.bytesPerSecond = quota.bytesPerSecond / 2
        var service = FaultQuota(fault, nowMs: 0)
        var pace = Pace(quota)
        var (nowMs, sent, refusals): (UInt64, Int, Int) = (0, 0, 0)
        let weight = CallWeight(bytes: 128 << 10, records: 1)
        while nowMs < 120_000 {
            nowMs = Self.leave(&pace, weight, from: nowMs, count: 1)[0]
            if service.take([weight.bytes], nowMs: nowMs) == [] {
                sent += weight.bytes
            } else {
                refusals += 1
                pace.giveBack(weight)
                pace.throttled(nowMs: nowMs)
                nowMs += 500
            }
            nowMs += 10
        }
        #expect(Double(sent) >= 0.6 * 120 * Double(fault.bytesPerSecond))
        #expect(refusals < 120)
    }
}
