/// What became of the requests of a ledger, held against where their rows must be.
///
///     sent              = acked + ackedBad + refused + otherAnswers + unanswered
///     acked + ackedBad  = delivered + spooled + bad + lost
struct LedgerFindings: Codable, Equatable, Sendable {
    /// Requests that were sent.
    var sent: UInt64 = 0
    /// Answered 2xx or 3xx: promised.
    var acked: UInt64 = 0
    /// Answered 400: promised as a bad row.
    var ackedBad: UInt64 = 0
    /// Answered 503: not promised.
    var refused: UInt64 = 0
    /// Any other status: not a hit.
    var otherAnswers: UInt64 = 0
    /// No whole answer: not promised.
    var unanswered: UInt64 = 0

    /// Promised, with a good row in a delivered object or the warehouse.
    var delivered: UInt64 = 0
    /// Promised, with a good row in the spool, or with the local Firehose, and nowhere further.
    var spooled: UInt64 = 0
    /// Promised, with a bad row, wherever that is, and no good one that has arrived.
    var bad: UInt64 = 0
    /// Of these, still in the spool, or with the local Firehose.
    var badSpooled: UInt64 = 0
    /// Promised and nowhere. Answered 400: in no bad row.
    var lost: UInt64 = 0
    /// Not promised, and yet there is a row (no fault: a 503 may still be stored).
    var unpromisedKept: UInt64 = 0
    /// Of these, answered 503.
    var refusedKept: UInt64 = 0
    /// Of these, without a whole answer.
    var unansweredKept: UInt64 = 0
    /// Rows too many with an id seen before: Hydrant delivered them again. Where a row is in an
    /// object and in the warehouse, it is one row.
    var resent: UInt64 = 0
    /// Rows too many with an id of their own: the same request was taken twice.
    var retried: UInt64 = 0
    /// Requests with a row, of a run of these ledgers, and with a sequence that none of them has.
    var unrecorded: UInt64 = 0
    /// Rows with no label, or of other runs.
    var foreign: UInt64 = 0
    /// The first few lost ones: "run-sequence, answered 200, sent 2026-11-23 07:30:00.123 UTC".
    var lostExamples: [String] = []
    /// What should be known of the reading: torn ledger ends, damage, error objects.
    var notes: [String] = []
    /// What could not be read, or not to its end. Any makes `lost` an upper bound.
    var unreadable: [String] = []
    /// The runs of the ledgers, as labels begin: "0a0b0c0d".
    var runs: [String] = []
    /// When the first of them started, microseconds since 1970.
    var startedAtMicroseconds: UInt64 = 0
    /// Rows that were read, wherever they were.
    var rowsRead: UInt64 = 0

    var duplicated: UInt64 { resent + retried }
    var promised: UInt64 { acked + ackedBad }
    /// All that was named could be read, and no row is of a request that the ledgers do not know.
    var isComplete: Bool { unreadable.isEmpty && unrecorded == 0 }

    /// Whether both sums come out.
    var closes: Bool {
        sent == acked + ackedBad + refused + otherAnswers + unanswered
            && promised == delivered + spooled + bad + lost
    }
}
