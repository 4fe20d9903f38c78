import Platform

/// Open model: requests leave when they are due, not when there is time for them.
extension Generating {
    /// Sends what is due, and sees to it that the thread wakes for what follows.
    func sendDue() {
        guard state.pointee.phase == .sending else { return }
        var handled = 0
        var now = monotonicNanoseconds()
        while let due = state.pointee.nextDue, due <= now, handled < Self.dueBurstMax {
            take(due: due, now: now)
            advance()
            handled += 1
            now = monotonicNanoseconds()
        }
        armOrEnd(now)
    }

    /// Called at the start: finds the first request.
    func scheduleNext() {
        advance()
        armOrEnd(monotonicNanoseconds())
    }

    private func advance() {
        if state.pointee.sequence.isExhausted {
            state.pointee.nextDue = nil
            return
        }
        let start = state.pointee.startNanoseconds
        state.pointee.nextDue = state.pointee.schedule.next().map { start + $0 }
    }

    /// Where waking is dear, requests that are due within the price of it share one wake-up. Setting a
    /// timer is dear there too: one that is set for an earlier time stays, and is set anew when it
    /// has fired.
    private func wake(at wanted: UInt64, _ now: UInt64) {
        let armed = state.pointee.armedNanoseconds
        if armed > now && armed <= wanted { return }
        state.pointee.armedNanoseconds = wanted
        state.pointee.timer?.arm(atNanoseconds: wanted)
    }

    /// The schedule's timer fired.
    func timerFired() {
        state.pointee.armedNanoseconds = 0
        sendDue()
    }

    /// At the end of each turn of the loop: whoever is awake for answers sends what is due.
    func sendDueWhileAwake() {
        guard state.pointee.phase == .sending, let due = state.pointee.nextDue,
            due <= monotonicNanoseconds()
        else { return }
        sendDue()
    }

    private func armOrEnd(_ now: UInt64) {
        if let due = state.pointee.nextDue {
            wake(at: max(due, now + state.pointee.napNanoseconds), now)
        } else if state.pointee.plan.seconds == nil || state.pointee.sequence.isExhausted {
            endWhenSent(now)
        }
    }

    /// All is due; what waits for a connection is still to be sent.
    func endWhenSent(_ now: UInt64) {
        if state.pointee.nextDue == nil && state.pointee.backlog.isEmpty { endSending(now) }
    }

    private func take(due: UInt64, now: UInt64) {
        section.record(.schedule, nanoseconds: now - due)
        section.add(to: .due)
        let sequence = state.pointee.sequence.take()
        if state.pointee.backlog.isEmpty, let connection = takeFree() {
            send(sequence, due: due, now: now, on: connection)
        } else if !state.pointee.backlog.push(Backlog.Waiting(sequence: sequence, due: due)) {
            section.add(to: .dropped)
        }
    }

    /// What was due until then and the thread never got to: it is as little sent as what waited.
    func dropOverdue(_ end: UInt64) {
        var count: UInt64 = 0
        while let due = state.pointee.nextDue, due < end {
            _ = state.pointee.sequence.take()
            count += 1
            advance()
        }
        section.add(count, to: .due)
        section.add(count, to: .dropped)
    }

    /// A connection that can send, off the list.
    private func takeFree() -> UnsafeMutablePointer<LoadConnection>? {
        while let index = state.pointee.free.pop() {
            let connection = state.pointee.connections + Int(index)
            connection.pointee.isListed = false
            if connection.pointee.canSend { return connection }
        }
        return nil
    }

    /// A connection can take a request (again): the oldest that waits, else it is listed.
    func offer(_ connection: UnsafeMutablePointer<LoadConnection>) {
        while state.pointee.phase == .sending, connection.pointee.canSend,
            !state.pointee.backlog.isEmpty
        {
            let waiting = state.pointee.backlog.pop()
            send(waiting.sequence, due: waiting.due, now: monotonicNanoseconds(), on: connection)
        }
        list(connection)
        if state.pointee.nextDue == nil && state.pointee.phase == .sending {
            endWhenSent(monotonicNanoseconds())
        }
    }

    private func list(_ connection: UnsafeMutablePointer<LoadConnection>) {
        if connection.pointee.isListed || !connection.pointee.canSend { return }
        connection.pointee.isListed = true
        state.pointee.free.push(connection.pointee.index)
    }

    private func send(
        _ sequence: UInt64, due: UInt64, now: UInt64,
        on connection: UnsafeMutablePointer<LoadConnection>
    ) {
        let request = state.pointee.maker.write(sequence, to: state.pointee.scratch)
        if now - due > Self.lateNanoseconds { section.add(to: .late) }
        note(request, sequence, due: due, sent: now, on: connection)
        write(connection, byteCount: request.byteCount)
        list(connection)
    }

    /// Later than this counts as late.
    private static let lateNanoseconds: UInt64 = 1_000_000
}
