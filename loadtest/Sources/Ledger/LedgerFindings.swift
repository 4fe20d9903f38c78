/// What became of the requests of a ledger, held against where their rows must be.
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

    /// Requests with a row in a delivered object or the warehouse.
    var delivered: UInt64 = 0
    /// Requests whose row waits in the spool, or with the local Firehose, and nowhere further.
    var spooled: UInt64 = 0
    /// Requests with a bad row, wherever it is.
    var bad: UInt64 = 0
    /// Promised and nowhere.
    var lost: UInt64 = 0
    /// Not promised, and yet there is a row (no fault: a 503 may still be stored).
    var unpromisedKept: UInt64 = 0
    /// Rows too many with an id seen before: Hydrant delivered them again.
    var resent: UInt64 = 0
    /// Rows too many with an id of their own: the same request was taken twice.
    var retried: UInt64 = 0
    /// Rows with a run of these ledgers and a sequence that none of them has.
    var unrecorded: UInt64 = 0
    /// Rows with no label, or of other runs.
    var foreign: UInt64 = 0
    /// The first few lost ones, "run-sequence".
    var lostExamples: [String] = []
    /// What made reading incomplete: torn ledger ends, unreadable objects.
    var notes: [String] = []

    var duplicated: UInt64 { resent + retried }
}
