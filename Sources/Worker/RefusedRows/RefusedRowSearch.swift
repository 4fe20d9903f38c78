/// Finds, in a call that the service refuses for what it holds, the rows that it does not take. The
/// others are delivered on the way.
///
///     [          refused          ]
///     [   taken    ][   refused   ]
///                   [refused][taken]
///                   [x][taken]           x: a row alone, refused
///
/// A row is only given up when the service took another of the same call: a service that refuses
/// everything (another kind of stream has the name, say) refuses the stream, not the rows. As long as
/// nothing was taken, rows from all over the call are tried alone, a few of them.
///
/// Ranges are of bytes; rows end with a newline.
struct RefusedRowSearch {
    /// So many rows refused alone, and none taken: it seems not to be the rows.
    static let suspectsMax = 8

    enum Next: Equatable {
        case part(Range<Int>)
        /// All of the call is taken, or among `refused`.
        case settled
        /// The service takes nothing at all. Nothing of the call was taken.
        case stuck
    }

    private let byteCount: Int
    private let suspectsMax: Int
    /// In the order of the call.
    private var untried: [Range<Int>]
    /// Of the part under way.
    private var current: Range<Int>?
    /// Rows refused alone, in the order of the call.
    private(set) var refused: [Range<Int>] = []
    private(set) var tookSome: Bool

    /// - Parameters:
    ///   - tookSome: the service was seen to take other rows of the same call.
    ///   - suspectsMax: rows to try alone before the search is stuck.
    init(_ rows: UnsafeRawBufferPointer, tookSome: Bool, suspectsMax: Int = Self.suspectsMax) {
        byteCount = rows.count
        self.suspectsMax = suspectsMax
        self.tookSome = tookSome
        untried = []
        current = 0..<rows.count
        wasRefused(in: rows)
    }

    /// Everything before is taken or given up.
    var settledEnd: Int {
        var end = byteCount
        if let first = untried.first { end = min(end, first.lowerBound) }
        if let current { end = min(end, current.lowerBound) }
        if !tookSome, let first = refused.first { end = min(end, first.lowerBound) }
        return end
    }

    /// What to send next.
    mutating func next(in rows: UnsafeRawBufferPointer) -> Next {
        precondition(current == nil, "one part at a time")
        if !tookSome, refused.count >= suspectsMax || untried.isEmpty { return .stuck }
        guard !untried.isEmpty else { return .settled }
        let part = tookSome || refused.isEmpty ? untried.removeFirst() : sample(rows)
        current = part
        return .part(part)
    }

    mutating func wasTaken() {
        precondition(current != nil)
        current = nil
        tookSome = true
    }

    /// Of the part, these were not taken, and may be the next time.
    mutating func wasTakenInPart(except failed: [Range<Int>], tookSome some: Bool) {
        precondition(current != nil)
        current = nil
        tookSome = tookSome || some
        untried = (untried + failed).sorted { $0.lowerBound < $1.lowerBound }
    }

    mutating func wasRefused(in rows: UnsafeRawBufferPointer) {
        guard let part = current else { preconditionFailure() }
        current = nil
        guard let middle = Self.middle(of: part, in: rows) else {
            insert(part, into: &refused)
            return
        }
        insert(part.lowerBound..<middle, into: &untried)
        insert(middle..<part.upperBound, into: &untried)
    }

    /// A row from the middle of the longest range, alone: chosen so, rows that are refused side by
    /// side do not hide that others are taken.
    private mutating func sample(_ rows: UnsafeRawBufferPointer) -> Range<Int> {
        let longest = untried.indices.max { untried[$0].count < untried[$1].count }!
        let range = untried.remove(at: longest)
        let start = Self.middle(of: range, in: rows) ?? range.lowerBound
        let rest = rows[start..<range.upperBound]
        let end = rest.firstIndex(of: Self.newline).map { $0 + 1 } ?? range.upperBound
        if end < range.upperBound { insert(end..<range.upperBound, into: &untried) }
        if range.lowerBound < start { insert(range.lowerBound..<start, into: &untried) }
        return start..<end
    }

    private func insert(_ range: Range<Int>, into ranges: inout [Range<Int>]) {
        let at = ranges.firstIndex { $0.lowerBound > range.lowerBound } ?? ranges.count
        ranges.insert(range, at: at)
    }

    private static let newline = UInt8(ascii: "\n")

    /// Where a row begins, near the middle; nil for one row alone.
    private static func middle(of range: Range<Int>, in rows: UnsafeRawBufferPointer) -> Int? {
        let half = range.lowerBound + range.count / 2
        // The last byte ends the range, not a row before it.
        let last = range.upperBound - 1
        if half < last, let next = rows[half..<last].firstIndex(of: newline) { return next + 1 }
        return rows[range.lowerBound..<min(half, last)].lastIndex(of: newline).map { $0 + 1 }
    }
}
