import Core
import Testing

@Suite struct StreamQuotaTests {
    @Test(arguments: ["us-east-1", "us-west-2", "eu-west-1"])
    func `three regions give a stream 5 MiB a second`(region: String) {
        let quota = StreamQuota.of(region: region)
        #expect(quota.bytesPerSecond == 5_242_880)
        #expect(quota.recordsPerSecond == 500_000)
        #expect(quota.callsPerSecond == 2000)
    }

    @Test(arguments: ["eu-central-1", "us-east-2", "ap-south-1", "cn-north-1", ""])
    func `all others give 1 MiB`(region: String) {
        let quota = StreamQuota.of(region: region)
        #expect(quota.bytesPerSecond == 1_048_576)
        #expect(quota.recordsPerSecond == 100_000)
        #expect(quota.callsPerSecond == 1000)
    }

    @Test func `workers of one stream share its quota, and a raise lifts all of it`() {
        let quota = StreamQuota.of(region: "us-east-2")
        #expect(quota.divided(by: 4).bytesPerSecond == 262_144)
        #expect(quota.divided(by: 4).recordsPerSecond == 25_000)
        #expect(quota.divided(by: 4).callsPerSecond == 250)
        #expect(quota.divided(by: 0) == quota)
        let raised = quota.raised(toBytesPerSecond: 10 << 20)
        #expect(raised.recordsPerSecond == 1_000_000)
        #expect(raised.callsPerSecond == 10_000)
    }
}

@Suite struct DeliveryPlanTests {
    private func plan(
        rate: Double = 120_000, rowBytes: Int = 480, region: String = "eu-west-1",
        change: (inout DeliveryPlan.Demand) -> Void = { _ in }
    ) -> DeliveryPlan {
        var demand = DeliveryPlan.Demand(rate: rate, rowBytes: rowBytes, region: region)
        change(&demand)
        return DeliveryPlan(demand)
    }

    @Test func `shards are counted by bytes, with the headroom left alone`() {
        // 57,600,000 B/s over 5,242,880 x 0.7.
        #expect(plan().aggregated.shardsNeeded == 16)
        #expect(plan { $0.headroom = 0 }.aggregated.shardsNeeded == 11)
        #expect(plan(region: "eu-central-1").aggregated.shardsNeeded == 79)
    }

    @Test func `a rate that fills a stream exactly needs no second one`() {
        let full = plan(rate: 10_240, rowBytes: 512) { $0.headroom = 0 }
        #expect(full.aggregated.shardsNeeded == 1)
        #expect(full.shardFill == 1)
        #expect(full.catchUpSeconds == nil)
    }

    @Test func `a row a record is billed as 5,120 bytes and may need shards for its records`() {
        let one = plan().oneRowPerRecord
        #expect(one.billedBytesPerSecond == 120_000 * 5120)
        #expect(one.recordsPerSecond == 120_000)
        #expect(one.callsPerSecond == 240)
        // Of 10 bytes each, records are what runs out: 2,000,000 over 500,000 x 0.7.
        let tiny = plan(rate: 2_000_000, rowBytes: 10)
        #expect(tiny.oneRowPerRecord.shardsNeeded == 6)
        // Rows of more than a step are billed in steps, and four full ones fill a call.
        #expect(plan(rate: 1, rowBytes: 5121).oneRowPerRecord.billedBytesPerSecond == 10_240)
        let large = plan(rate: 4, rowBytes: 1_024_000) { $0.lingerBytes = 4_096_000 }
        #expect(large.oneRowPerRecord.callsPerSecond == 1)
        // A row that is more than the linger's bytes leaves at once.
        #expect(plan(rate: 4, rowBytes: 1_024_000).oneRowPerRecord.callsPerSecond == 4)
    }

