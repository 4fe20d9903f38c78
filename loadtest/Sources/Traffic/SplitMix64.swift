/// Steele, Lea and Flood's generator ("Fast splittable pseudorandom number generators", 2014): a
/// counter and a mixing function. So the draws of a request follow from its number, whoever makes
/// it, and in whatever order.
struct SplitMix64 {
    private static let gamma: UInt64 = 0x9e37_79b9_7f4a_7c15
    private var state: UInt64

    init(state: UInt64) { self.state = state }

    /// The draws that belong to `number` under `key`. The start is mixed, so that the draws of one
    /// number are not those of the next, moved by one.
    @inline(__always)
    init(key: UInt64, number: UInt64) {
        state = Self.mix(key &+ number &* Self.gamma)
    }

    @inline(__always)
    mutating func next() -> UInt64 {
        state &+= Self.gamma
        return Self.mix(state)
    }

    /// In 0 ..< 1, 53 bits.
    @inline(__always)
    mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A bijection of 64 bits that leaves no trace of their order.
    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A share of all draws, compared with 32 bits of one.
struct ShareOfDraws {
    private let below: UInt64

    init(_ share: Double) { below = UInt64((min(max(share, 0), 1) * 0x1p32).rounded()) }

    @inline(__always)
    func takes(_ bits: UInt32) -> Bool { UInt64(bits) < below }
}

extension UInt64 {
    @inline(__always) var lowHalf: UInt32 { UInt32(truncatingIfNeeded: self) }
    @inline(__always) var highHalf: UInt32 { UInt32(truncatingIfNeeded: self >> 32) }
}

extension UInt32 {
    /// Evenly spread over 0 ..< count.
    @inline(__always)
    func below(_ count: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(self) &* UInt64(count)) >> 32)
    }
}
