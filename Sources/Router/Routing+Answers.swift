import Core
import Glibc
import Platform

/// From a verdict to bytes on the client's socket, in each connection's order.
extension Routing {
    /// Answers without a worker's word (404, 405, 503, framing faults).
    func answerNow(
        _ client: UnsafeMutablePointer<ClientConnection>, _ ordinal: UInt32, _ answer: Answer
    ) {
        if client.pointee.pending.answer(ordinal, with: answer) { toFlush(client) }
    }

    /// Gives a claim its answer, if its client is still the same.
    func settle(_ claim: Claim, _ answer: Answer) {
        let client = state.pointee.slab[claim.slot]
        guard claim.isStill(client.pointee.generation),
            client.pointee.flags.contains(.open),
            client.pointee.pending.answer(claim.ordinal, with: answer)
        else {
            state.pointee.counters.add(to: .answersUnclaimed)
            return
        }
        toFlush(client)
    }

    private func toFlush(_ client: UnsafeMutablePointer<ClientConnection>) {
        if client.pointee.flags.contains(.toFlush) { return }
        client.pointee.flags.insert(.toFlush)
        client.pointee.nextToFlush = state.pointee.firstToFlush
        state.pointee.firstToFlush = client.pointee.slot
    }

    /// Lets out what can go, for every connection that got an answer in this callback.
    func flushAnswers() {
        while state.pointee.firstToFlush != ConnectionSlab.none {
            let client = state.pointee.slab[state.pointee.firstToFlush]
            state.pointee.firstToFlush = client.pointee.nextToFlush
            client.pointee.flags.remove(.toFlush)
            if client.pointee.flags.contains(.open) { flush(client) }
        }
    }

    private func flush(_ client: UnsafeMutablePointer<ClientConnection>) {
        guard client.pointee.pending.firstIsAnswered else { return }
        let first = nextAnswer(client)
        let isWritten: Bool
        if !client.pointee.pending.firstIsAnswered {
            isWritten = write(client, first)
        } else {
            var count = 0
            append(first, &count)
            while client.pointee.pending.firstIsAnswered { append(nextAnswer(client), &count) }
            isWritten = write(
                client, UnsafeRawBufferPointer(start: state.pointee.scratch, count: count))
        }
        if isWritten { moveOn(client) }
    }

    private func append(_ answer: UnsafeRawBufferPointer, _ count: inout Int) {
        memcpy(state.pointee.scratch + count, answer.baseAddress!, answer.count)
        count += answer.count
    }

    private func nextAnswer(
        _ client: UnsafeMutablePointer<ClientConnection>
    ) -> UnsafeRawBufferPointer {
        let (answer, isHead, _) = client.pointee.pending.takeFirst()
        state.pointee.counters.add(to: Self.counter(of: answer))
        if state.pointee.drain != nil { endIfIdle(client) }
        let flags = client.pointee.flags
        let persistence: AnswerTable.Persistence =
            flags.contains(.lastRequest)
            ? (client.pointee.pending.isEmpty ? .close : .implied)
            : (flags.contains(.keepAlive10) ? .keepAlive : .implied)
        return state.pointee.answers.bytes(answer, persistence, isHead: isHead)
    }

    /// While draining the last answer that a connection waits for is its last. One whose next
    /// request has begun to arrive gets that one answered first.
    private func endIfIdle(_ client: UnsafeMutablePointer<ClientConnection>) {
        if client.pointee.pending.isEmpty && client.pointee.kept.count == 0 {
            client.pointee.flags.insert(.lastRequest)
        }
    }

    private static func counter(of answer: Answer) -> Counter {
        switch answer {
        case .pixel: .answers200
        case .invalidPixel, .badRequest: .answers400
        case .notFound: .answers404
        case .methodNotAllowed: .answers405
        case .unavailable: .answers503
        default: .answersOther
        }
    }

    /// Gives bytes to the kernel, and what it does not take to libuv.
    /// False when the client is gone.
    private func write(
        _ client: UnsafeMutablePointer<ClientConnection>, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        let stream = client.pointee.handle
        let written = stream.tryWrite(bytes.baseAddress!, bytes.count)
        if written == bytes.count { return true }
        if written < 0 {
            drop(client)
            return false
        }
        do {
            try stream.writeCopying(bytes.baseAddress! + written, bytes.count - written)
        } catch {
            drop(client)
            return false
        }
        client.pointee.flags.insert(.writing)
        if !client.pointee.flags.contains(.paused) {
            client.pointee.flags.insert(.paused)
            stream.stopReading()
        }
        return true
    }

    /// A queued write is done.
    func wrote(_ client: UnsafeMutablePointer<ClientConnection>, _ status: Int32) {
        guard client.pointee.flags.contains(.open) else { return }
        if status < 0 { return drop(client) }
        if client.pointee.handle.queuedBytes > 0 { return }
        client.pointee.flags.remove(.writing)
        moveOn(client)
        flushAnswers()
        endTurn()  // libuv may call this before it polls, and the turn's end comes after that
    }

    /// After answers went out: the connection ends, goes on reading, or waits.
    private func moveOn(_ client: UnsafeMutablePointer<ClientConnection>) {
        let flags = client.pointee.flags
        if flags.contains(.writing) { return }
        if client.pointee.pending.isEmpty && flags.contains(.lastRequest) {
            return farewell(client)
        }
        if flags.contains(.paused) { resume(client) }
    }

    /// Closing a socket with unread bytes resets it, and the reset may overtake the answer. So
    /// where more may be on its way (after a refusal, within a body, or when it was not the client
    /// who wanted an end) the write side is shut and what still comes is thrown away for a while.
    private func farewell(_ client: UnsafeMutablePointer<ClientConnection>) {
        let mayHaveMore =
            client.pointee.flags.contains(.refused) || client.pointee.bodyToSkip > 0
            || state.pointee.drain != nil
        guard mayHaveMore, !client.pointee.flags.contains(.halfClosed) else { return drop(client) }
        client.pointee.flags.insert(.lingering)
        client.pointee.handle.shutDownWriting()
        if client.pointee.flags.contains(.paused) {
            client.pointee.flags.remove(.paused)
            if (try? client.pointee.handle.startReading()) == nil { drop(client) }
        }
    }

    private func resume(_ client: UnsafeMutablePointer<ClientConnection>) {
        client.pointee.flags.remove(.paused)
        parseKept(client)
        let flags = client.pointee.flags
        if !flags.contains(.paused), !flags.contains(.halfClosed),
            (try? client.pointee.handle.startReading()) == nil
        {
            drop(client)
        }
    }
}
