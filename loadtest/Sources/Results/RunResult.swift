/// All that is known of a run: what JSON output holds, what every report is made of, and what
/// `load merge` joins.
struct RunResult: Codable, Equatable, Sendable {
    static let formatVersion = 1

    var format = RunResult.formatVersion
    var hydrantVersion: String
    /// UTC, "2026-11-23T07:30:00.123Z".
    var startedAt: String
    /// Microseconds since 1970: what merging aligns seconds by.
    var startedAtMicroseconds: UInt64
    var commandLine: [String]
    var machine: Machine
    var plan: LoadPlan
    /// From the first due time to the end of the last answer.
    var elapsedSeconds: Double
    /// Ended by Ctrl-C: figures are of what was sent until then.
    var wasInterrupted = false
    var totals: Totals
    var response: LatencyCells
    var service: LatencyCells
    var schedule: LatencyCells
    var seconds: [Second]
    /// CPU time of each generator thread over its time: 1 is a whole core.
    var threadLoads: [Double]
    /// The part of this machine's CPU time that its host gave to others meanwhile; nil: not known.
    var stolenShare: Double?
    var server: [ServerSample] = []
    /// Why figures should be doubted: saturation, schedule error, backlog.
    var warnings: [String] = []
    var verdicts: [Verdict] = []
    var ledger: LedgerFindings?
    var search: RateSearch?
    /// How many results were merged into this one.
    var mergedFrom: Int?
    /// When merged: what each of them was.
    var parts: [Part]?

    /// One of the results that were merged.
    struct Part: Codable, Equatable, Sendable {
        var startedAt: String
        var startedAtMicroseconds: UInt64
        var elapsedSeconds: Double
        var commandLine: [String]
        var machine: Machine
        var plan: LoadPlan
        var answered: UInt64
    }

    struct Machine: Codable, Equatable, Sendable {
        var host: String
        var cpu: String
        var cores: Int
        var memoryBytes: UInt64
        var kernel: String
    }

    struct Totals: Codable, Equatable, Sendable {
        /// By name of `LoadCounter`; levels are left out.
        var counters: [String: UInt64]
        /// Answers by status code.
        var statuses: [String: UInt64]
        /// The system's words for the latest failure of a connection, if any.
        var lastFailure: String?

        subscript(_ counter: LoadCounter) -> UInt64 { counters["\(counter)"] ?? 0 }
    }

    /// What happened in one second of the run.
    struct Second: Codable, Equatable, Sendable {
        /// 0 is the first.
        var index: Int
        /// As `Totals.counters`, of this second alone.
        var counters: [String: UInt64]
        var statuses: [String: UInt64]
        var backlog: UInt64
        var inFlight: UInt64
        var connectionsOpen: UInt64
        /// Answers that ended in this second.
        var response: LatencyCells
        var service: LatencyCells
        /// The time it covers: more than a second when a tick came late, less at the end.
        var spanSeconds = 1.0
        /// As `RunResult.stolenShare`, of this second alone.
        var stolenShare: Double?

        subscript(_ counter: LoadCounter) -> UInt64 { counters["\(counter)"] ?? 0 }
    }

    /// Counters of the server under load at a moment.
    struct ServerSample: Codable, Equatable, Sendable {
        var second: Double
        var counters: [String: UInt64]
    }

    struct Verdict: Codable, Equatable, Sendable {
        /// As given, "p99<20ms".
        var expectation: String
        /// "p99 was 12.3 ms".
        var found: String
        var isMet: Bool
    }

    /// What --find-max found.
    struct RateSearch: Codable, Equatable, Sendable {
        struct Trial: Codable, Equatable, Sendable {
            var rate: Double
            var isHeld: Bool
            /// What was measured, "p99 4.1 ms, errors 0".
            var found: String
            var isRepeat: Bool
        }

        var condition: String
        var trials: [Trial]
        /// The highest rate that held when repeated; nil when none did.
        var rate: Double?
        /// Of the repeats at that rate: least and greatest answered a second.
        var lowest: Double?
        var highest: Double?
    }
}

/// A latency distribution: counts of `LatencyScale` cells that are not empty, in ascending order.
struct LatencyCells: Codable, Equatable, Sendable {
    var cells: [Int] = []
    var counts: [UInt64] = []
}
