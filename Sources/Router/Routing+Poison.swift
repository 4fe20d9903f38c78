import Core
import Glibc
import Platform

/// A batch that its workers die with: one hit to a frame, one frame at a time.
extension Routing {
    /// The link's other end went away by itself: is something in the window to blame?
    func workerDied(_ link: UnsafeMutablePointer<WorkerLink>) {
        let window = state.pointee.windows + link.pointee.worker
        let oldest = window.pointee.sentFrames > 0 ? window.pointee.oldest : nil
        let action = link.pointee.poison.workerDied(
            oldest: oldest.map { ($0.sequence, $0.hitCount) },
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
        guard let lone = link.pointee.poison.toSend,
            let hit = window.pointee.hitOfOldest(lone.place)
        else { return }
        let frame = loneFrame(of: link)
        let count = FrameHeader.byteCount + hit.count
        FrameHeader(
            byteCount: UInt32(count), kind: lone.kind, hitCount: 1,
            origin: LoneHit.origin(of: window.pointee.origin), sequence: lone.sequence
        ).write(to: frame)
        memcpy(frame + FrameHeader.byteCount, hit.baseAddress!, hit.count)
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

    /// Hands out a lone hit's verdict. False when the ack answers nothing that is out.
    func settleLone(
        _ link: UnsafeMutablePointer<WorkerLink>, _ header: FrameHeader,
        _ verdict: UnsafeRawPointer
    ) -> Bool {
        let window = state.pointee.windows + link.pointee.worker
        let outcome = link.pointee.poison.acknowledge(
            sequence: header.sequence, hitCount: Int(header.hitCount))
        switch outcome {
        case .unexpected: return false
        case .repeated: return true
        case .verdict(let place), .lastVerdict(let place):
            guard let oldest = window.pointee.oldest else { return false }
            settle(window.pointee.claim(oldest.firstClaim &+ UInt64(place)), verdict)
        }
        if case .lastVerdict = outcome { window.pointee.oldestIsSettled() }
        return true
    }
}
