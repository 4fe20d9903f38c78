/// Some of the shards, by number: one bit each.
public struct ShardSet: Equatable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    public init() {}

    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    private static func bit(_ shard: Int) -> UInt64 { 1 << UInt64(shard & 63) }

    private func word(_ index: Int) -> UInt64 {
        switch index {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
    }

    public var count: Int {
        words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount
            + words.3.nonzeroBitCount
    }

    public func contains(_ shard: Int) -> Bool { word(shard >> 6) & Self.bit(shard) != 0 }

    public mutating func insert(_ shard: Int) {
        precondition(shard >= 0 && shard < Limits.workersMax)
        switch shard >> 6 {
        case 0: words.0 |= Self.bit(shard)
        case 1: words.1 |= Self.bit(shard)
        case 2: words.2 |= Self.bit(shard)
        default: words.3 |= Self.bit(shard)
        }
    }

    /// The shard before which `rank` others of the set come; nil when there are not that many.
    public func shard(rank: Int) -> Int? {
        var rest = rank
        for index in 0..<4 {
            var word = word(index)
            let count = word.nonzeroBitCount
            if rest >= count {
                rest -= count
                continue
            }
            for _ in 0..<rest { word &= word &- 1 }
            return (index << 6) + word.trailingZeroBitCount
        }
        return nil
    }

    /// Which of the set takes a key whose own shard cannot; nil when the set is empty. The same for
    /// the same key and set, and spread evenly.
    ///
    /// The key is mixed first: jump hash maps the keys of one bucket out of n to one bucket out of
    /// fewer too, so all of a dead shard's hits would go to one other.
    public func standIn(for key: UInt64) -> Int? {
        if count == 0 { return nil }
        var mixed = key ^ (key >> 30)
        mixed = mixed &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return shard(rank: jumpHash(mixed ^ (mixed >> 31), buckets: count))
    }
}
