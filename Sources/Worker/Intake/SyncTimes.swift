/// How long the last syncs took.
struct SyncTimes {
    static let samplesMax = 255

    private var samples: [UInt64] = []
    private var next = 0
    private(set) var hasNew = false

    mutating func note(nanoseconds: UInt64) {
        hasNew = true
        if samples.count < Self.samplesMax {
            samples.append(nanoseconds)
        } else {
            samples[next] = nanoseconds
            next = (next + 1) % Self.samplesMax
        }
    }

    /// The middle one; 0 when there was none.
    mutating func median() -> UInt64 {
        hasNew = false
        return samples.isEmpty ? 0 : samples.sorted()[samples.count / 2]
    }
}
