import Core
import TestSupport
import Testing

@testable import Worker

/// A lane with more rows than it can deliver, and a service that comes and goes, on a fake clock.
@Suite struct FlappingTests {
    struct Run {
        var taken = 0
        var calls = 0
        var longestWaitMs: UInt64 = 0
    }

    /// One minute. `fault`: what a call gets that arrives at that time; nil: it is taken.
    static func minute(
        seed: UInt64, quota: StreamQuota, fault: (UInt64) -> FirehoseFault?
    ) -> Run {
        var random = SeededDice(seed: seed)
        var tuning = DeliveryTuning()
        tuning.quota = quota
        var machine = DeliveryMachine(tuning: tuning)
        _ = machine.appended(.init(bytes: 1 << 40))
        let weight = CallWeight(bytes: Pace.callBytesMax(quota), records: 4)
        let load = RowLoad(bytes: weight.bytes, rows: 1000)
        var run = Run()
        var nowMs: UInt64 = 0
        _ = machine.built(batch: (load, false))
        while nowMs < 60_000 {
            if case .startTimer(let ms) = machine.leave(weight, nowMs: nowMs) {
                run.longestWaitMs = max(run.longestWaitMs, ms)
                nowMs += ms
                _ = machine.timerFired()
                continue
            }
            run.calls += 1
            let arrivesMs = nowMs + UInt64.random(in: 5...40, using: &random)
            nowMs = arrivesMs + UInt64.random(in: 5...40, using: &random)
            if let fault = fault(arrivesMs) {
                let failure = DeliveryMachine.CallFailure(fault: fault, untaken: weight)
                let end = machine.failed(failure, nowMs: nowMs, dice: random.next())
                guard case .callAfter(let ms) = end.action else { fatalError("\(end)") }
                run.longestWaitMs = max(run.longestWaitMs, ms)
                nowMs += ms
                _ = machine.timerFired()
            } else {
                if nowMs <= 60_000 { run.taken += weight.bytes }
                _ = machine.delivered()
                _ = machine.built(batch: (load, false))
            }
        }
        return run
    }

    /// F14 of the fault matrix.
    @Test(arguments: 0..<30)
    func `a service that flaps every half second takes at least 40 % of the quota`(
        seed: UInt64
    ) {
        for region in ["us-east-1", "eu-central-1"] {
            let quota = StreamQuota.of(region: region)
            let run = Self.minute(seed: seed, quota: quota) { $0 / 500 % 2 == 0 ? nil : .retry }
            #expect(
                Double(run.taken) >= 0.4 * 60 * Double(quota.bytesPerSecond),
                "\(region): \(run)")
            // And it is not hammered while it is away.
            #expect(run.calls < 60 * 10, "\(region): \(run)")
        }
    }

    @Test func `a service that is well takes the whole quota`() {
        let quota = StreamQuota.of(region: "us-east-1")
        let run = Self.minute(seed: 1, quota: quota) { _ in nil }
        #expect(Double(run.taken) >= 0.95 * 60 * Double(quota.bytesPerSecond), "\(run)")
        #expect(Double(run.taken) <= 61 * Double(quota.bytesPerSecond), "\(run)")
    }

    @Test(arguments: 0..<10)
    func `an outage of a minute is asked rarely, at least every half minute`(seed: UInt64) {
        let run = Self.minute(seed: seed, quota: .of(region: "us-east-1")) { _ in .retry }
        #expect(run.taken == 0 && run.calls <= 60, "\(run)")
        #expect(run.longestWaitMs <= 30_000)
    }
}
