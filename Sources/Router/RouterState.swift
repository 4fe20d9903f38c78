import Core
import Platform

/// Everything a router knows. Reached by address from libuv's callbacks; see `Routing`. Lives as
/// long as its process, so nothing is ever given back.
struct RouterState: ~Copyable {
    let loop: Loop
    let settings: Settings
    let counters: CounterPage
    let workers: Int
    /// `ack = "received"`: a hit is answered once it is in a window, and its ack only frees that.
    let answersAtOnce: Bool
    /// `on_shard_down = "reroute"`.
    let reroutes: Bool
    let windows: UnsafeMutablePointer<FrameWindow>
    let links: UnsafeMutablePointer<WorkerLink>
    let shardKey: ShardKey
    var ids: HitIdGenerator
    var slab: ConnectionSlab
    var answers: AnswerTable
    /// Where the answers of one connection are put together before they are written.
    let scratch: UnsafeMutablePointer<UInt8>
    var firstToFlush = ConnectionSlab.none
    var hasOpenFrames = false
    /// A connection that waits in the listener because the slab was full.
    var knocking = false
    var listeners: [Listener] = []
    var drain: DrainState?
    /// Where the sweep over idle connections goes on.
    var sweepAt: UInt32 = 0
    /// Per worker: frames up to this one were answered 503 for lateness.
    let expired: UnsafeMutablePointer<UInt64>
    /// When the turn's first work began; 0 while there was none.
    var turnBeganMicroseconds: UInt64 = 0
    /// Called once when the router has answered all it will.
    var didDrain: () -> Void = {}
    /// Hits that were answered from memory leave with the router: of which worker, and how many.
    var leavesBehind: (_ worker: Int, _ hits: Int) -> Void = { _, _ in }
    /// Called when the router gave up its link to a living worker: it needs a new one.
    var didBreakLink: (_ worker: Int) -> Void = { _ in }

    struct DrainState {
        var startedAtMs: UInt64
        var deadlineAtMs: UInt64
        var isDone = false
    }

    static let scratchBytes = Limits.pipelinedAnswersMax * AnswerTable.answerBytesMax

    init(
        loop: Loop, settings: Settings, origin: Origin, counters: CounterPage, fileLimit: Int
    ) {
        self.loop = loop
        self.settings = settings
        self.counters = counters
        workers = settings.workers
        answersAtOnce = settings.ack == .received
        reroutes = settings.onShardDown == .reroute
        let capacity = min(
            Limits.windowBytesPerWorkerMax, Limits.windowBytesMax / settings.workers)
        windows = .allocate(capacity: workers)
        links = .allocate(capacity: workers)
        expired = .allocate(capacity: workers)
        expired.initialize(repeating: 0, count: workers)
        for index in 0..<workers {
            (windows + index).initialize(to: FrameWindow(origin: origin, capacity: capacity))
        }
        shardKey = ShardKey(settings.shardKey)
        ids = HitIdGenerator(seed: randomUInt64())
        // Descriptors stay free for links (each with a successor), listeners and the runtime.
        let reserved = 64 + 2 * workers
        slab = ConnectionSlab(
            slotsMax: max(16, min(settings.connectionsMax, fileLimit - reserved)))
        answers = AnswerTable(unixSeconds: realtimeMicroseconds() / 1_000_000)
        scratch = .allocate(capacity: Self.scratchBytes)
    }
}

/// A router's behaviour: methods on the address of its state, so that a callback costs no reference
/// counting, and no two of its accesses overlap.
///
/// `Routing+Clients` takes requests in, `Routing+Shards` says which worker they go to,
/// `Routing+Workers` talks to the workers, `Routing+Poison` to one that a hit kills,
/// `Routing+Answers` lets answers out, `Routing+Life` does what time and the supervisor demand.
struct Routing {
    let state: UnsafeMutablePointer<RouterState>

    var raw: UnsafeMutableRawPointer { UnsafeMutableRawPointer(state) }

    init(state: UnsafeMutablePointer<RouterState>) { self.state = state }

    init(_ raw: UnsafeMutableRawPointer) {
        state = raw.assumingMemoryBound(to: RouterState.self)
    }
}
