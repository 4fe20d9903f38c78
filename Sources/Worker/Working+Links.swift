import Core
import Glibc
import Platform

/// A worker's side of the way from one router incarnation.
struct RouterLink {
    var stream = StreamStorage()
    let worker: Working
    let buffer: UnsafeMutableRawPointer
    var filled = 0
    /// Acks that wait for a sync; nil unless `ack` is `fsync`.
    var waiting: UnsafeMutablePointer<AckQueue>?

    /// Two frames, so that a whole one always fits behind the rest of another; and slack for
    /// 16-byte loads past the end.
    static let bufferBytes = 2 * Limits.frameBytesMax

    init(worker: Working) {
        self.worker = worker
        buffer = .allocate(byteCount: Self.bufferBytes + 64, alignment: 64)
    }

    var handle: Stream {
        mutating get { withUnsafeMutablePointer(to: &stream) { Stream(at: $0) } }
    }
}

extension Working {
    nonisolated(unsafe) static let linkEvents: UnsafePointer<StreamEvents> = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                provideBuffer: { owner, base, count in
                    let link = owner.assumingMemoryBound(to: RouterLink.self)
                    base.pointee = link.pointee.buffer + link.pointee.filled
                    count.pointee = RouterLink.bufferBytes - link.pointee.filled
                },
                didRead: { owner, _, count in
                    let link = owner.assumingMemoryBound(to: RouterLink.self)
                    link.pointee.filled += count
                    link.pointee.worker.readFrames(link)
                },
                didEnd: { owner, _ in
                    let link = owner.assumingMemoryBound(to: RouterLink.self)
                    link.pointee.handle.close()
                },
                didWrite: { owner, _ in
                    let link = owner.assumingMemoryBound(to: RouterLink.self)
                    link.pointee.worker.goOn(link)
                },
                didClose: { owner in
                    let link = owner.assumingMemoryBound(to: RouterLink.self)
                    link.pointee.worker.linkClosed(link)
                }))
        return UnsafePointer(events)
    }()

    /// A new link from a router.
    func open(link descriptor: Int32) {
        let link = UnsafeMutablePointer<RouterLink>.allocate(capacity: 1)
        link.initialize(to: RouterLink(worker: self))
        if state.pointee.intake.waitsForSync {
            let queue = UnsafeMutablePointer<AckQueue>.allocate(capacity: 1)
            queue.initialize(to: AckQueue())
            link.pointee.waiting = queue
        }
        state.pointee.links.append(link)
        let stream = link.pointee.handle
        do {
            try stream.openUnix(
                descriptor: descriptor, in: state.pointee.loop, owner: link,
                events: Self.linkEvents)
            try stream.startReading()
        } catch {
            stream.close()
        }
    }

    func linkClosed(_ link: UnsafeMutablePointer<RouterLink>) {
        state.pointee.links.removeAll { $0 == link }
        // What waits was appended; a router that has no ack sends it again.
        link.pointee.waiting?.deinitialize(count: 1)
        link.pointee.waiting?.deallocate()
        link.pointee.buffer.deallocate()
        link.deallocate()
        goOnStopping()
    }

    /// Takes whole frames off the front; what is left moves there.
    func readFrames(_ link: UnsafeMutablePointer<RouterLink>) {
        let startNs = monotonicNanoseconds()
        let base = link.pointee.buffer
        let filled = link.pointee.filled
        var at = 0
        while filled - at >= FrameHeader.byteCount {
            guard let header = try? FrameHeader.read(base + at), header.kind != .ack else {
                return link.pointee.handle.close()
            }
            let byteCount = Int(header.byteCount)
            if filled - at < byteCount { break }
            let frame = UnsafeRawBufferPointer(start: base + at, count: byteCount)
            if !take(header, frame, from: link) {
                return link.pointee.handle.close()
            }
            at += byteCount
            if isHeldUp(link) {
                link.pointee.handle.stopReading()
                break
            }
        }
        link.pointee.filled = filled - at
        if at > 0 && filled > at { memmove(base, base + at, filled - at) }
        state.pointee.counters.raise(
            .workerLongestCallbackNanoseconds, to: monotonicNanoseconds() - startNs)
        syncSpool()
    }

    /// Whether no more frames are to be taken from the link now: its router does not take the acks,
    /// or too much waits for the disk. So the frames stored and not acknowledged stay far fewer than
    /// the 256 that a lane can tell apart when they are sent again.
    private func isHeldUp(_ link: UnsafeMutablePointer<RouterLink>) -> Bool {
        link.pointee.handle.queuedBytes > 0 || link.pointee.waiting?.pointee.isFull == true
            || state.pointee.intake.isSaturated
    }

    /// Something that held the link up is over: acks that may leave, leave, then frames are taken.
    func goOn(_ link: UnsafeMutablePointer<RouterLink>) {
        if link.pointee.handle.isClosing { return }
        sendSettled(to: link)
        if link.pointee.handle.isClosing || isHeldUp(link) { return }
        readFrames(link)
        if link.pointee.handle.isClosing || isHeldUp(link) { return }
        try? link.pointee.handle.startReading()
    }
}
