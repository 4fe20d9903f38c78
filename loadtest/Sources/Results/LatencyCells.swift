extension LatencyCells {
    /// From the count of every cell, 0 included.
    init(dense: [UInt64]) {
        for (cell, count) in dense.enumerated() where count > 0 {
            cells.append(cell)
            counts.append(count)
        }
    }

    /// How many values were recorded.
    var total: UInt64 { counts.reduce(0, +) }

    var isEmpty: Bool { cells.isEmpty }

    mutating func add(_ other: LatencyCells) { self = combined(with: other) { $0 + $1 } }

    /// What was recorded since `earlier`, which holds the same cells at an earlier moment. A count
    /// that fell, which no counter does, gives none.
    func difference(since earlier: LatencyCells) -> LatencyCells {
        combined(with: earlier) { $0 > $1 ? $0 - $1 : 0 }
    }

    mutating func subtract(_ earlier: LatencyCells) { self = difference(since: earlier) }

    /// Both are in ascending order, so one pass over the two is enough.
    private func combined(
        with other: LatencyCells, _ join: (UInt64, UInt64) -> UInt64
    ) -> LatencyCells {
        var out = LatencyCells()
        var (mine, theirs) = (0, 0)
        while mine < cells.count || theirs < other.cells.count {
            let left = mine < cells.count ? cells[mine] : Int.max
            let right = theirs < other.cells.count ? other.cells[theirs] : Int.max
            let count = join(
                left <= right ? counts[mine] : 0, right <= left ? other.counts[theirs] : 0)
            if count > 0 {
                out.cells.append(min(left, right))
                out.counts.append(count)
            }
            if left <= right { mine += 1 }
            if right <= left { theirs += 1 }
        }
        return out
    }

    /// The value, in microseconds, that `percentile` per cent of those recorded do not exceed: the
    /// highest one of its cell, as HdrHistogram has it. Nil when nothing was recorded.
    func percentile(_ percentile: Double) -> UInt64? {
        guard let first = cells.first, let last = cells.last else { return nil }
        if percentile <= 0 { return LatencyScale.lowestMicroseconds(ofCell: first) }
        if percentile >= 100 { return LatencyScale.highestMicroseconds(ofCell: last) }
        // One step down, so that rounding up does not reach into the next cell.
        let rank = max(1, (percentile.nextDown * Double(total) / 100).rounded(.up))
        var seen: UInt64 = 0
        for (cell, count) in zip(cells, counts) {
            seen += count
            if Double(seen) >= rank { return LatencyScale.highestMicroseconds(ofCell: cell) }
        }
        return LatencyScale.highestMicroseconds(ofCell: last)
    }

    var least: UInt64? { percentile(0) }
    var greatest: UInt64? { percentile(100) }

    /// How many lie in cells that end at or below a value.
    func count(upTo microseconds: UInt64) -> UInt64 {
        var sum: UInt64 = 0
        for (cell, count) in zip(cells, counts) {
            if LatencyScale.highestMicroseconds(ofCell: cell) > microseconds { break }
            sum += count
        }
        return sum
    }
}

extension LatencyScale {
    /// The highest value of a cell, in microseconds.
    static func highestMicroseconds(ofCell cell: Int) -> UInt64 {
        lowestMicroseconds(ofCell: cell + 1) - 1
    }
}
