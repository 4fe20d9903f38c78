import Config
import Core
import Foundation
import TestSupport
import Testing

/// Lives by the thousand; `ops/simulate` lives more of them. A failing one is told with its seed and
/// the shortest history that still fails.
@Suite struct SimulatorTests {
    @Test func `whatever dies or fails, what was acknowledged is delivered`() {
        let order = SeedOrder()
        withEncoder { encoder in
            for seed in order.seeds {
                let plan = Plan(seed: seed)
                order.begin(plan)
                guard let failure = Search(encoder).failure(of: plan) else { continue }
                order.found(failure)
                Issue.record("\(failure.flaw)\n\(failure.plan.history)")
                return
            }
            order.end()
        }
    }

    /// Else a failing seed would not fail again.
    @Test func `the same seed is the same life, in another process too`() throws {
        var lives: UInt64 = 0
        withEncoder { encoder in
            for seed in [3, 17, 45, 1234] as [UInt64] {
                let first = Simulation(Plan(seed: seed), encoder: encoder)
                let second = Simulation(Plan(seed: seed), encoder: encoder)
                #expect(first.run() == second.run())
                #expect(first.fingerprint == second.fingerprint, "seed \(seed)")
                lives = lives &* 31 &+ first.fingerprint
            }
        }
        guard let file = ProcessInfo.processInfo.environment["LIVES_FILE"] else {
            return #expect(try livesOfAnotherProcess() == lives)
        }
        try Data("\(lives)".utf8).write(to: URL(fileURLWithPath: file))
    }

    /// What this test makes of the seeds in a process of its own: hash tables are seeded anew there.
    private func livesOfAnotherProcess() throws -> UInt64? {
        let file = FileManager.default.temporaryDirectory.path + "/lives-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let itself = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let child = try SpawnedProcess(
            itself, ["--testing-library", "swift-testing", "--filter", "the same seed is"],
            environment: ["LIVES_FILE": file])
        try #require(child.waitUntilExit(withinSeconds: 60))
        return UInt64(try String(contentsOfFile: file, encoding: .utf8))
    }

    private func withEncoder(_ body: (UnsafeMutablePointer<RowEncoder>) -> Void) {
        let encoder = UnsafeMutablePointer<RowEncoder>.allocate(capacity: 1)
        encoder.initialize(to: RowEncoder(SchemaFile.standard.schema))
        defer {
            encoder.deinitialize(count: 1)
            encoder.deallocate()
        }
        body(encoder)
    }
}
