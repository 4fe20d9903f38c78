import Core

/// The lanes that one delivery empties: the shard's own and, while there is one, that of an adopted
/// shard. A batch is of one lane, so the cursor it moves is known. The own lane goes first; once what
/// is left of it fits one call, batches go turn by turn. So neither waits for the other for longer
/// than a call, however many rows keep coming, and there is never more than one call in flight.
///
/// Reached by pointer: the delivery reads, the worker adopts.
struct LaneQueue: ~Copyable {
    typealias Lane = UnsafeMutablePointer<SpoolLane>

    /// Must outlive the queue.
    let own: Lane
    private(set) var adopted: Lane?

    /// Whose records the batch holds that is being made or in flight.
    private var isAdoptedTurn = false
    private var batchIsEmpty = true
    /// The own lane was asked since the adopted one had a batch.
    private var ownHadItsTurn = false
    private let callBytes: UInt64
    /// Where rows of each go that Firehose refuses.
    private let ownRefuge: Refuge
    private var adoptedRefuge = Refuge.quarantine

    /// - Parameters:
    ///   - refuge: takes rows that Firehose refuses.
    ///   - callBytes: what one call holds; others than Firehose's own are for tests.
    init(
        own: Lane, refuge: Refuge = .quarantine,
        callBytes: UInt64 = UInt64(Limits.firehoseCallBytesMax)
    ) {
        self.own = own
        ownRefuge = refuge
        self.callBytes = callBytes
    }

    /// Takes another shard's lane along. It must stay until `release`.
    ///
    /// - Parameter badLane: the bad lane of the same shard, if this is its good one.
    mutating func adopt(_ lane: Lane, badLane: Lane? = nil) {
        precondition(adopted == nil, "one at a time")
        adopted = lane
        adoptedRefuge = badLane.map(ownRefuge.replacing(lane:)) ?? .quarantine
    }

    /// Lets go of the adopted lane, which must be delivered: then no batch holds anything of it.
    mutating func release() {
        precondition(adopted?.pointee.undeliveredHits == 0, "there are rows to deliver")
        adopted = nil
        isAdoptedTurn = false
    }

    /// The next record opens a batch.
    mutating func beginBatch() { batchIsEmpty = true }

    mutating func readNext() -> SpoolRead {
        if batchIsEmpty { isAdoptedTurn = adoptedIsDue }
        var read = readCurrent()
        if case .end = read, batchIsEmpty, adopted != nil {
            isAdoptedTurn.toggle()
            read = readCurrent()
        }
        if case .record = read { batchIsEmpty = false }
        return read
    }

    private var adoptedIsDue: Bool {
        guard let adopted, adopted.pointee.hasUnread else { return false }
        return !own.pointee.hasUnread || (ownHadItsTurn && own.pointee.unreadBytes <= callBytes)
    }

    private mutating func readCurrent() -> SpoolRead {
        if isAdoptedTurn, let adopted {
            let read = adopted.pointee.readNext()
            if case .record = read { ownHadItsTurn = false }
            return read
        }
        ownHadItsTurn = true
        return own.pointee.readNext()
    }

    /// Nothing is left to read.
    var isAtEnd: Bool { !own.pointee.hasUnread && adopted?.pointee.hasUnread != true }

    /// Whose records the batch in flight was made of.
    private var current: Lane { isAdoptedTurn ? adopted ?? own : own }

    /// What the batch in flight was made of is passed up to there.
    func commit(_ advance: BatchLedger.Advance) {
        current.pointee.commit(
            to: advance.position, delivered: advance.delivered, setAside: advance.setAside,
            dropped: advance.dropped)
    }

    /// Rows of that batch are taken into safety before it is passed.
    func setAside(_ rows: [[UInt8]], _ advance: BatchLedger.Advance) -> SetAsideOutcome {
        refuge.take(rows, outOf: &current.pointee, advance)
    }

    /// Why no more rows are to be set aside now, if so: the cursor has passed some, and cannot be
    /// written.
    func didSetAside() -> String? { refuge.release(&current.pointee) }

    private var refuge: Refuge { isAdoptedTurn && adopted != nil ? adoptedRefuge : ownRefuge }
}
