import Core
import Platform

/// A batch that its workers die with: one hit to a frame, one frame at a time.
extension Routing {
    /// The link's other end went away by itself: is something in the window to blame?
    func workerDied(_ link: UnsafeMutablePointer<WorkerLink>) {
        let window = state.pointee.windows + link.pointee.worker
        let action = link.pointee.poison.workerDied(
            with: window.pointee,
            hadReadAll: link.pointee.endCode == endOfFile && !link.pointee.isWriting)
        switch action {
        case .sendAgain: break
        case .isolate: state.pointee.counters.add(to: .batchesIsolated)
        case .goOpaque: state.pointee.counters.add(to: .hitsOpaque)
        }
    }

    /// Writes the lone hit whose turn it is, unless it is out.
    func sendLone(_ link: UnsafeMutablePointer<WorkerLink>) {
        let window = state.pointee.windows + link.pointee.worker
        let frame = loneFrame(of: link)
        guard let count = link.pointee.poison.writeLoneFrame(of: window.pointee, to: frame)
        else { return }
        let written = link.pointee.handle.tryWrite(frame, count)
        if written < 0 { return }  // its end-of-file brings the next link
        link.pointee.poison.didSend()
        state.pointee.counters.add(to: .framesSent)
        if written < count { queue(link, frame + written, count - written) }
    }

    private func loneFrame(
        of link: UnsafeMutablePointer<WorkerLink>
    ) -> UnsafeMutableRawPointer {
        if let frame = link.pointee.loneFrame { return frame }
        let frame = UnsafeMutableRawPointer.allocate(
            byteCount: Limits.frameBytesMax, alignment: 64)
        link.pointee.loneFrame = frame
        return frame
    }
}
