/// How latencies are counted in shared memory: log-linear cells of three significant digits, the
/// same cells as an HdrHistogram of 1 µs to 10 minutes has, so that nothing is lost when they are
/// poured into one.
///
///     bucket 0           0 ..< 2048 µs, one cell a microsecond
///     bucket b ≥ 1       2048 << (b - 1) ..< 2048 << b, 1024 cells of 1 << b microseconds
enum LatencyScale {
    static let significantDigits = 3
    static let highestMicroseconds: UInt64 = 600_000_000
    private static let halfBits = 10
    private static let half = 1 << halfBits

    /// Enough for `highestMicroseconds`: cell(of:) of it, and one more.
    static let cellCount = cell(ofMicroseconds: highestMicroseconds) + 1

    /// The cell of a value; what is above the highest counts as the highest.
    @inline(__always)
    static func cell(ofMicroseconds value: UInt64) -> Int {
        let value = min(value, highestMicroseconds)
        // The bucket is how many bits the value has beyond eleven.
        let bucket = (64 - halfBits - 1) - (value | UInt64(2 * half - 1)).leadingZeroBitCount
        return bucket << halfBits + Int(value >> UInt64(bucket))
    }

    /// The lowest value of a cell, in microseconds.
    static func lowestMicroseconds(ofCell cell: Int) -> UInt64 {
        if cell < 2 * half { return UInt64(cell) }
        let bucket = cell >> halfBits - 1
        return UInt64(cell - bucket << halfBits) << UInt64(bucket)
    }
}
