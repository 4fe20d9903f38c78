/// Makes hit ids: UUID version 7 (RFC 9562, 5.7).
///
///     48 bits  milliseconds since 1970
///      4 bits  version
///     12 bits  counter within the millisecond; its overflow carries into the milliseconds
///      2 bits  variant
///     62 bits  from a generator seeded with the kernel's randomness
///
/// Never falls within a process's life, even when the clock does; unique by milliseconds and
/// counter within a process, by the random part between processes.
public struct HitIdGenerator {
    private var milliseconds: UInt64 = 0
    private var counter: UInt64 = 0
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// Writes the next id's 16 bytes.
    public mutating func write(nowMicroseconds: UInt64, to target: UnsafeMutableRawPointer) {
        let now = nowMicroseconds / 1000
        if now > milliseconds {
            milliseconds = now
            counter = 0
        } else {
            counter &+= 1
            if counter > 0xfff {
                counter = 0
                milliseconds &+= 1
            }
        }
        let high = milliseconds << 16 | 0x7000 | counter
        let low = nextRandom() >> 2 | 0x8000_0000_0000_0000
        target.storeBytes(of: high.bigEndian, as: UInt64.self)
        target.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// SplitMix64 (Steele, Lea, Flood, 2014): a bijection of a counter, so its outputs don't repeat.
    private mutating func nextRandom() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
