import Core
import Platform

/// A router's side of the way to one worker: the link that lives, and the one that waits until the
/// last word of its predecessor has been read.
struct WorkerLink {
    var stream = StreamStorage()
    let router: Routing
    let worker: Int
    var isOpen = false
    /// A write is queued in user space: frames wait until it is done.
    var isWriting = false
    /// The router itself closed it, and the supervisor does not know.
    var isAbandoned = false
    /// How the other end ended it; 0 when it did not.
    var endCode: Int32 = 0
    /// When there was last a link and is none now; 0 while there is, or never was.
    var lostAtMs: UInt64 = 0
    /// Whether a hit is killing its workers.
    var poison = PoisonMachine()
    /// Where a frame of one hit is put together: made when it is first needed, whole while a write
    /// of it is queued.
    var loneFrame: UnsafeMutableRawPointer?
    /// The next link's descriptor, already here; -1 when none.
    var successor: Int32 = -1
    /// The start of an ack whose rest has not come.
    var carried = Carried()

    init(router: Routing, worker: Int) {
        self.router = router
        self.worker = worker
    }

    var handle: Stream {
        mutating get { withUnsafeMutablePointer(to: &stream) { Stream(at: $0) } }
    }

    /// Less than one ack: header and 256 verdicts.
    struct Carried {
        static let bytesMax = FrameHeader.byteCount + Limits.frameHitsMax
        let base = UnsafeMutableRawPointer.allocate(byteCount: bytesMax, alignment: 8)
        var count = 0
    }
}
