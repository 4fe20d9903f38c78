import Core
import Platform

/// TLS between the socket and the requests.
extension HTTPConnection {
    /// What a server says that ends a handshake: a record with the fatal alert "handshake_failure".
    private static let refusal: [UInt8] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]

    /// False when a fault has taken the connection, or there is no memory for it.
    func beginTLS() -> Bool {
        switch server.faults?.handshake() {
        case .refuse:
            _ = stream.tryWrite(Self.refusal, Self.refusal.count)
            close()
            return false
        case .silence:
            state = .silent
            deadlineMs = server.loop.nowMs + HTTPLimit.silenceMs
            return true
        case .garbage, .truncate, nil: break
        }
        guard let made = try? TLSWire(answering: server.tls!.pointee) else {
            close()
            return false
        }
        wire = consume made
        state = .handshake
        deadlineMs = server.loop.nowMs + HTTPLimit.handshakeMs
        return true
    }

    /// Takes what the session has, as long as somebody wants it.
    func readThroughTLS() {
        while true {
            switch state {
            case .handshake:
                // A client that does not like the certificate says so, and is gone: its own affair.
                guard let isDone = try? wire!.shakeHands(over: stream) else { return close() }
                if !isDone { return }
                state = .head
                deadlineMs = server.loop.nowMs + HTTPLimit.idleMs
            case .head, .body, .draining, .silent:
                guard let found = try? wire!.read(into: plainRoom, over: stream) else {
                    return close()
                }
                switch found {
                case .bytes(let count): didReadPlain(count)
                case .nothing: return
                case .closed: return close()
                }
            case .waitingForRoom, .waiting, .writing, .closed: return
            }
        }
    }
}
