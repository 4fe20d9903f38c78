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

    /// Of many, which one after the other would be slow.
    static func sum(_ all: some Sequence<LatencyCells>) -> LatencyCells {
        var dense = [UInt64](repeating: 0, count: LatencyScale.cellCount)
        for one in all {
            for place in one.cells.indices { dense[one.cells[place]] += one.counts[place] }
        }
        return LatencyCells(dense: dense)
    }

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
    func percentile(_ percentile: Double) -> UInt64? { percentiles([percentile])[0] }

    /// Several in one pass.
    ///
    /// - Parameter wanted: ascending.
    func percentiles(_ wanted: [Double]) -> [UInt64?] {
        guard let first = cells.first, let last = cells.last else {
            return wanted.map { _ in nil }
        }
        let total = Double(total)
        var (place, seen) = (0, counts[0])
        return wanted.map { percentile in
            if percentile <= 0 { return LatencyScale.lowestMicroseconds(ofCell: first) }
            if percentile >= 100 { return LatencyScale.highestMicroseconds(ofCell: last) }
            // One step down, so that rounding up does not reach into the next cell.
            let rank = max(1, (percentile.nextDown * total / 100).rounded(.up))
            while Double(seen) < rank && place < cells.count - 1 {
                place += 1
                seen += counts[place]
            }
            return LatencyScale.highestMicroseconds(ofCell: cells[place])
        }
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
