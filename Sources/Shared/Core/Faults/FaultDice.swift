import Glibc

/// Chance that repeats: SplitMix64.
struct FaultDice: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// 0 to below 1.
    mutating func share() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Lognormal: half are below `p50`, 99 of 100 below `p99`. Capped at ten times `p99`.
    mutating func lognormal(p50: Double, p99: Double) -> Double {
        // Box and Muller's; 1 - share is never 0.
        let normal = sqrt(-2 * log(1 - share())) * cos(2 * Double.pi * share())
        // 99 of 100 draws of a standard normal are below this.
        let sigma = log(p99 / p50) / 2.326_347_874
        return min(p50 * exp(sigma * normal), p99 * 10)
    }
}
