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
