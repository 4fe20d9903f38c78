import Config
import Core
import Foundation
import Testing

/// Lives by the thousand. `SEEDS=100000 make simulate` runs more of them; a failing one is printed
/// with the shortest history that still fails.
@Suite struct SimulatorTests {
    static let seeds: Range<UInt64> = {
        let words = ProcessInfo.processInfo.environment
        let first = words["FIRST_SEED"].flatMap { UInt64($0) } ?? 1
        return first..<(first + (words["SEEDS"].flatMap { UInt64($0) } ?? 2000))
    }()

    @Test func `whatever dies or fails, what was acknowledged is delivered`() {
        let encoder = UnsafeMutablePointer<RowEncoder>.allocate(capacity: 1)
        encoder.initialize(to: RowEncoder(SchemaFile.standard.schema))
        defer {
            encoder.deinitialize(count: 1)
            encoder.deallocate()
        }
        for seed in Self.seeds {
            guard let failure = Search(encoder).failure(of: Plan(seed: seed)) else { continue }
            Issue.record("\(failure.flaw)\n\(failure.plan.history)")
            return
        }
    }
}
