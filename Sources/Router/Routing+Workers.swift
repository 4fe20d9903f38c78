import Core
import Glibc
import Platform

/// Frames out, acks in, and what happens when a worker dies.
extension Routing {
    nonisolated(unsafe) static let linkEvents = UnsafePointer(
        UnsafeMutablePointer<StreamEvents>.made(
            StreamEvents(
                didRead: { owner, bytes, count in
                    let link = owner.assumingMemoryBound(to: WorkerLink.self)
                    link.pointee.router.readAcks(
                        link, UnsafeRawBufferPointer(start: bytes, count: count))
                },
                didEnd: { owner, code in
                    let link = owner.assumingMemoryBound(to: WorkerLink.self)
                    link.pointee.endCode = code
                    link.pointee.handle.close()
                },
                didWrite: { owner, status in
                    let link = owner.assumingMemoryBound(to: WorkerLink.self)
                    if status != 0 { return }  // the link is ending, and was not read to its end
                    link.pointee.isWriting = false
                    link.pointee.router.send(to: link.pointee.worker)
                },
                didClose: { owner in
                    let link = owner.assumingMemoryBound(to: WorkerLink.self)
                    link.pointee.router.linkClosed(link)
                })))

    // MARK: Sending

    /// The end of a loop turn: what was gathered in it leaves, one write a worker.
    func endTurn() {
        if state.pointee.hasOpenFrames { sendOpenFrames() }
        if state.pointee.turnBeganMicroseconds > 0 { turnEnded() }
    }

    /// While a frame is out, the next one gathers hits until the ack is here: the busier a worker,
    /// the larger its frames, and the less each hit costs (docs/decisions/0010). `all` sends them
    /// all the same, so that no hit waits long for a worker that says nothing. Without a link nothing
    /// can leave, so hits gather into whole frames, of which a window holds a limited number.
    func sendOpenFrames(all: Bool = false) {
        state.pointee.hasOpenFrames = false
        let nowMs = state.pointee.loop.nowMs
        for worker in 0..<state.pointee.workers {
            let window = state.pointee.windows + worker
            guard window.pointee.hasOpenFrame else { continue }
            let isFree =
                window.pointee.sentFrames == 0 && (state.pointee.links + worker).pointee.isOpen
            if all || isFree {
                window.pointee.seal(nowMs: nowMs)
                send(to: worker)
            } else {
                state.pointee.hasOpenFrames = true
            }
        }
    }

    /// The turn's first work; `now` is the wall clock, which the caller read anyway.
    func turnBegan(at now: UInt64) {
        if state.pointee.turnBeganMicroseconds == 0 { state.pointee.turnBeganMicroseconds = now }
    }

    private func turnEnded() {
        let began = state.pointee.turnBeganMicroseconds
        let now = realtimeMicroseconds()
        state.pointee.turnBeganMicroseconds = 0
        // The wall clock may have been set in between.
        if now > began && now - began < 60_000_000 {
            state.pointee.counters.raise(
                .routerLongestCallbackNanoseconds, to: (now - began) * 1000)
        }
    }

    /// Gives the link every sealed frame it will take. On failure nothing is lost: the frames stay
    /// in the window, and the link's end-of-file brings its successor.
    func send(to worker: Int) {
        let link = state.pointee.links + worker
        let window = state.pointee.windows + worker
        guard link.pointee.isOpen, !link.pointee.isWriting else { return }
        if link.pointee.poison.isIsolating { return sendLone(link) }
        while let run = window.pointee.unsent() {
            let written = link.pointee.handle.tryWrite(run.bytes.baseAddress!, run.bytes.count)
            if written < 0 { return }
            window.pointee.didSend(frames: run.frames)
            state.pointee.counters.add(UInt64(run.frames), to: .framesSent)
            if written == run.bytes.count { continue }
            queue(link, run.bytes.baseAddress! + written, run.bytes.count - written)
            return
        }
    }

    /// Leaves to libuv what the kernel did not take. The bytes stay as they are until it is done.
    func queue(
        _ link: UnsafeMutablePointer<WorkerLink>, _ bytes: UnsafeRawPointer, _ count: Int
    ) {
        do {
            try link.pointee.handle.write(bytes, count)
            link.pointee.isWriting = true
        } catch {
            abandon(link)
        }
    }

    // MARK: Acks

    func readAcks(_ link: UnsafeMutablePointer<WorkerLink>, _ bytes: UnsafeRawBufferPointer) {
        turnBegan(at: realtimeMicroseconds())
        var rest = bytes
        if link.pointee.carried.count > 0 && !completeCarried(link, &rest) { return flushAnswers() }
        while rest.count >= FrameHeader.byteCount {
            guard let header = try? FrameHeader.read(rest.baseAddress!), header.kind == .ack else {
                return cut(link)
            }
            let byteCount = Int(header.byteCount)
            if rest.count < byteCount { break }
            if !settle(link, header, rest.baseAddress! + FrameHeader.byteCount) { return cut(link) }
            rest = UnsafeRawBufferPointer(rebasing: rest[byteCount...])
        }
        carry(link, rest)
        flushAnswers()
        let window = state.pointee.windows + link.pointee.worker
        if window.pointee.unsentFrames > 0 { send(to: link.pointee.worker) }
    }

