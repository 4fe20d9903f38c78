/// What a stream may take a second, as a bucket that a second fills: the service lets a second's worth
/// through at once, and then as much as runs in.
struct FaultQuota: Sendable {
    private struct Bucket {
        var capacity: Double
        var level: Double

        init(perSecond: Int) {
            capacity = Double(perSecond)
            level = capacity
        }

        mutating func fill(seconds: Double) { level = min(capacity, level + capacity * seconds) }

        /// One that is larger than a second's worth passes a full bucket, and is paid off after.
        func has(_ amount: Double) -> Bool { level >= min(amount, capacity) }
    }

    private var bytes: Bucket?
    private var records: Bucket?
    private var calls: Bucket?
    private var filledAtMs: UInt64

    init(_ fault: Fault, nowMs: UInt64) {
        bytes = fault.bytesPerSecond > 0 ? Bucket(perSecond: fault.bytesPerSecond) : nil
        records = fault.recordsPerSecond > 0 ? Bucket(perSecond: fault.recordsPerSecond) : nil
        calls = fault.callsPerSecond > 0 ? Bucket(perSecond: fault.callsPerSecond) : nil
        filledAtMs = nowMs
    }

    /// Takes a call's records as far as there is room.
    ///
    /// Returns nil when the call itself is one too many, else the indices that are refused.
    mutating func take(_ recordBytes: [Int], nowMs: UInt64) -> [Int]? {
        let seconds = Double(nowMs - min(filledAtMs, nowMs)) / 1000
        filledAtMs = nowMs
        bytes?.fill(seconds: seconds)
        records?.fill(seconds: seconds)
        calls?.fill(seconds: seconds)
        if let calls, !calls.has(1) { return nil }
        calls?.level -= 1
        var refused: [Int] = []
        for (index, byteCount) in recordBytes.enumerated() {
            guard bytes?.has(Double(byteCount)) ?? true, records?.has(1) ?? true else {
                refused.append(index)
                continue
            }
            bytes?.level -= Double(byteCount)
            records?.level -= 1
        }
        return refused
    }
}
