/// Hits of a lane, counted from 0, that no file of it has: in ranges that are ascending and apart.
struct MissingHits: Equatable {
    private(set) var ranges: [Range<UInt64>] = []

    init() {}

    /// In any order; they may overlap or be empty.
    init(_ unordered: [Range<UInt64>]) {
        for range in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] =
                    last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    var count: UInt64 { ranges.reduce(0) { $0 + UInt64($1.count) } }

    /// Those at or above `lower`, and below `upper`.
    func clamped(to bounds: Range<UInt64>) -> MissingHits {
        var clamped = MissingHits()
        clamped.ranges = ranges.map { $0.clamped(to: bounds) }.filter { !$0.isEmpty }
        return clamped
    }

    /// How many of them are at or above `passed`.
    func count(from passed: UInt64) -> UInt64 {
        var sum: UInt64 = 0
        for range in ranges where range.upperBound > passed {
            sum += range.upperBound - max(range.lowerBound, passed)
        }
        return sum
    }

    /// Those below `passed` are no longer asked for.
    mutating func forget(below passed: UInt64) {
        let gone = ranges.prefix { $0.upperBound <= passed }.count
        if gone > 0 { ranges.removeFirst(gone) }
    }

    /// Whether all of `hits` are among them.
    func contains(_ hits: Range<UInt64>) -> Bool {
        hits.isEmpty
            || ranges.contains {
                $0.lowerBound <= hits.lowerBound && $0.upperBound >= hits.upperBound
            }
    }
}
