/// What a shard's counters say of its hits, as they were read one after the other while their
/// worker went on. `LedgerCounts` is the raw material, `Ledger` what closes.
public struct LedgerCounts: Equatable, Sendable {
    public var goodHits: UInt64 = 0
    public var goodDelivered: UInt64 = 0
    public var goodSetAside: UInt64 = 0
    public var goodDropped: UInt64 = 0
    public var badHits: UInt64 = 0
    public var badMoved: UInt64 = 0
    public var badDelivered: UInt64 = 0
    public var badDropped: UInt64 = 0
    public var badSetAside: UInt64 = 0

    public init() {}

    /// Reads what leaves a lane before what enters it: between the two reads a lane only fills, so
    /// it never seems to have delivered more than it holds.
    public init(_ value: (Counter) -> UInt64) {
        goodDelivered = value(.goodDelivered)
        goodSetAside = value(.goodSetAside)
        goodDropped = value(.goodDropped)
        badDelivered = value(.badDelivered)
        badDropped = value(.badDropped)
        badSetAside = value(.badSetAside)
        badMoved = value(.badMoved)
        goodHits = value(.goodHits)
        badHits = value(.badHits)
    }

    /// Good hits the cursor has passed, whatever became of them.
    public var goodPassed: UInt64 { goodDelivered &+ goodSetAside &+ goodDropped }
    /// Bad rows the cursor has passed.
    public var badPassed: UInt64 { badDelivered &+ badSetAside &+ badDropped }
    public var goodWaiting: UInt64 { goodHits.minus(goodPassed) }
    public var badWaiting: UInt64 { badHits.minus(badPassed) }
}

/// The ledger of a shard or of the cluster: accepted = delivered + spooled + bad + dropped, always.
///
/// - delivered: good hits Firehose has taken.
/// - spooled: good hits the cursor has not passed.
/// - bad: bad rows of hits that were bad when they came, and set-aside good hits; given-up bad rows
///   are in dropped instead. A moved row is the second life of a set-aside hit: it is counted by
///   the good lane's cursor (`goodSetAside`) and not again by the bad lane (`badHits - badMoved`).
/// - dropped: hits given up, of either lane.
/// - refused: hits answered 503, of the cluster. They are not accepted, so they stand outside the
///   sum. That is the routers' `answers503`: each refused hit gets exactly one such answer, whether
///   the router refused it (window full, no ack in time) or a worker did; adding the counters of
///   the causes would count a hit twice that was late and then refused. What routers refuse by
///   themselves belongs to no shard, so a shard has no such number.
/// - unstored: hits that a shard's worker did not store, because a lane is full or the disk fails.
///   They stand outside the sum, too. Most were answered 503 for it, and are in the cluster's
///   `refused`; with `ack = "received"` they had been answered 200.
public struct Ledger: Equatable, Sendable {
    public var delivered: UInt64 = 0
    public var spooled: UInt64 = 0
    public var bad: UInt64 = 0
    public var dropped: UInt64 = 0
    /// The cluster's only.
    public var refused: UInt64 = 0
    public var unstored: UInt64 = 0
    /// Rows of the bad lane, moved ones included: taken by Firehose, still to be delivered, and refused
    /// by it too (in the quarantine).
    public var badDelivered: UInt64 = 0
    public var badSpooled: UInt64 = 0
    public var badSetAside: UInt64 = 0

    /// Defined as the sum, so that the identity cannot fail while counters are read. Wrapping, here
    /// and above: a child that writes nonsense must not trap who reads it.
    public var accepted: UInt64 { delivered &+ spooled &+ bad &+ dropped }

    /// Rows of both lanes that no Firehose has taken yet.
    public var rowsInSpool: UInt64 { spooled &+ badSpooled }

    public init() {}

    public init(_ counts: LedgerCounts, unstored: UInt64 = 0) {
        delivered = counts.goodDelivered
        spooled = counts.goodWaiting
        bad = (counts.badHits &+ counts.goodSetAside)
            .minus(counts.badMoved &+ counts.badDropped)
        dropped = counts.goodDropped &+ counts.badDropped
        badDelivered = counts.badDelivered
        badSpooled = counts.badWaiting
        badSetAside = counts.badSetAside
        self.unstored = unstored
    }

    public static func + (left: Ledger, right: Ledger) -> Ledger {
        var sum = left
        sum.delivered &+= right.delivered
        sum.spooled &+= right.spooled
        sum.bad &+= right.bad
        sum.dropped &+= right.dropped
        sum.refused &+= right.refused
        sum.unstored &+= right.unstored
        sum.badDelivered &+= right.badDelivered
        sum.badSpooled &+= right.badSpooled
        sum.badSetAside &+= right.badSetAside
        return sum
    }
}

/// One shard's line of the status: its ledger and how its delivery fares.
public struct ShardLedger: Equatable, Sendable {
    /// How a lane's delivery stands. The numbers are those of `goodDeliveryState`.
    public enum DeliveryState: UInt64, Sendable {
        case idle, sending
        case backingOff = 2
        case refused = 3

        public var word: String {
            switch self {
            case .idle: "idle"
            case .sending: "sending"
            case .backingOff: "backing_off"
            case .refused: "refused"
            }
        }
    }

    public struct Delivery: Equatable, Sendable {
        public var state: DeliveryState
        /// "" when there was none.
        public var lastError: String
        /// When it entered its state; 0 when unknown.
        public var sinceMicroseconds: UInt64

        public init(
            state: DeliveryState = .idle, lastError: String = "", sinceMicroseconds: UInt64 = 0
        ) {
            self.state = state
            self.lastError = lastError
            self.sinceMicroseconds = sinceMicroseconds
        }
    }

    public var shard: Int
    /// The good lane's stream.
    public var stream: String
    public var ledger: Ledger
    /// When the oldest row came that neither lane has delivered; 0 if none waits.
    public var oldestMicroseconds: UInt64
    public var good: Delivery
    public var bad: Delivery
    /// The worker that delivers it though it is not its own: there are fewer workers than shards.
    public var adoptedBy: Int?
    /// Why its spool does not take hits, or keeps no cursor; "" when all is well.
    public var spoolError = ""

    public init(
        shard: Int, stream: String, ledger: Ledger, oldestMicroseconds: UInt64 = 0,
        good: Delivery = Delivery(), bad: Delivery = Delivery(), adoptedBy: Int? = nil
    ) {
        self.adoptedBy = adoptedBy
        self.shard = shard
        self.stream = stream
        self.ledger = ledger
        self.oldestMicroseconds = oldestMicroseconds
        self.good = good
        self.bad = bad
    }
}

extension UInt64 {
    /// The difference, and 0 where it would be negative: for numbers that were not read at once.
    func minus(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
