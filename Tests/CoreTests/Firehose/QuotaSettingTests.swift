import Testing

@testable import Core

@Suite struct QuotaSettingTests {
    static func quota(_ change: (inout Settings) -> Void) -> StreamQuota? {
        var settings = Settings()
        settings.workers = 4
        change(&settings)
        return settings.quota(
            ofStream: settings.streamName(shard: 0, host: "h"), host: "h")
    }

    @Test func `auto is the region's default, and nothing with the local Firehose`() {
        #expect(Self.quota { $0.deliveryMode = .local } == nil)
        let large = Self.quota { $0.deliveryMode = .aws }
        #expect(
            large
                == StreamQuota(
                    bytesPerSecond: 5 << 20, recordsPerSecond: 500_000, callsPerSecond: 2000))
        let other = Self.quota {
            $0.deliveryMode = .aws
            $0.region = "eu-central-1"
        }
        #expect(
            other
                == StreamQuota(
                    bytesPerSecond: 1 << 20, recordsPerSecond: 100_000, callsPerSecond: 1000))
    }

    @Test func `a quota that was given takes records and calls along, up and down`() {
        let raised = Self.quota { $0.quotaBytes = 20 << 20 }
        #expect(
            raised
                == StreamQuota(
                    bytesPerSecond: 20 << 20, recordsPerSecond: 2_000_000, callsPerSecond: 8000))
        let little = Self.quota { $0.quotaBytes = 64 << 10 }
        #expect(
            little
                == StreamQuota(
                    bytesPerSecond: 64 << 10, recordsPerSecond: 6250, callsPerSecond: 25))
    }

    @Test func `workers that share a stream share its quota`() {
        let shared = Self.quota {
            $0.deliveryMode = .aws
            $0.stream = "all"
        }
        #expect(
            shared
                == StreamQuota(
                    bytesPerSecond: (5 << 20) / 4, recordsPerSecond: 125_000, callsPerSecond: 500))
    }

    @Test func `however many share one, each gets something`() {
        let least = StreamQuota(bytesPerSecond: 3, recordsPerSecond: 2, callsPerSecond: 1)
        #expect(
            least.divided(by: 10)
                == StreamQuota(bytesPerSecond: 1, recordsPerSecond: 1, callsPerSecond: 1))
        #expect(least.divided(by: 0) == least)
    }

    @Test func `one row a record and a number of rows a record contradict each other`() {
        var settings = Settings()
        settings.records = .onePerRow
        #expect(settings.effectiveRecordRowsMax == 1)
        #expect(settings.conflicts(host: "h").isEmpty)
        settings.rowsPerRecordMax = 500
        let found = settings.conflicts(host: "h")
        #expect(found.map(\.keys) == [["firehose.max_rows_per_record", "firehose.records"]])
        #expect(found.allSatisfy { !$0.isWarning })
        settings.records = .aggregated
        #expect(settings.effectiveRecordRowsMax == 500)
    }
}
