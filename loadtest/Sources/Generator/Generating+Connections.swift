import Glibc
import Platform

/// Connections: made, lost, made again.
extension Generating {
    /// Connections in the making at a time: more would only fill the server's queue of them.
    private static let connectingMax = 128
    private static let firstRetryDelayMs: UInt64 = 20
    private static let retryDelayMsMax: UInt64 = 1000

    static func stream(
        of connection: UnsafeMutablePointer<LoadConnection>
    ) -> UnsafeMutablePointer<StreamStorage> {
        UnsafeMutableRawPointer(connection).advanced(
            by: MemoryLayout<LoadConnection>.offset(of: \.stream)!
        ).assumingMemoryBound(to: StreamStorage.self)
    }

    /// Starts attempts for connections that are down and may try.
    func openConnections() {
        guard state.pointee.phase != .draining, state.pointee.phase != .done else { return }
        if state.pointee.open + state.pointee.connecting == state.pointee.connectionCount { return }
        let now = state.pointee.loop.nowMs
        var index = 0
        while state.pointee.connecting < Self.connectingMax, index < state.pointee.connectionCount {
            let connection = state.pointee.connections + index
            if connection.pointee.state == .down && connection.pointee.retryAtMs <= now {
                connect(connection)
            }
            index += 1
        }
    }

    private func connect(_ connection: UnsafeMutablePointer<LoadConnection>) {
        let ordinal = state.pointee.nextOrdinal
        state.pointee.nextOrdinal += 1
        connection.pointee.ordinal = ordinal
        connection.pointee.requestsLeft = state.pointee.maker.requestsOfConnection(
            ordinal, thread: state.pointee.share.thread)
        connection.pointee.reader.reset()
        connection.pointee.isBlocked = false
        connection.pointee.hasAnswered = false
        connection.pointee.state = .connecting
        state.pointee.connecting += 1
        let stream = Stream(at: Self.stream(of: connection))
        stream.openTCP(in: state.pointee.loop, owner: connection, events: Self.events)
        let addresses = state.pointee.addresses
        do throws(Failure) {
            try stream.connect(to: addresses[Int(ordinal % UInt64(addresses.count))])
        } catch {
            failConnecting(connection, errno: error.number)
        }
    }

    private func failConnecting(_ connection: UnsafeMutablePointer<LoadConnection>, errno: Int32) {
        section.add(to: .connectFailed)
        section.set(.lastErrno, to: UInt64(errno))
        close(connection, isFault: true)
    }

    private func didConnect(_ connection: UnsafeMutablePointer<LoadConnection>, _ status: Int32) {
        guard connection.pointee.state == .connecting else { return }
        if status < 0 { return failConnecting(connection, errno: -status) }
        let stream = Stream(at: Self.stream(of: connection))
        stream.setNoDelay()
        do throws(Failure) {
            try stream.startReading()
        } catch {
            return failConnecting(connection, errno: error.number)
        }
        section.add(to: .connectionsOpened)
        if state.pointee.isTLS {
            startHandshake(connection)
        } else {
            becomeOpen(connection)
        }
    }

    /// Requests may go out.
    func becomeOpen(_ connection: UnsafeMutablePointer<LoadConnection>) {
        state.pointee.connecting -= 1
        state.pointee.open += 1
        connection.pointee.state = .open
        serve(connection)
    }

    /// It can take requests: gives it some.
    private func serve(_ connection: UnsafeMutablePointer<LoadConnection>) {
        if state.pointee.isOpenModel {
            offer(connection)
        } else if connection.pointee.inFlight.isEmpty {
            sendBundle(connection, now: monotonicNanoseconds())
        }
    }

    // MARK: Ending

    /// The connection has done its share, or the server ends it: another takes its place at once.
    func retire(_ connection: UnsafeMutablePointer<LoadConnection>) {
        // What was pipelined behind the last answer gets none.
        giveUpRequests(connection, counting: .connectionBroken)
        close(connection, isFault: false)
    }

    /// The connection broke, with whatever was in flight on it.
    func lose(
        _ connection: UnsafeMutablePointer<LoadConnection>, counting failure: LoadCounter,
        errno: Int32
    ) {
        if errno > 0 { section.set(.lastErrno, to: UInt64(errno)) }
        giveUpRequests(connection, counting: failure)
        close(connection, isFault: true)
    }

    /// At the end of the run.
    func drop(
        _ connection: UnsafeMutablePointer<LoadConnection>, counting failure: LoadCounter
    ) {
        giveUpRequests(connection, counting: failure)
        close(connection, isFault: false)
    }

    private func giveUpRequests(
        _ connection: UnsafeMutablePointer<LoadConnection>, counting failure: LoadCounter
    ) {
        while !connection.pointee.inFlight.isEmpty {
            let request = connection.pointee.inFlight.pop()
            state.pointee.inFlight -= 1
            section.add(to: failure)
            if failure == .timedOut { recordWait(request) }
            if state.pointee.hasLedger {
                enter(request, outcome: Self.outcome(of: failure))
            }
        }
    }

