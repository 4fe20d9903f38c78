/// What became of one request, as the ledger file keeps it: 16 bytes, little-endian.
///
///     0   sequence          UInt64, below 2^40
///     8   sent              UInt32, tenths of a millisecond since the run's start
///     12  outcome           UInt16, the status (100 … 599), or one of `Outcome`
///     14  check             UInt16, folded from the others
///
/// The check is never right for 16 zero bytes: a hole that a power cut left is no entry.
struct LedgerEntry: Equatable, Sendable {
    static let byteCount = 16

    /// Where there is no status.
    enum Outcome {
        /// Sent, no whole answer before the run ended or the connection broke.
        static let unanswered: UInt16 = 0
        static let timedOut: UInt16 = 1
        static let connectionBroken: UInt16 = 2
        static let answerMalformed: UInt16 = 3

        static func isKnown(_ outcome: UInt16) -> Bool {
            outcome <= answerMalformed || (100...599).contains(outcome)
        }
    }

    var sequence: UInt64
    var sentTenthMilliseconds: UInt32
    var outcome: UInt16

    /// Writes `byteCount` bytes.
    @inline(__always)
    func write(to out: UnsafeMutableRawPointer) {
        let rest = UInt64(sentTenthMilliseconds) | UInt64(outcome) << 32
        let check = Self.check(sequence, rest)
        out.storeBytes(of: sequence.littleEndian, as: UInt64.self)
        out.storeBytes(
            of: (rest | UInt64(check) << 48).littleEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// Reads `byteCount` bytes; nil when they are no entry, or a damaged one.
    @inline(__always)
    static func read(_ bytes: UnsafeRawPointer) -> LedgerEntry? {
        let sequence = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        let rest = word & 0xFFFF_FFFF_FFFF
        let outcome = UInt16(truncatingIfNeeded: rest >> 32)
        guard sequence <= HitLabel.sequenceMax, check(sequence, rest) == word >> 48,
            Outcome.isKnown(outcome)
        else { return nil }
        return LedgerEntry(
            sequence: sequence, sentTenthMilliseconds: UInt32(truncatingIfNeeded: rest),
            outcome: outcome)
    }

    @inline(__always)
    private static func check(_ sequence: UInt64, _ rest: UInt64) -> UInt16 {
        var mixed = (sequence ^ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 32) ^ rest) &* 0x94D0_49BB_1331_11EB
        return UInt16(truncatingIfNeeded: mixed >> 48)
    }
}
