import Core

/// What a call weighs against its stream's quota.
struct CallWeight: Equatable {
    /// Raw: before base64, and before the rounding of the bill.
    var bytes = 0
    var records = 0
}

/// Keeps a stream's calls within its quota of bytes, records and calls, so that throttling is the
/// exception. One bucket each, filled at the quota's rate; when the service throttles all the same
/// (somebody else writes to the stream, or the quota is less than we think), the rate halves, and
/// grows back by a tenth of the quota a second.
///
/// Times are milliseconds of any monotonic clock.
struct Pace {
    /// Buckets hold less than the second's worth that the service lets through at once: calls that
    /// were paced may arrive closer together than they left.
    static let burstSeconds = 0.75
    /// A stream is never given up, and one that others use up is asked for a little.
    static let factorMin = 1.0 / 32
    static let recoveryPerSecond = 0.1
    /// The rate grows while one waits, so a long wait is looked at again.
    static let waitMsMax: UInt64 = 1000

    private struct Bucket {
        let perSecond: Double
        var level: Double

        init(perSecond: Int) {
            self.perSecond = Double(max(1, perSecond))
            level = 0
            level = capacity
        }

        /// At least one of whatever is counted.
        var capacity: Double { max(1, perSecond * Pace.burstSeconds) }

        mutating func fill(seconds: Double) {
            level = min(capacity, level + perSecond * seconds)
        }

        /// Seconds at full rate until so much may go. More than the bucket holds goes when it is
        /// full, and is paid off afterwards.
        func lacks(_ amount: Int) -> Double {
            max(0, min(Double(amount), capacity) - level) / perSecond
        }
    }

    private var bytes: Bucket
    private var records: Bucket
    private var calls: Bucket
    private(set) var factor = 1.0
    private var filledAtMs: UInt64?

    init(_ quota: StreamQuota) {
        bytes = Bucket(perSecond: quota.bytesPerSecond)
        records = Bucket(perSecond: quota.recordsPerSecond)
        calls = Bucket(perSecond: quota.callsPerSecond)
    }

    /// Raw bytes of a call that fit the burst, so that none is refused for its size alone; but for
    /// streams of less than 131 KiB a second, where any row has to fit.
    static func callBytesMax(_ quota: StreamQuota?) -> Int {
        guard let quota else { return Limits.firehoseCallBytesMax }
        let burst = Double(quota.bytesPerSecond) * burstSeconds
        // Any row stays whole, and the bill's rounding stays below three per cent.
        return min(Limits.firehoseCallBytesMax, max(RowEncoder.rowBytesMax, Int(burst)))
    }

    /// Takes a call of that weight, if it may leave now: returns 0. Else how long to wait before
    /// asking again; nothing is taken.
    mutating func take(_ weight: CallWeight, nowMs: UInt64) -> UInt64 {
        advance(to: nowMs)
        let lack = max(
            bytes.lacks(weight.bytes), records.lacks(weight.records), calls.lacks(1))
        // Less than a clock's step is none.
        guard lack < 0.0005 else {
            return min(Self.waitMsMax, UInt64((lack / factor * 1000).rounded(.up)))
        }
        bytes.level -= Double(weight.bytes)
        records.level -= Double(weight.records)
        calls.level -= 1
        return 0
    }

    /// So much of a call was not taken by the service, and does not count.
    mutating func giveBack(_ weight: CallWeight) {
        bytes.level += Double(weight.bytes)
        records.level += Double(weight.records)
    }

    /// The service takes less than we thought: it has nothing left, and fills more slowly.
    mutating func throttled(nowMs: UInt64) {
        advance(to: nowMs)
        factor = max(Self.factorMin, factor / 2)
        bytes.level = min(bytes.level, 0)
    }

    private mutating func advance(to nowMs: UInt64) {
        defer { filledAtMs = nowMs }
        guard let filledAtMs, nowMs > filledAtMs else { return }
        let seconds = Double(nowMs - filledAtMs) / 1000
        bytes.fill(seconds: seconds * factor)
        records.fill(seconds: seconds * factor)
        calls.fill(seconds: seconds * factor)
        factor = min(1, factor + Self.recoveryPerSecond * seconds)
    }
}