    /// An ack that came in two reads. False when it is still not whole, or is none.
    private func completeCarried(
        _ link: UnsafeMutablePointer<WorkerLink>, _ rest: inout UnsafeRawBufferPointer
    ) -> Bool {
        let base = link.pointee.carried.base
        if !fillCarried(link, upTo: FrameHeader.byteCount, &rest) { return false }
        guard let header = try? FrameHeader.read(base), header.kind == .ack else {
            cut(link)
            return false
        }
        if !fillCarried(link, upTo: Int(header.byteCount), &rest) { return false }
        link.pointee.carried.count = 0
        if settle(link, header, base + FrameHeader.byteCount) { return true }
        cut(link)
        return false
    }

    private func fillCarried(
        _ link: UnsafeMutablePointer<WorkerLink>, upTo wanted: Int,
        _ rest: inout UnsafeRawBufferPointer
    ) -> Bool {
        let have = link.pointee.carried.count
        let count = min(max(0, wanted - have), rest.count)
        if count > 0 {
            memcpy(link.pointee.carried.base + have, rest.baseAddress!, count)
            link.pointee.carried.count += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return link.pointee.carried.count >= wanted
    }

    private func carry(_ link: UnsafeMutablePointer<WorkerLink>, _ rest: UnsafeRawBufferPointer) {
        link.pointee.carried.count = rest.count
        if rest.count > 0 { memcpy(link.pointee.carried.base, rest.baseAddress!, rest.count) }
    }

    /// Hands out a frame's verdicts. False when the ack answers no frame that is out.
    private func settle(
        _ link: UnsafeMutablePointer<WorkerLink>, _ header: FrameHeader,
        _ verdicts: UnsafeRawPointer
    ) -> Bool {
        let window = state.pointee.windows + link.pointee.worker
        switch link.pointee.poison.acknowledge(header, in: &window.pointee) {
        case .unexpected: return false
        case .repeated: return true
        case .claims(let first, let count):
            for index in 0..<count {
                settle(window.pointee.claim(first &+ UInt64(index)), verdicts + index)
            }
            return true
        }
    }

    /// Gives a claim what its worker said; `verdict` is the byte of the ack.
    func settle(_ claim: Claim, _ verdict: UnsafeRawPointer) {
        let verdict = Verdict(rawValue: verdict.load(as: UInt8.self))
        if state.pointee.answersAtOnce {
            if verdict == .refused || verdict == nil {
                state.pointee.counters.add(to: .hitsAnsweredUnstored)
            }
        } else if claim.expired {
            if verdict != .refused { state.pointee.counters.add(to: .hitsLate) }
        } else {
            settle(claim, answer(for: verdict))
        }
    }

    private func answer(for verdict: Verdict?) -> Answer {
        switch verdict {
        case .good: .pixel
        case .bad: state.pointee.settings.onInvalid == .accept ? .pixel : .invalidPixel
        case .refused, nil: .unavailable
        }
    }

    // MARK: Links

    /// A new link to a worker. The one before it is first read to its end.
    func link(to worker: Int, descriptor: Int32) {
        guard worker < state.pointee.workers else {
            Glibc.close(descriptor)
            return
        }
        let link = state.pointee.links + worker
        if link.pointee.isOpen {
            if link.pointee.successor >= 0 { Glibc.close(link.pointee.successor) }
            link.pointee.successor = descriptor
        } else {
            open(link, descriptor)
        }
    }

    private func open(_ link: UnsafeMutablePointer<WorkerLink>, _ descriptor: Int32) {
        let worker = link.pointee.worker
        let stream = link.pointee.handle
        link.pointee.isOpen = true
        link.pointee.isWriting = false
        link.pointee.carried.count = 0
        link.pointee.endCode = 0
        link.pointee.lostAtMs = 0
        link.pointee.poison.linkOpened()
        do {
            try stream.openUnix(
                descriptor: descriptor, in: state.pointee.loop, owner: link,
                events: Self.linkEvents)
        } catch {
            Glibc.close(descriptor)
            return abandon(link)
        }
        guard (try? stream.startReading()) != nil else { return abandon(link) }
        let again = (state.pointee.windows + worker).pointee.sendAgain()
        state.pointee.counters.add(UInt64(again), to: .framesResent)
        send(to: worker)
    }

    /// The other end speaks nonsense: what it says is no longer listened to.
    private func cut(_ link: UnsafeMutablePointer<WorkerLink>) {
        flushAnswers()
        abandon(link)
    }

    /// Ends a link whose other end lives. The supervisor sees no death, so it has to be told.
    private func abandon(_ link: UnsafeMutablePointer<WorkerLink>) {
        link.pointee.isAbandoned = true
        link.pointee.handle.close()
    }

    func linkClosed(_ link: UnsafeMutablePointer<WorkerLink>) {
        let isAbandoned = link.pointee.isAbandoned
        let successor = link.pointee.successor
        if !isAbandoned { workerDied(link) }
        link.pointee.isOpen = false
        link.pointee.isWriting = false
        link.pointee.isAbandoned = false
        link.pointee.successor = -1
        link.pointee.lostAtMs = state.pointee.loop.nowMs
        if successor >= 0 {
            open(link, successor)
        } else if isAbandoned {
            state.pointee.didBreakLink(link.pointee.worker)
        }
    }

    /// A worker that cut a link lives on, and nobody saw a death: after a second without a
    /// successor the supervisor is asked for one. It knows whether there is a worker to link to.
    func askForLinks() {
        let nowMs = state.pointee.loop.nowMs
        for worker in 0..<state.pointee.workers {
            let link = state.pointee.links + worker
            guard link.pointee.lostAtMs > 0, nowMs >= link.pointee.lostAtMs + 1000 else { continue }
            link.pointee.lostAtMs = nowMs
            state.pointee.didBreakLink(worker)
        }
    }
}