    /// A request that waited in vain waited at least until now: left out, a server that answers
    /// only what it answers quickly would look like a quick one.
    private func recordWait(_ request: SentRequest) {
        let now = monotonicNanoseconds()
        section.record(.service, nanoseconds: now &- request.sent)
        if state.pointee.isOpenModel {
            section.record(.response, nanoseconds: now &- request.due)
        }
    }

    private static func outcome(of failure: LoadCounter) -> UInt16 {
        switch failure {
        case .timedOut: LedgerEntry.Outcome.timedOut
        case .answerMalformed: LedgerEntry.Outcome.answerMalformed
        case .connectionBroken: LedgerEntry.Outcome.connectionBroken
        default: LedgerEntry.Outcome.unanswered
        }
    }

    /// Closes; `isFault`: the next attempt waits, longer each time.
    func close(_ connection: UnsafeMutablePointer<LoadConnection>, isFault: Bool) {
        switch connection.pointee.state {
        case .down, .closing: return
        case .connecting, .handshaking: state.pointee.connecting -= 1
        case .open: state.pointee.open -= 1
        }
        connection.pointee.state = .closing
        // One that never got an answer is no success: a server that accepts and closes would be
        // asked again at once, for ever.
        let delay = connection.pointee.hasAnswered ? 0 : connection.pointee.retryDelayMs
        connection.pointee.retryDelayMs =
            isFault
            ? min(max(delay * 2, Self.firstRetryDelayMs), Self.retryDelayMsMax) : 0
        connection.pointee.retryAtMs = state.pointee.loop.nowMs + connection.pointee.retryDelayMs
        endTLS(connection, says: !isFault)
        Stream(at: Self.stream(of: connection)).close()
    }

    private func didClose(_ connection: UnsafeMutablePointer<LoadConnection>) {
        connection.pointee.state = .down
        guard state.pointee.phase == .sending || state.pointee.phase == .starting else { return }
        if connection.pointee.retryDelayMs == 0,
            state.pointee.connecting < Self.connectingMax
        {
            connect(connection)
        }
    }

    /// Requests that waited longer than the limit are given up, with their connection.
    func giveUpOverdue(_ now: UInt64) {
        let limit = state.pointee.timeoutNanoseconds
        for index in 0..<state.pointee.connectionCount {
            let connection = state.pointee.connections + index
            if connection.pointee.inFlight.isEmpty { continue }
            if now &- connection.pointee.inFlight.oldest.sent > limit {
                lose(connection, counting: .timedOut, errno: 0)
            }
        }
    }

    // MARK: What the stream tells

    private static func connection(
        _ owner: UnsafeMutableRawPointer
    ) -> UnsafeMutablePointer<LoadConnection> {
        owner.assumingMemoryBound(to: LoadConnection.self)
    }

    nonisolated(unsafe) private static let events: UnsafePointer<StreamEvents> = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                didRead: { owner, bytes, count in
                    let connection = Generating.connection(owner)
                    let bytes = UnsafeRawBufferPointer(start: bytes, count: count)
                    if connection.pointee.tls != nil {
                        connection.pointee.generator.decrypt(connection, bytes)
                    } else {
                        connection.pointee.generator.receive(connection, bytes)
                    }
                },
                didEnd: { owner, code in
                    let connection = Generating.connection(owner)
                    connection.pointee.generator.didEnd(connection, code)
                },
                didWrite: { owner, status in
                    let connection = Generating.connection(owner)
                    connection.pointee.generator.didWrite(connection, status)
                },
                didConnect: { owner, status in
                    let connection = Generating.connection(owner)
                    connection.pointee.generator.didConnect(connection, status)
                },
                didClose: { owner in
                    let connection = Generating.connection(owner)
                    connection.pointee.generator.didClose(connection)
                }))
        return UnsafePointer(events)
    }()

    func didEnd(_ connection: UnsafeMutablePointer<LoadConnection>, _ code: Int32) {
        if connection.pointee.state == .handshaking {
            return failHandshake(connection, errno: code == endOfFile ? ECONNRESET : -code)
        }
        if case .answer(let status, _) = connection.pointee.reader.end() {
            finishOldest(connection, status: status, now: monotonicNanoseconds())
        }
        // A server may close a connection that is idle, if it has answered on it.
        if connection.pointee.inFlight.isEmpty && connection.pointee.hasAnswered {
            return retire(connection)
        }
        lose(
            connection, counting: .connectionBroken,
            errno: code == endOfFile ? ECONNRESET : -code)
    }

    private func didWrite(_ connection: UnsafeMutablePointer<LoadConnection>, _ status: Int32) {
        guard connection.pointee.state == .open || connection.pointee.state == .handshaking else {
            return
        }
        if status < 0 {
            return lose(connection, counting: .connectionBroken, errno: -status)
        }
        if Stream(at: Self.stream(of: connection)).queuedBytes > 0 { return }
        connection.pointee.isBlocked = false
        if connection.pointee.state == .open { serve(connection) }
    }
}