    @Test func `busy shards send when a batch is full, quiet ones when the linger is over`() {
        let busy = plan().aggregated
        #expect(busy.callsPerSecond == 57_600_000 / 262_144.0)
        #expect(busy.recordsPerSecond == busy.callsPerSecond)
        let quiet = plan(rate: 10) { $0.workers = 2 }.aggregated
        // Two shards, a call each every ten seconds.
        #expect(abs(quiet.callsPerSecond - 0.2) < 1e-9)
        let large = plan { $0.lingerBytes = 4_096_000 }.aggregated
        #expect(large.recordsPerSecond == 4 * large.callsPerSecond)
    }

    @Test func `aggregated rows are billed about one percent over`() {
        let ratio = plan().aggregated.billedBytesPerSecond / plan().rowBytesPerSecond
        #expect(ratio > 1.009 && ratio < 1.01)
        // Never less than a step a record.
        let rare = plan(rate: 0.01, rowBytes: 100).aggregated
        #expect(rare.billedBytesPerSecond >= 0.01 * 5120)
    }

    @Test func `a limit of rows a record is counted in records, calls and the bill`() {
        let ten = plan { $0.recordRowsMax = 10 }.aggregated
        // A batch of 262,144 B is 54 records of 4,800 B and one of what is left.
        #expect(abs(ten.recordsPerSecond - 55 * ten.callsPerSecond) < 1e-6)
        #expect(abs(ten.billedBytesPerSecond - ten.recordsPerSecond * 5120) < 1e-3)
        for rate in [120_000, 10, 0.1] {
            let one = plan(rate: rate) { $0.recordRowsMax = 1 }
            #expect(one.aggregated == one.oneRowPerRecord)
        }
        // A record has at least a row.
        let rare = plan(rate: 10) {
            ($0.recordRowsMax, $0.workers, $0.lingerMs) = (2, 2, 500)
        }
        #expect(rare.aggregated.recordsPerSecond <= 10)
        // More rows than a batch has limit nothing.
        #expect(plan { $0.recordRowsMax = 100_000 }.aggregated == plan().aggregated)
        // Eleven rows of 480 B are two steps; of a batch 3,424 B are left, one step.
        let eleven = plan { $0.recordRowsMax = 11 }.aggregated
        #expect(
            abs(eleven.billedBytesPerSecond - eleven.callsPerSecond * (49 * 10_240 + 5120)) < 1e-3)
    }

    @Test func `a quiet shard's calls leave when the linger is over, one row a record too`() {
        let quiet = plan(rate: 10) {
            $0.workers = 2
            $0.lingerMs = 500
        }
        #expect(abs(quiet.oneRowPerRecord.callsPerSecond - 4) < 1e-9)
        let rare = plan(rate: 1) {
            $0.workers = 2
            $0.lingerMs = 500
        }
        #expect(rare.oneRowPerRecord.callsPerSecond == 1)
    }

    @Test func `an outage is spooled with the headers, and worked off with what is to spare`() {
        let plan = plan { $0.outageMs = 60_000 }
        #expect(plan.outageSpoolBytes == 120_000 * (480 + 56) * 60)
        #expect(plan.outageSpoolBytesPerShard == plan.outageSpoolBytes / 16)
        let spare = 16.0 * 5_242_880 - 57_600_000
        #expect(plan.catchUpSeconds == 57_600_000 * 60 / spare)
        #expect(abs(plan.spoolSeconds - 16 * Double(10 << 30) / (120_000 * 536)) < 1e-6)
        #expect(plan.windowBytesPerRouter == 32 << 20)
    }

    @Test func `too few workers are told`() {
        let few = plan { $0.workers = 4 }
        #expect(!few.hasEnoughShards)
        #expect(few.aggregated.shardsNeeded == 16)
        #expect(few.catchUpSeconds == nil)
    }

    @Test
    func `a stream writes an object when its buffer is full or old, not more than one a minute`() {
        // 16 streams of 3.43 MiB/s fill 64 MiB in 18.6 s: that is the minute.
        #expect(plan().copiesPerHour == 16 * 60)
        #expect(plan(rate: 100) { $0.workers = 2 }.copiesPerHour == 2 * 12)
        #expect(plan(rate: 100) { $0.bufferSeconds = 0 }.copiesPerHour == 60)
    }
}
