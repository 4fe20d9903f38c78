import Core
import Platform

/// What time and the supervisor demand.
extension Routing {
    static let tickMs: UInt64 = 100
    /// How long connections that say nothing are kept after a drain began: a client that is just
    /// about to use one then gets an answer with `Connection: close`, not a reset.
    private static let idleGraceMs: UInt64 = 1000
    /// And one whose request has begun to arrive, and does not go on: two seconds at least.
    private static let halfRequestSeconds: UInt32 = 3
    /// After its last answer a refused connection is read (and ignored) for so long at most.
    private static let lingerSeconds: UInt32 = 2

    /// Starts accepting on inherited, bound sockets.
    func listen(on descriptors: [Int32]) throws(Failure) {
        for descriptor in descriptors {
            let listener = try Listener.open(
                tcp: descriptor, in: state.pointee.loop, backlog: 4096, owner: raw,
                events: Self.listenerEvents)
            state.pointee.listeners.append(listener)
        }
    }

    /// Accepts on a socket whose own router is down as well. One that cannot be watched stays that
    /// router's: its connections wait for it.
    func listenToo(on descriptor: Int32) {
        closeOnExec(descriptor)
        if state.pointee.drain == nil, (try? listen(on: [descriptor])) != nil { return }
        closeDescriptor(descriptor)
    }

    func tick() {
        state.pointee.answers.renewDate(unixSeconds: realtimeMicroseconds() / 1_000_000)
        var windowBytes = 0
        for worker in 0..<state.pointee.workers {
            expireOverdue(worker)
            windowBytes += (state.pointee.windows + worker).pointee.usedBytes
        }
        state.pointee.counters.set(.windowBytes, to: UInt64(windowBytes))
        flushAnswers()
        sweep()
        if state.pointee.drain != nil { goOnDraining() } else { askForLinks() }
        if state.pointee.hasOpenFrames { sendOpenFrames(all: true) }
        endTurn()  // timers fire before the loop polls, and a turn's end comes after that
    }

    /// Hits that no worker acknowledged within the wait limit are answered 503. Their frames stay:
    /// they may be stored yet, which is then counted as late.
    private func expireOverdue(_ worker: Int) {
        let window = state.pointee.windows + worker
        let nowMs = state.pointee.loop.nowMs
        guard nowMs >= state.pointee.settings.waitLimitMs else { return }
        let before = nowMs - state.pointee.settings.waitLimitMs
        while let (first, count) = window.pointee.overdue(
            before: before, alreadyExpired: state.pointee.expired[worker])
        {
            if !state.pointee.answersAtOnce { refuseLate(window, first, count) }
            state.pointee.expired[worker] =
                max(state.pointee.expired[worker], window.pointee.firstFrame) + 1
        }
    }

    private func refuseLate(
        _ window: UnsafeMutablePointer<FrameWindow>, _ first: UInt64, _ count: Int
    ) {
        for number in first..<(first &+ UInt64(count)) {
            settle(window.pointee.claim(number), .unavailable)
            window.pointee.expire(number)
        }
        state.pointee.counters.add(UInt64(count), to: .hitsRefusedLate)
    }

    /// Looks at a fiftieth of the connections, so that each is seen every five seconds.
    private func sweep() {
        let slots = UInt32(state.pointee.slab.slotCount)
        if slots == 0 { return }
        for _ in 0..<(slots / 50 + 1) {
            state.pointee.sweepAt = (state.pointee.sweepAt + 1) % slots
            let client = state.pointee.slab[state.pointee.sweepAt]
            if client.pointee.flags.contains(.open) { closeIfIdle(client) }
        }
    }

    private func closeIfIdle(_ client: UnsafeMutablePointer<ClientConnection>) {
        let idleSeconds = nowSeconds &- client.pointee.activeAtSeconds
        if client.pointee.flags.contains(.lingering) {
            if idleSeconds >= Self.lingerSeconds { drop(client) }
        } else if client.pointee.pending.isEmpty
            && UInt64(idleSeconds) * 1000 >= state.pointee.settings.keepAliveMs
        {
            drop(client)
        }
    }

    // MARK: Draining

    /// Stops accepting, answers what is pending, and then says so. Asked again, it only hurries.
    func drain(withinMs: UInt64) {
        let nowMs = state.pointee.loop.nowMs
        if let drain = state.pointee.drain {
            state.pointee.drain?.deadlineAtMs = min(drain.deadlineAtMs, nowMs + withinMs)
            return
        }
        state.pointee.drain = RouterState.DrainState(
            startedAtMs: nowMs, deadlineAtMs: nowMs + withinMs)
        for listener in state.pointee.listeners { listener.close() }
        state.pointee.listeners = []
    }

    private func goOnDraining() {
        guard let drain = state.pointee.drain, !drain.isDone else { return }
        let nowMs = state.pointee.loop.nowMs
        let isOver = nowMs >= drain.deadlineAtMs
        if isOver || nowMs >= drain.startedAtMs + Self.idleGraceMs { dropConnections(all: isOver) }
        if isOver || (state.pointee.slab.openCount == 0 && windowsAreEmpty) {
            state.pointee.drain?.isDone = true
            if state.pointee.answersAtOnce { countLeftBehind() }
            state.pointee.didDrain()
        }
    }

    /// A hit without a client still waits for its ack: then it is known to be stored.
    private var windowsAreEmpty: Bool {
        for worker in 0..<state.pointee.workers
        where !(state.pointee.windows + worker).pointee.isEmpty { return false }
        return true
    }

    /// Hits answered from memory that leave with it. Some may be stored: their acks did not come.
    private func countLeftBehind() {
        for worker in 0..<state.pointee.workers {
            let hits = (state.pointee.windows + worker).pointee.outstandingHits
            if hits == 0 { continue }
            state.pointee.counters.add(UInt64(hits), to: .hitsAnsweredUnstored)
            state.pointee.leavesBehind(worker, hits)
        }
    }

    private func dropConnections(all: Bool) {
        let now = nowSeconds
        for slot in 0..<UInt32(state.pointee.slab.slotCount) {
            let client = state.pointee.slab[slot]
            guard client.pointee.flags.contains(.open) else { continue }
            let isBetweenRequests = client.pointee.kept.count == 0
            let isIdle =
                client.pointee.pending.isEmpty && !client.pointee.flags.contains(.writing)
                && (isBetweenRequests
                    || now &- client.pointee.activeAtSeconds >= Self.halfRequestSeconds)
            if all || isIdle { drop(client) }
        }
    }
}
