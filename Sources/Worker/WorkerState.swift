import Core
import Platform

/// Everything a worker knows: its shard's two lanes, the encoder that fills them, the links that
/// bring hits, and the deliveries that empty them. Reached by address from libuv's callbacks; lives
/// as long as its process.
struct WorkerState: ~Copyable {
    let loop: Loop
    let settings: Settings
    let counters: CounterPage
    var encoder: RowEncoder
    let spool: UnsafeMutablePointer<ShardSpool>
    var goodRows: RowBatch
    var badRows: RowBatch
    let ack: UnsafeMutableRawPointer
    let goodDelivery: LaneDelivery.Pointer
    let badDelivery: LaneDelivery.Pointer
    /// What the deliveries read: the shard's lanes, and those of a shard that was adopted.
    let goodQueue: UnsafeMutablePointer<LaneQueue>
    let badQueue: UnsafeMutablePointer<LaneQueue>
    var adoption: Adoption
    var spoolWatch = SpoolWatch()
    /// Takes a line for the operator.
    let log: (String) -> Void
    /// Deliveries that have not stopped.
    var deliveries = 2
    /// Gives the space of delivered segments back.
    var release: PacedWork?
    var openLinks = 0
    var stop: StopState?
    /// Called once when all is delivered that will be, and the lanes are closed.
    var didStop: () -> Void = {}

    struct StopState {
        var deadlineAtMs: UInt64
        var isDelivering = true
    }

    static let ackBytesMax = FrameHeader.byteCount + Limits.frameHitsMax
}

/// A worker's behaviour: methods on the address of its state.
///
/// `Working+Frames` turns frames into spool records and acks, `Working+Links` reads them off the
/// links, `Working+Life` does what time and the supervisor demand.
struct Working {
    let state: UnsafeMutablePointer<WorkerState>

    var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(state) }

    init(state: UnsafeMutablePointer<WorkerState>) { self.state = state }

    init(_ raw: UnsafeMutableRawPointer) {
        state = raw.assumingMemoryBound(to: WorkerState.self)
    }
}
