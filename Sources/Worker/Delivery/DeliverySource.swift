import Core

/// Where a lane's rows come from and how far they are delivered. Asked once a spool record, not once
/// a row. An enum, so that the spool's own calls are plain ones.
enum DeliverySource {
    /// The lane must outlive the source, at its address.
    case spool(UnsafeMutablePointer<SpoolLane>)
    /// The same, with what was adopted behind it.
    case queue(UnsafeMutablePointer<LaneQueue>)
    case standIn(any DeliveryStandIn)

    /// The next record read opens a batch.
    func beginBatch() {
        if case .queue(let queue) = self { queue.pointee.beginBatch() }
    }

    /// Whether there was nothing more when `readNext` said so. If not, reading on is of use later:
    /// other rows have their turn, or damage at the end is to be passed.
    var isAtEnd: Bool {
        switch self {
        case .spool(let lane): !lane.pointee.hasUnread
        case .queue(let queue): queue.pointee.isAtEnd
        case .standIn: true
        }
    }

    /// The record after the last one read, or `.end` when there is none yet.
    func readNext() -> SpoolRead {
        switch self {
        case .spool(let lane): lane.pointee.readNext()
        case .queue(let queue): queue.pointee.readNext()
        case .standIn(let other): other.readNext()
        }
    }

    /// Everything before the position is delivered or set aside. The counts are what came since the
    /// last call.
    func commit(_ advance: BatchLedger.Advance) {
        switch self {
        case .spool(let lane):
            lane.pointee.commit(
                to: advance.position, delivered: advance.delivered, setAside: advance.setAside,
                dropped: advance.dropped)
        case .queue(let queue):
            queue.pointee.commit(advance)
        case .standIn(let other):
            other.commit(advance.position, advance.delivered, advance.dropped)
        }
    }

    /// Takes rows into safety that Firehose refuses, before the cursor passes them. Asked again as
    /// long as it is not `.stored`.
    func setAside(_ rows: [[UInt8]], _ advance: BatchLedger.Advance) -> SetAsideOutcome {
        switch self {
        case .queue(let queue): queue.pointee.setAside(rows, advance)
        case .spool, .standIn: .refused("nothing takes rows that Firehose refuses")
        }
    }

    /// After `commit`: why no more rows are to be set aside now, if so.
    func didSetAside() -> String? {
        if case .queue(let queue) = self { queue.pointee.didSetAside() } else { nil }
    }
}

/// What stands in for a spool lane in a test.
protocol DeliveryStandIn: AnyObject {
    func readNext() -> SpoolRead
    func commit(_ position: SpoolPosition, _ delivered: UInt64, _ dropped: UInt64)
}
