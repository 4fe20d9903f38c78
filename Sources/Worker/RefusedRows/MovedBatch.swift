import Core

/// Rows of the good lane that Firehose refuses, on their way into the bad lane: as bad rows, and
/// with where they come from.
///
/// A move is an append here and then a step of the good lane's cursor. A death between the two is
/// seen at the next start by what the records carry:
///
///     origin     slot 65535; the incarnation is the mover's
///     sequence   256 × hits of the good lane up to the cursor's step, + the record's number among
///                those of the move, 255 for the last one
///     received   as the last good record that the step passes
struct MovedBatch {
    static let slot = UInt16.max
    private static let lastPart: UInt64 = 255
    /// What one record takes of them.
    private static let recordBytesMax = 1 << 20

    struct Part {
        var bytes: Range<Int>
        var hitCount: Int
        var sequence: UInt64
    }

    /// Bad rows, back to back.
    let rows: [UInt8]
    let parts: [Part]
    let passed: UInt64
    let receivedAtMicroseconds: UInt64

    /// - Parameters:
    ///   - rows: bad rows, at least one.
    ///   - passed: hits of the good lane that the cursor will have passed.
    init(rows badRows: [[UInt8]], passed: UInt64, receivedAtMicroseconds: UInt64) {
        precondition(!badRows.isEmpty)
        self.passed = passed
        self.receivedAtMicroseconds = receivedAtMicroseconds
        var rows: [UInt8] = []
        var parts: [Part] = []
        for row in badRows {
            let isFull = parts.last.map {
                $0.bytes.count + row.count > Self.recordBytesMax || $0.hitCount == UInt16.max
            }
            if isFull ?? true {
                let number = UInt64(parts.count)
                precondition(number < Self.lastPart, "a call's rows are fewer")
                parts.append(
                    Part(
                        bytes: rows.count..<rows.count, hitCount: 0,
                        sequence: passed << 8 | number))
            }
            rows += row
            parts[parts.count - 1].hitCount += 1
            parts[parts.count - 1].bytes = parts[parts.count - 1].bytes.lowerBound..<rows.count
        }
        parts[parts.count - 1].sequence = passed << 8 | Self.lastPart
        (self.rows, self.parts) = (rows, parts)
    }

    /// How far the good lane's cursor was to step, by a record of the bad lane.
    static func passed(_ sequence: UInt64) -> UInt64 { sequence >> 8 }

    /// The move is complete once this record is there.
    static func isLast(_ sequence: UInt64) -> Bool { sequence & 255 == lastPart }
}
