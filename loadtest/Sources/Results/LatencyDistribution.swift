import Histogram

/// Latencies in microseconds as an HdrHistogram of three digits. Its cells are those of
/// `LatencyScale`, so pouring `LatencyCells` in and reading them out again loses nothing.
struct LatencyDistribution {
    private(set) var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: LatencyScale.highestMicroseconds,
        numberOfSignificantValueDigits: .three)

    init() {}

    init(_ cells: LatencyCells) { add(cells) }

    mutating func add(_ cells: LatencyCells) {
        for (cell, count) in zip(cells.cells, cells.counts) {
            // The highest value of the cell, so that the greatest recorded is what the library
            // calls the maximum. It fits: the last bucket is whole.
            histogram.record(LatencyScale.highestMicroseconds(ofCell: cell), count: count)
        }
    }

    mutating func add(_ other: LatencyDistribution) { histogram.add(other.histogram) }

    mutating func record(microseconds: UInt64, count: UInt64 = 1) {
        histogram.record(min(microseconds, LatencyScale.highestMicroseconds), count: count)
    }

    var cells: LatencyCells {
        var out = LatencyCells()
        for value in histogram.recordedValues() {
            out.cells.append(LatencyScale.cell(ofMicroseconds: value.value))
            out.counts.append(value.count)
        }
        return out
    }

    var total: UInt64 { histogram.totalCount }

    /// Microseconds; 0 when nothing was recorded.
    func percentile(_ percentile: Double) -> UInt64 { histogram.valueAtPercentile(percentile) }
    var maximum: UInt64 { histogram.max }
    var mean: Double { histogram.mean }
    var standardDeviation: Double { histogram.stdDeviation }

    /// One line of a percentile spectrum.
    struct Step: Equatable {
        /// The value, in microseconds.
        var microseconds: UInt64
        /// 0 to 1.
        var quantile: Double
        /// Recorded at or below the value.
        var count: UInt64
    }

    /// The spectrum as HdrHistogram walks it: `ticks` steps in each half of the distance to 100 %.
    func spectrum(ticksPerHalfDistance ticks: Int = 5) -> [Step] {
        histogram.percentiles(ticksPerHalfDistance: ticks).map {
            Step(
                microseconds: $0.value, quantile: $0.percentileLevelIteratedTo / 100,
                count: $0.totalCountToThisValue)
        }
    }
}
