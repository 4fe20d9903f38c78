import Core
import Platform

/// Everything a worker knows: its shard's two lanes, the intake that fills them, the links that
/// bring hits, and the deliveries that empty them. Reached by address from libuv's callbacks; lives
/// as long as its process.
struct WorkerState: ~Copyable {
    let loop: Loop
    let settings: Settings
    let counters: CounterPage
    let spool: UnsafeMutablePointer<ShardSpool>
    var intake: ShardIntake
    let goodDelivery: LaneDelivery.Pointer
    let badDelivery: LaneDelivery.Pointer
    /// What the deliveries read: the shard's lanes, and those of a shard that was adopted.
    let goodQueue: UnsafeMutablePointer<LaneQueue>
    let badQueue: UnsafeMutablePointer<LaneQueue>
    var adoption: Adoption
    var spoolWatch = SpoolWatch()
    /// Takes a line for the operator.
    let log: (String) -> Void
    /// Mode aws: where the deliveries' credentials come from.
    var credentials: CredentialProvider.Pointer?
    /// Deliveries that have not stopped.
    var deliveries = 2
    /// Gives the space of delivered segments back.
    var release: PacedWork?
    /// Touched when one opens or closes, and when a sync has ended.
    var links: [UnsafeMutablePointer<RouterLink>] = []
    /// Syncs the spool when `ack` is `fsync`.
    var sync: BackgroundSync?
    /// A sync is being begun or its end dealt with: what that brings about is dealt with by the same.
    var isSettling = false
    var stop: StopState?
    /// Called once when all is delivered that will be, and the lanes are closed.
    var didStop: () -> Void = {}

    struct StopState {
        var deadlineAtMs: UInt64
        var readsLinksToEnd: Bool
        var isDelivering = true
    }
}

/// A worker's behaviour: methods on the address of its state.
///
/// `Working+Links` reads frames off the links, `Working+Frames` gives them to the intake and sends
/// its acks, `Working+Sync` has the spool synced, `Working+Life` does what time and the supervisor
/// demand.
struct Working {
    let state: UnsafeMutablePointer<WorkerState>

    var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(state) }

    init(state: UnsafeMutablePointer<WorkerState>) { self.state = state }

    init(_ raw: UnsafeMutableRawPointer) {
        state = raw.assumingMemoryBound(to: WorkerState.self)
    }
}
