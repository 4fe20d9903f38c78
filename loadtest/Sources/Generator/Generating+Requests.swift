import Platform

/// Requests out, answers in.
extension Generating {
    /// Room for a bundle of pipelined requests that leaves in one write.
    static let scratchBytes = 4 * RequestMaker.bytesMax

    /// Closed model: as many requests as the connection may have in flight, in one write.
    func sendBundle(_ connection: UnsafeMutablePointer<LoadConnection>, now: UInt64) {
        guard state.pointee.phase == .sending, now < state.pointee.endNanoseconds else { return }
        var filled = 0
        while connection.pointee.canSend && filled <= Self.scratchBytes - RequestMaker.bytesMax {
            if state.pointee.sequence.isExhausted { break }
            let sequence = state.pointee.sequence.take()
            let request = state.pointee.maker.write(sequence, to: state.pointee.scratch + filled)
            section.add(to: .due)
            note(request, sequence, due: now, sent: now, on: connection)
            filled += request.byteCount
        }
        if filled > 0 { write(connection, byteCount: filled) }
        if state.pointee.sequence.isExhausted && state.pointee.inFlight == 0 { endSending(now) }
    }

    /// Puts a request down as sent.
    @inline(__always)
    func note(
        _ request: RequestMaker.Request, _ sequence: UInt64, due: UInt64, sent: UInt64,
        on connection: UnsafeMutablePointer<LoadConnection>
    ) {
        section.add(to: .sent)
        state.pointee.inFlight += 1
        if let left = connection.pointee.requestsLeft { connection.pointee.requestsLeft = left - 1 }
        connection.pointee.inFlight.push(
            SentRequest(
                sequence: sequence, due: due, sent: sent,
                answerHasNoBody: request.answerHasNoBody))
    }

    /// Sends what is in the scratch.
    func write(_ connection: UnsafeMutablePointer<LoadConnection>, byteCount: Int) {
        section.add(UInt64(byteCount), to: .bytesWritten)
        if connection.pointee.tls != nil {
            encrypt(connection, byteCount: byteCount)
        } else {
            push(connection, state.pointee.scratch, byteCount)
        }
    }

    /// To the kernel; what it does not take now is queued, and the connection takes nothing more
    /// until it has left.
    func push(
        _ connection: UnsafeMutablePointer<LoadConnection>, _ bytes: UnsafePointer<UInt8>,
        _ count: Int
    ) {
        let stream = Stream(at: Self.stream(of: connection))
        var written = 0
        if !connection.pointee.isBlocked {
            written = stream.tryWrite(bytes, count)
            if written == count { return }
            if written < 0 {
                lose(connection, counting: .connectionBroken, errno: Int32(-written))
                return
            }
        }
        connection.pointee.isBlocked = true
        do {
            try stream.writeCopying(bytes + written, count - written)
        } catch {
            lose(connection, counting: .connectionBroken, errno: error.number)
        }
    }

    // MARK: Answers

    /// Bytes of answers, in the clear.
    func receive(
        _ connection: UnsafeMutablePointer<LoadConnection>, _ bytes: UnsafeRawBufferPointer
    ) {
        let now = monotonicNanoseconds()
        section.add(UInt64(bytes.count), to: .bytesRead)
        var at = 0
        while at < bytes.count {
            if connection.pointee.inFlight.isEmpty {
                // An answer that nobody asked for (a 408, say): the next one could not be told apart.
                section.add(to: .answersUnasked)
                lose(connection, counting: .answerMalformed, errno: 0)
                return
            }
            let step = connection.pointee.reader.next(
                bytes, &at, hasNoBody: connection.pointee.inFlight.oldest.answerHasNoBody)
            switch step {
            case .more: return
            case .malformed:
                lose(connection, counting: .answerMalformed, errno: 0)
                return
            case .answer(let status, let keepsAlive):
                finishOldest(connection, status: status, now: now)
                if !keepsAlive {
                    retire(connection)
                    return
                }
            }
        }
        goOn(connection, now: now)
    }

    /// After answers: the connection sends again, or has sent its share.
    private func goOn(_ connection: UnsafeMutablePointer<LoadConnection>, now: UInt64) {
        if connection.pointee.requestsLeft == 0 && connection.pointee.inFlight.isEmpty {
            retire(connection)
        } else if state.pointee.isOpenModel {
            offer(connection)
        } else if connection.pointee.inFlight.isEmpty {
            sendBundle(connection, now: now)
        }
    }

    func finishOldest(
        _ connection: UnsafeMutablePointer<LoadConnection>, status: Int, now: UInt64
    ) {
        let request = connection.pointee.inFlight.pop()
        connection.pointee.hasAnswered = true
        state.pointee.inFlight -= 1
        section.add(to: .answered)
        section.count(status: status)
        section.record(.service, nanoseconds: now &- request.sent)
        if state.pointee.isOpenModel {
            section.record(.response, nanoseconds: now &- request.due)
        }
        if state.pointee.hasLedger { enter(request, outcome: UInt16(status)) }
    }

    /// What became of a request, for the ledger.
    func enter(_ request: SentRequest, outcome: UInt16) {
        let sent = (request.sent &- state.pointee.startNanoseconds) / 100_000
        state.pointee.ledger?.append(
            LedgerEntry(
                sequence: request.sequence, sentTenthMilliseconds: UInt32(truncatingIfNeeded: sent),
                outcome: outcome))
    }
}
