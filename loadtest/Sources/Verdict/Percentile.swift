extension LatencyCells {
    /// The value that `percentile` percent of what was counted do not exceed, by nearest rank: the
    /// highest value of the cell that holds it, as HdrHistogram answers. Nil when nothing was
    /// counted. 100 is the greatest.
    func percentileMicroseconds(_ percentile: Double) -> UInt64? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = Self.rank(of: percentile, total: total)
        var passed: UInt64 = 0
        for (cell, count) in zip(cells, counts) {
            passed += count
            if passed >= rank { return Self.highestMicroseconds(ofCell: cell) }
        }
        return nil
    }

    /// 1 ... total. 99.9 % of 1000 is 999, though the product of the binary fractions is above it.
    private static func rank(of percentile: Double, total: UInt64) -> UInt64 {
        let exact = min(max(percentile, 0), 100) / 100 * Double(total)
        let whole = exact.rounded()
        let rank = abs(exact - whole) <= 4 * exact.ulp ? whole : exact.rounded(.up)
        return min(max(UInt64(rank), 1), total)
    }

    static func highestMicroseconds(ofCell cell: Int) -> UInt64 {
        LatencyScale.lowestMicroseconds(ofCell: cell + 1) - 1
    }
}

/// One figure of a distribution.
enum LatencyStatistic: Equatable, Sendable {
    /// Above 0, up to 100.
    case percentile(Double)
    case max, mean, min

    /// In microseconds; nil when nothing was counted. As HdrHistogram has it: the greatest is the
    /// highest value of its cell, the least the lowest, and the mean takes the middle of each.
    func microseconds(of latency: LatencyCells) -> Double? {
        let filled = zip(latency.cells, latency.counts).filter { $0.1 > 0 }
        guard let first = filled.first else { return nil }
        switch self {
        case .percentile(let percentile):
            return latency.percentileMicroseconds(percentile).map { Double($0) }
        case .max: return latency.percentileMicroseconds(100).map { Double($0) }
        case .min: return Double(LatencyScale.lowestMicroseconds(ofCell: first.0))
        case .mean:
            var sum = 0.0
            var total = 0.0
            for (cell, count) in filled {
                let lowest = LatencyScale.lowestMicroseconds(ofCell: cell)
                let width = LatencyScale.lowestMicroseconds(ofCell: cell + 1) - lowest
                sum += Double(count) * Double(lowest + width / 2)
                total += Double(count)
            }
            return sum / total
        }
    }
}
