/// What became of one request, as the ledger file keeps it: 16 bytes, little-endian.
///
///     0   sequence          UInt64, below 2^40
///     8   sent              UInt32, tenths of a millisecond since the run's start
///     12  outcome           UInt16, the status (100 … 599), or one of `Outcome`
///     14  check             UInt16, folded from the others
struct LedgerEntry: Equatable, Sendable {
    static let byteCount = 16

    /// Where there is no status.
    enum Outcome {
        /// Sent, no whole answer before the run ended or the connection broke.
        static let unanswered: UInt16 = 0
        static let timedOut: UInt16 = 1
        static let connectionBroken: UInt16 = 2
        static let answerMalformed: UInt16 = 3
    }

    var sequence: UInt64
    var sentTenthMilliseconds: UInt32
    var outcome: UInt16
}
