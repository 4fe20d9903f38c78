@testable import LoadTest

/// Not the one of Testing.
typealias Expectation = LoadTest.Expectation

extension LatencyCells {
    /// The distribution of these values.
    init(microseconds values: [UInt64]) {
        var counted: [Int: UInt64] = [:]
        for value in values { counted[LatencyScale.cell(ofMicroseconds: value), default: 0] += 1 }
        let sorted = counted.sorted { $0.key < $1.key }
        self.init(cells: sorted.map(\.key), counts: sorted.map(\.value))
    }
}

extension LoadPlan {
    static func steady(rate: Double = 1000, seconds: Double = 10) -> LoadPlan {
        LoadPlan(
            target: LoadTarget(isTLS: false, host: "127.0.0.1", port: 8080, path: "/p.gif"),
            model: .open, connections: 64, workers: 1, threads: 2, seconds: seconds,
            rate: .constant(rate, seconds: seconds), seed: 1, run: 7, backlogMax: 1000)
    }
}

extension RunResult {
    /// A run in which 10,000 requests were asked for, sent and answered 200, each after 5 ms.
    static func sample() -> RunResult {
        RunResult(
            hydrantVersion: "test", startedAt: "2026-11-23T07:30:00.000Z",
            startedAtMicroseconds: 0, commandLine: ["hydrant", "load"],
            machine: Machine(host: "h", cpu: "c", cores: 2, memoryBytes: 1, kernel: "k"),
            plan: .steady(), elapsedSeconds: 10,
            totals: Totals(
                counters: ["due": 10_000, "sent": 10_000, "answered": 10_000],
                statuses: ["200": 10_000]),
            response: LatencyCells(microseconds: Array(repeating: 5000, count: 10_000)),
            service: LatencyCells(microseconds: Array(repeating: 400, count: 10_000)),
            schedule: LatencyCells(microseconds: Array(repeating: 20, count: 10_000)),
            seconds: [], threadLoads: [0.25, 0.5])
    }

    /// The sample, changed.
    static func sample(_ change: (inout RunResult) -> Void) -> RunResult {
        var result = sample()
        change(&result)
        return result
    }
}

/// The refusal of whatever `body` parses; nil when it is accepted.
func refusal(_ body: () throws -> Void) -> PlanRefusal? {
    do {
        try body()
        return nil
    } catch {
        return error as? PlanRefusal
    }
}

/// Every beginning of a text, the empty one and the whole one included.
func beginnings(of text: String) -> [String] {
    (0...text.utf8.count).map { String(decoding: Array(text.utf8).prefix($0), as: UTF8.self) }
}
