import Core
import Glibc
import Platform

/// From a knock to a hit in a worker's batch.
extension Routing {
    nonisolated(unsafe) static let listenerEvents = UnsafePointer(
        UnsafeMutablePointer<ListenerEvents>.made(
            ListenerEvents(
                didKnock: { owner, status in if status == 0 { Routing(owner).acceptAll() } },
                didClose: { _ in })))

    nonisolated(unsafe) static let clientEvents = UnsafePointer(
        UnsafeMutablePointer<StreamEvents>.made(
            StreamEvents(
                didRead: { owner, bytes, count in
                    let client = owner.assumingMemoryBound(to: ClientConnection.self)
                    client.pointee.router.received(
                        client, UnsafeRawBufferPointer(start: bytes, count: count))
                },
                didEnd: { owner, code in
                    let client = owner.assumingMemoryBound(to: ClientConnection.self)
                    client.pointee.router.ended(client, code)
                },
                didWrite: { owner, status in
                    let client = owner.assumingMemoryBound(to: ClientConnection.self)
                    client.pointee.router.wrote(client, status)
                },
                didClose: { owner in
                    let client = owner.assumingMemoryBound(to: ClientConnection.self)
                    client.pointee.router.closed(client)
                })))

    // MARK: Connections

    /// Takes each waiting connection. With the slab full it stays in its listener, which announces
    /// no other until it is taken: that is the brake.
    func acceptAll() {
        for listener in state.pointee.listeners where listener.isKnocking {
            guard let client = state.pointee.slab.take(for: self) else {
                state.pointee.knocking = true
                return
            }
            accept(client, from: listener)
        }
    }

