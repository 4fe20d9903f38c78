/// What became of every hit of one lane, in hits, and what the lane holds.
public struct LaneLedger: Equatable, Sendable {
    /// Ever written.
    public var cumulativeHits: UInt64 = 0
    /// Of these, moved from the other lane.
    public var cumulativeMoved: UInt64 = 0
    public var delivered: UInt64 = 0
    public var setAside: UInt64 = 0
    public var dropped: UInt64 = 0
    /// Bytes of its segments on disk.
    public var byteCount: UInt64 = 0
    /// When the oldest hit that the cursor has not passed was received; 0 if there is none.
    public var oldestUndeliveredMicroseconds: UInt64 = 0

    public init() {}

    public var undelivered: UInt64 { cumulativeHits - delivered - setAside - dropped }
}

/// The ledger of a shard: accepted = delivered + spooled + bad + dropped, whatever happened.
public struct SpoolLedger: Equatable, Sendable {
    public var good = LaneLedger()
    public var bad = LaneLedger()

    public init() {}

    /// Hits in valid records ever written. A good hit that was set aside is in both lanes and
    /// counts once.
    public var accepted: UInt64 { good.cumulativeHits + bad.cumulativeHits - bad.cumulativeMoved }
    public var delivered: UInt64 { good.delivered }
    public var spooled: UInt64 { good.undelivered }
    /// Bad rows and set-aside hits, but those that were given up.
    public var badKept: UInt64 { bad.cumulativeHits - bad.dropped }
    public var dropped: UInt64 { good.dropped + bad.dropped }
    public var closes: Bool { accepted == delivered + spooled + badKept + dropped }
}
