import Core

/// Where a lane's rows come from and how far they are delivered: a spool lane, or a test's own.
/// Called once a spool record, not once a row.
struct DeliverySource {
    /// The record after the last one read, or `.end` when there is none yet.
    var readNext: () -> SpoolRead
    /// Everything before the position is delivered. The counts are what came since the last call.
    var commit: (_ position: SpoolPosition, _ delivered: UInt64, _ dropped: UInt64) -> Void

    init(
        readNext: @escaping () -> SpoolRead,
        commit: @escaping (SpoolPosition, UInt64, UInt64) -> Void
    ) {
        self.readNext = readNext
        self.commit = commit
    }

    /// The lane must outlive the source, at its address.
    init(lane: UnsafeMutablePointer<SpoolLane>) {
        readNext = { lane.pointee.readNext() }
        commit = { lane.pointee.commit(to: $0, delivered: $1, dropped: $2) }
    }
}