    private func accept(_ client: UnsafeMutablePointer<ClientConnection>, from listener: Listener) {
        let stream = client.pointee.handle
        stream.openTCP(in: state.pointee.loop, owner: client, events: Self.clientEvents)
        client.pointee.flags = .open
        client.pointee.activeAtSeconds = nowSeconds
        do {
            try stream.accept(from: listener)
            stream.setNoDelay()
            withUnsafeMutableBytes(of: &client.pointee.address) {
                peerAddress(of: stream, into: $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
            try stream.startReading()
            state.pointee.counters.add(to: .connectionsAccepted)
            state.pointee.counters.set(
                .connectionsOpen, to: UInt64(state.pointee.slab.openCount))
        } catch {
            drop(client)
        }
    }

    /// Closes at once; whatever is pending stays unanswered.
    func drop(_ client: UnsafeMutablePointer<ClientConnection>) {
        guard client.pointee.flags.contains(.open) else { return }
        client.pointee.flags.remove(.open)
        client.pointee.generation &+= 1
        client.pointee.kept.clear()
        client.pointee.handle.close()
    }

    func closed(_ client: UnsafeMutablePointer<ClientConnection>) {
        state.pointee.slab.give(back: client)
        state.pointee.counters.set(.connectionsOpen, to: UInt64(state.pointee.slab.openCount))
        if state.pointee.knocking {
            state.pointee.knocking = false
            acceptAll()
        }
    }

    /// End-of-file is half a farewell: pending answers still go out.
    func ended(_ client: UnsafeMutablePointer<ClientConnection>, _ code: Int32) {
        if code != endOfFile || client.pointee.pending.isEmpty
            || client.pointee.flags.contains(.lingering)
        {
            drop(client)
        } else {
            client.pointee.flags.formUnion([.halfClosed, .lastRequest])
            client.pointee.kept.clear()
        }
    }

    // MARK: Requests

    func received(
        _ client: UnsafeMutablePointer<ClientConnection>, _ bytes: UnsafeRawBufferPointer
    ) {
        // Before the clock is set: one that lingers may not do so for longer by sending more.
        if client.pointee.flags.contains(.lingering) { return }
        client.pointee.activeAtSeconds = nowSeconds
        if client.pointee.kept.count > 0 {
            client.pointee.kept.append(bytes)
            if mayEndHead(client, bytes) { parseKept(client) }
        } else {
            let passed = parse(client, bytes)
            if passed < bytes.count {
                client.pointee.kept.append(UnsafeRawBufferPointer(rebasing: bytes[passed...]))
            }
        }
        flushAnswers()
    }

    /// A cut head is parsed again from its start, so one that drips in byte by byte would cost the
    /// square of its length. But only a line feed ends it, or the limit.
    private func mayEndHead(
        _ client: UnsafeMutablePointer<ClientConnection>, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        client.pointee.kept.count >= Limits.requestHeadBytesMax
            || memchr(bytes.baseAddress!, 0x0a, bytes.count) != nil
    }

    func parseKept(_ client: UnsafeMutablePointer<ClientConnection>) {
        let passed = parse(client, client.pointee.kept.bytes)
        client.pointee.kept.drop(passed)
    }

    /// Takes whole requests off the front; how many bytes it is done with.
    private func parse(
        _ client: UnsafeMutablePointer<ClientConnection>, _ bytes: UnsafeRawBufferPointer
    ) -> Int {
        let receivedAt = realtimeMicroseconds()
        turnBegan(at: receivedAt)
        var head = RequestHead()
        var at = 0
        while at < bytes.count {
            if client.pointee.bodyToSkip > 0 {
                let skipped = min(client.pointee.bodyToSkip, bytes.count - at)
                client.pointee.bodyToSkip -= skipped
                at += skipped
                continue
            }
            if client.pointee.flags.contains(.lastRequest) { return bytes.count }
            if client.pointee.pending.isFull {
                pause(client)
                return at
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            let outcome = parseRequestHead(rest, into: &head)
            if outcome == .incomplete { return at }
            if outcome != .complete {
                refuse(client, outcome)
                return bytes.count
            }
            at += head.byteCount
            take(client, head, receivedAt)
        }
        return at
    }

    private func pause(_ client: UnsafeMutablePointer<ClientConnection>) {
        if client.pointee.flags.contains(.paused) { return }
        client.pointee.flags.insert(.paused)
        client.pointee.handle.stopReading()
    }

    /// Framing in doubt: one last answer, nothing recorded, and the connection ends.
    private func refuse(
        _ client: UnsafeMutablePointer<ClientConnection>, _ outcome: RequestHeadOutcome
    ) {
        state.pointee.counters.add(to: .requestsMalformed)
        client.pointee.flags.formUnion([.lastRequest, .refused])
        let answer: Answer =
            switch outcome {
            case .targetTooLong: .targetTooLong
            case .headTooLarge: .headTooLarge
            case .codingUnknown: .codingUnknown
            case .versionUnknown: .versionUnknown
            case .malformed, .complete, .incomplete: .badRequest
            }
        let ordinal = client.pointee.pending.open(isHead: false)
        answerNow(client, ordinal, answer)
    }

    /// A body is passed over, not read; a larger one than this is refused.
    private static let bodyBytesMax = 64 << 10

    private func take(
        _ client: UnsafeMutablePointer<ClientConnection>, _ head: RequestHead, _ receivedAt: UInt64
    ) {
        state.pointee.counters.add(to: .requests)
        if !head.keepAlive || state.pointee.drain != nil {
            client.pointee.flags.insert(.lastRequest)
        } else if head.minorVersion == 0 {
            client.pointee.flags.insert(.keepAlive10)
        }
        let ordinal = client.pointee.pending.open(isHead: head.method == .head)
        if head.contentLength > Self.bodyBytesMax {
            client.pointee.flags.formUnion([.lastRequest, .refused])
            answerNow(client, ordinal, .contentTooLarge)
            return
        }
        client.pointee.bodyToSkip = head.contentLength
        guard isPixel(head.target) else { return answerNow(client, ordinal, .notFound) }
        guard head.method != .other else { return answerNow(client, ordinal, .methodNotAllowed) }
        submit(client, head, ordinal, receivedAt)
    }

    /// Puts the hit into the batch of its worker.
    private func submit(
        _ client: UnsafeMutablePointer<ClientConnection>, _ head: RequestHead, _ ordinal: UInt32,
        _ receivedAt: UInt64
    ) {
        let address = UnsafeRawPointer(client)
            .advanced(by: MemoryLayout<ClientConnection>.offset(of: \.address)!)
            .assumingMemoryBound(to: UInt8.self)
        let key = shardKey(head, address)
        let visitor = visitorCookie(head.cookie)
        let count = HitLayout.byteCount(
            target: head.target.count, userAgent: head.userAgent.count,
            referer: head.referer.count, visitorCookie: visitor.count)
        let (worker, place) = room(for: key, count)
        guard let place else {
            state.pointee.counters.add(to: .hitsRefusedWindow)
            answerNow(client, ordinal, .unavailable)
            return sendSealed(to: worker)
        }
        HitLayout.write(
            to: place, route: HitLayout.Route.pixel,
            flags: head.method == .head ? HitLayout.Flag.head : 0,
            receivedAtMicroseconds: receivedAt, address: address, requestTarget: head.target,
            userAgent: head.userAgent, referer: head.referer, visitorCookie: visitor)
        state.pointee.ids.write(nowMicroseconds: receivedAt, to: place + 8)
        (state.pointee.windows + worker).pointee.commitHit(
            count,
            claim: Claim(
                slot: client.pointee.slot, generation: client.pointee.generation,
                ordinal: ordinal, expired: false))
        state.pointee.hasOpenFrames = true
        sendSealed(to: worker)
        if state.pointee.answersAtOnce { answerNow(client, ordinal, .pixel) }
    }

    /// Full frames leave at once; the one that fills leaves at the end of the turn.
    func sendSealed(to worker: Int) {
        if (state.pointee.windows + worker).pointee.unsentFrames > 0 { send(to: worker) }
    }

    /// Of all cookies only the visitor's travels on: the others are none of ours.
    private func visitorCookie(_ cookies: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        if cookies.count == 0 { return cookies }
        let name: StaticString = "hy_uid"
        return cookieValue(
            of: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount),
            in: cookies)
    }

    /// `/p.gif` and its aliases, before any query; absolute-form's authority is passed over.
    private func isPixel(_ target: UnsafeRawBufferPointer) -> Bool {
        let path = pathAndQuery(of: target)
        guard let base = path.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
        return isPixelPath(base, path.count)
    }

    private func isPixelPath(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        matches(base, count, "/p.gif") || matches(base, count, "/1x1.gif")
            || matches(base, count, "/pixel.gif")
    }

    @inline(__always)
    private func matches(
        _ base: UnsafePointer<UInt8>, _ count: Int, _ path: StaticString
    ) -> Bool {
        let length = path.utf8CodeUnitCount
        guard count >= length, count == length || base[length] == UInt8(ascii: "?") else {
            return false
        }
        return memcmp(base, path.utf8Start, length) == 0
    }

    var nowSeconds: UInt32 { UInt32(truncatingIfNeeded: state.pointee.loop.nowMs / 1000) }
}

extension ClientConnection {
    /// The stream, at its address inside this connection.
    var handle: Stream {
        mutating get {
            withUnsafeMutablePointer(to: &stream) { Stream(at: $0) }
        }
    }
}

extension UnsafeMutablePointer {
    /// A value that lives as long as the process: for tables that C callbacks read.
    static func made(_ value: Pointee) -> UnsafeMutablePointer {
        let place = UnsafeMutablePointer.allocate(capacity: 1)
        place.initialize(to: value)
        return place
    }
}
