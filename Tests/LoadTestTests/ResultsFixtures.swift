import Foundation
import TestSupport
import Testing

@testable import LoadTest

/// A run as it could have been: 2,000 requests a second for half a minute, and the server stood
/// still for most of second 14.
struct SampleRun {
    var seconds = 30
    var rate: UInt64 = 2000
    var seed: UInt64 = 42
    var host = "bench-1"
    var startedAtMicroseconds: UInt64 = 1_795_419_000_123_000
    /// The second in which the server stands still; nil: it never does.
    var stallSecond: Int? = 14
    /// Factor of all latencies.
    var slowness = 1.0

    var result: RunResult {
        var dice = SeededDice(seed: seed)
        let seconds = (0..<seconds).map { second($0, &dice) }
        var totals = RunResult.Totals(
            counters: [:], statuses: [:],
            lastFailure: stallSecond == nil ? nil : "Connection reset by peer")
        for second in seconds {
            totals.counters.add(second.counters)
            totals.statuses.add(second.statuses)
        }
        return RunResult(
            hydrantVersion: "0.1.0", startedAt: "2026-11-23T07:30:00.123Z",
            startedAtMicroseconds: startedAtMicroseconds,
            commandLine: [
                "hydrant", "load", "http://127.0.0.1:8080/p.gif?event=load", "-R", "\(rate)", "-z",
                "\(self.seconds)s", "--expect", "p99.9<20ms",
            ],
            machine: RunResult.Machine(
                host: host, cpu: "AMD EPYC 7B13", cores: 2, memoryBytes: 8 << 30,
                kernel: "Linux 6.1.0 x86_64"),
            plan: plan, elapsedSeconds: Double(self.seconds) + 0.0123, totals: totals,
            response: LatencyCells.sum(seconds.map(\.response)),
            service: LatencyCells.sum(seconds.map(\.service)),
            schedule: Self.latencies(&dice, count: 5000, typical: 20, spread: 60),
            seconds: seconds, threadLoads: [0.42, 0.38], server: server)
    }

    var plan: LoadPlan {
        LoadPlan(
            target: LoadTarget(
                isTLS: false, host: "127.0.0.1", port: 8080, path: "/p.gif?event=load"),
            model: .open, connections: 64, workers: 1, threads: 2, seconds: Double(seconds),
            rate: .constant(Double(rate), seconds: Double(seconds)), seed: 1, run: UInt32(seed),
            backlogMax: 10_000)
    }

    private func second(_ index: Int, _ dice: inout SeededDice) -> RunResult.Second {
        let isStalled = index == stallSecond
        let answered = isStalled ? rate * 3 / 10 : rate - dice.roll(rate / 100)
        let bad = answered / 100
        let refused = index > 20 && index < 24 ? answered / 50 : 0
        let statuses = [
            "200": answered - bad - refused, "400": bad, "503": refused,
        ]
        let counters: [LoadCounter: UInt64] = [
            .due: rate, .sent: isStalled ? answered + 40 : answered, .answered: answered,
            .dropped: isStalled ? 100 : 0, .late: isStalled ? 700 : dice.roll(4),
            .bytesRead: answered * 310, .bytesWritten: answered * 420,
            .connectionBroken: isStalled ? 7 : 0, .timedOut: isStalled ? 2 : 0,
            .connectionsOpened: index == 0 ? 64 : isStalled ? 7 : 0,
        ]
        let count = Int(answered)
        var response = Self.latencies(&dice, count: count, typical: 310 * slowness, spread: 900)
        if isStalled {
            response.add(Self.latencies(&dice, count: 500, typical: 350_000, spread: 600_000))
        }
        return RunResult.Second(
            index: index,
            counters: Dictionary(
                uniqueKeysWithValues: counters.filter { $0.value > 0 }.map {
                    ("\($0.key)", $0.value)
                }),
            statuses: statuses.filter { $0.value > 0 }, backlog: isStalled ? 1300 : 0,
            inFlight: isStalled ? 64 : 1 + dice.roll(4), connectionsOpen: 64, response: response,
            service: Self.latencies(&dice, count: count, typical: 280 * slowness, spread: 700))
    }

    private var server: [RunResult.ServerSample] {
        (0...seconds).map { second in
            let hits = rate * UInt64(second)
            return RunResult.ServerSample(
                second: Double(second),
                counters: [
                    "accepted": hits, "delivered": hits > rate * 3 ? hits - rate * 3 : 0,
                    "answers200": hits * 99 / 100, "answers400": hits / 100, "answers503": 0,
                    "spoolBytes": hits * 700,
                ])
        }
    }

    /// Skewed, as latencies are: most are near the typical one, few far above.
    private static func latencies(
        _ dice: inout SeededDice, count: Int, typical: Double, spread: Double
    ) -> LatencyCells {
        var distribution = LatencyDistribution()
        for _ in 0..<count {
            let share = Double(dice.roll(1 << 20)) / Double(1 << 20)
            // Squared thrice, without the mathematics library: the same on every machine.
            let tail = share * share * share * share * share * share * share * share
            distribution.record(
                microseconds: UInt64(typical * (0.6 + share * 0.8) + spread * tail * tail))
        }
        return distribution.cells
    }
}

extension RunResult {
    /// With everything that a report can show.
    static let rich: RunResult = {
        var result = SampleRun().result
        result.warnings = [
            "the server kept requests waiting for 0.7 s: 100 were dropped because the backlog was full"
        ]
        result.verdicts = [
            Verdict(expectation: "p99.9<20ms", found: "p99.9 was 570 ms", isMet: false),
            Verdict(expectation: "errors<1%", found: "errors were 0.22 %", isMet: true),
            Verdict(expectation: "lost=0", found: "lost was 0", isMet: true),
        ]
        var ledger = LedgerFindings()
        (ledger.sent, ledger.acked, ledger.ackedBad) = (58_000, 57_300, 580)
        (ledger.refused, ledger.unanswered) = (100, 20)
        (ledger.delivered, ledger.spooled, ledger.bad) = (57_000, 300, 580)
        ledger.notes = ["the last 12 bytes of a ledger are torn"]
        result.ledger = ledger
        result.search = RateSearch(
            condition: "p99<10ms,errors<0.1%",
            trials: [
                .init(rate: 1000, isHeld: true, found: "p99 0.9 ms, errors 0", isRepeat: false),
                .init(rate: 4000, isHeld: false, found: "p99 41 ms, errors 0", isRepeat: false),
                .init(rate: 2000, isHeld: true, found: "p99 1.4 ms, errors 0", isRepeat: true),
            ],
            rate: 2000, lowest: 1998.4, highest: 2000.1)
        return result
    }()
}

/// Texts that must not change unnoticed.
enum Golden {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden")

    /// Compares with the file of that name. `GOLDEN=write swift test …` writes it instead: look at
    /// the change before committing it.
    static func check(
        _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = folder.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["GOLDEN"] == "write" {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        if text == golden { return }
        let lines = (text.components(separatedBy: "\n"), golden.components(separatedBy: "\n"))
        let place = zip(lines.0, lines.1).enumerated().first { $0.element.0 != $0.element.1 }
        let found = place.map { "line \($0.offset + 1): \($0.element.0)\n  was: \($0.element.1)" }
        Issue.record(
            "\(name) changed: \(found ?? "another length")", sourceLocation: sourceLocation)
    }
}
