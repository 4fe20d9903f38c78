import CJSON
import Core
import Glibc
import Platform

/// One client. Reads a head, then its body straight into room of its size, hashing as it comes;
/// hands both to the server's handler and sends the answer (`HTTPConnection+Answer`). With TLS a
/// session lies between it and the socket (`HTTPConnection+TLS`).
final class HTTPConnection {
    enum State {
        /// TLS, which comes first.
        case handshake
        case head
        /// The head is read; the body stays in the socket until the server has room for it.
        case waitingForRoom(APIRequestHead)
        case body(APIRequestHead, BodyRoom, filled: Int)
        /// The answer waits for its time, or for the next of it to be due.
        case waiting
        case writing(then: After)
        /// Nothing more is said; what comes is thrown away until the client gives up.
        case silent
        /// The last answer is written; what still comes is thrown away.
        case draining
        case closed
    }

    /// What follows an answer.
    enum After {
        case nextRequest
        case close
        /// The request was refused unread: closing at once would reset the connection, and the
        /// client could lose the answer.
        case drain
    }

    unowned let server: HTTPServer
    let stream = Stream.allocate()
    var state = State.head
    var wire: TLSWire?
    /// What is being sent.
    var outgoing: Outgoing?
    /// Given to libuv, which has not said yet that it left.
    var writesQueued = 0
    /// Made when a fault first asks for it.
    var timer: Timer?
    private var hash = Sha256()
    private var isLoopback = false
    var deadlineMs: UInt64

    private let headRoom = UnsafeMutableRawBufferPointer.allocate(
        byteCount: HTTPLimit.headBytesMax, alignment: 64)
    private var headFilled = 0
    private static let readBytesMax = 64 << 10

    init(server: HTTPServer) {
        self.server = server
        deadlineMs = server.loop.nowMs + HTTPLimit.idleMs
    }

    deinit { headRoom.deallocate() }

    // MARK: Events

    private nonisolated(unsafe) static let events: UnsafePointer<StreamEvents> = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                provideBuffer: { HTTPConnection.at($0).provideBuffer($1, $2) },
                didRead: { HTTPConnection.at($0).didRead($1, $2) },
                didEnd: { owner, _ in HTTPConnection.at(owner).close() },
                didWrite: { HTTPConnection.at($0).didWrite($1) },
                didClose: { HTTPConnection.at($0).didClose() }))
        return UnsafePointer(events)
    }()

    static func at(_ owner: UnsafeMutableRawPointer) -> HTTPConnection {
        Unmanaged<HTTPConnection>.fromOpaque(owner).takeUnretainedValue()
    }

    func open(from listener: Listener, isOneTooMany: Bool) {
        stream.openTCP(
            in: server.loop, owner: Unmanaged.passUnretained(self).toOpaque(), events: Self.events)
        do {
            try stream.accept(from: listener)
            if isOneTooMany { return close() }
            stream.setNoDelay()
            isLoopback = Self.isLoopback(stream)
            if server.tls != nil && !beginTLS() { return }
            try stream.startReading()
        } catch {
            close()
        }
    }

    private static func isLoopback(_ stream: Stream) -> Bool {
        var address = [UInt8](repeating: 0, count: 16)
        address.withUnsafeMutableBufferPointer {
            peerAddress(of: stream, into: $0.baseAddress!)
        }
        let v4 =
            address[0..<10].allSatisfy { $0 == 0 } && address[10] == 0xff && address[11] == 0xff
        let v6 = address[0..<15].allSatisfy { $0 == 0 } && address[15] == 1
        return v6 || v4 && address[12] == 127
    }

    private func provideBuffer(
        _ base: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ count: UnsafeMutablePointer<Int>
    ) {
        let room = wire == nil ? plainRoom : server.sealedRoom
        base.pointee = room.baseAddress
        count.pointee = room.count
    }

    /// Where the next plain bytes belong.
    var plainRoom: UnsafeMutableRawBufferPointer {
        switch state {
        case .body(let head, let room, let filled):
            let count = min(head.contentLength - filled, Self.readBytesMax)
            return UnsafeMutableRawBufferPointer(rebasing: room.bytes[filled..<filled + count])
        case .draining, .silent: return headRoom
        default: return UnsafeMutableRawBufferPointer(rebasing: headRoom[headFilled...])
        }
    }

    private func didRead(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
        server.readBytes += UInt64(count)
        if wire == nil { return didReadPlain(count) }
        wire!.receive(UnsafeRawBufferPointer(start: bytes, count: count))
        readThroughTLS()
    }

    /// So many bytes are in `plainRoom`.
    func didReadPlain(_ count: Int) {
        switch state {
        case .body(let head, let room, let filled):
            let piece = UnsafeRawBufferPointer(rebasing: room.bytes[filled..<filled + count])
            hash.update(piece)
            state = .body(head, room, filled: filled + count)
            if filled == 0, resets(head, piece) { return }
            if filled + count == head.contentLength { answerBody() }
        case .draining, .silent: break
        default:
            headFilled += count
            advance()
        }
    }

    /// Whether a fault resets the connection over the first of a body.
    private func resets(_ head: APIRequestHead, _ first: UnsafeRawBufferPointer) -> Bool {
        guard let faults = server.faults, faults.resets(head, first) else { return false }
        close(resetting: true)
        return true
    }

    /// Reads again after an answer that could not leave at once.
    func readOn() {
        switch state {
        case .waiting, .writing, .waitingForRoom, .closed: return
        case .handshake, .head, .body, .draining, .silent: break
        }
        do { try stream.startReading() } catch { return close() }
        advance()
        if wire != nil { readThroughTLS() }
    }

    func close(resetting: Bool = false) {
        if case .closed = state { return }
        let left = state
        state = .closed
        timer?.close()
        timer = nil
        if resetting {
            stream.closeResetting()
        } else {
            if wire != nil && !isShakingHands(left) { wire!.sayClose(over: stream) }
            stream.close()
        }
        if case .body(_, let room, _) = left { server.giveBack(room) }
    }

    private func isShakingHands(_ state: State) -> Bool {
        if case .handshake = state { return true }
        return false
    }

    private func didClose() {
        stream.deallocate()
        server.didClose(self)
    }

    // MARK: Requests

    /// Takes heads from what was read, as long as answers leave at once.
    func advance() {
        while case .head = state, headFilled > 0 {
            let unread = UnsafeRawBufferPointer(rebasing: headRoom[..<headFilled])
            switch APIRequestHead.parse(unread) {
            case .incomplete: return
            case .malformed(let status, let reason):
                return send(.text(status, reason + "\n"), then: .drain)
            case .head(let head, let byteCount):
                memmove(
                    headRoom.baseAddress!, headRoom.baseAddress! + byteCount, headFilled - byteCount
                )
                headFilled -= byteCount
                begin(head)
            }
        }
    }

    private func begin(_ head: APIRequestHead) {
        deadlineMs = server.loop.nowMs + HTTPLimit.bodyMs
        if head.contentLength == 0 {
            answer(head, UnsafeRawBufferPointer(start: headRoom.baseAddress, count: 0))
            return
        }
        if let room = server.takeRoom(head.contentLength, for: self) {
            beginBody(head, room)
        } else {
            state = .waitingForRoom(head)
            stream.stopReading()
        }
    }

    var awaitedBytes: Int {
        if case .waitingForRoom(let head) = state { return head.contentLength }
        return 0
    }

    func roomIsThere(_ room: BodyRoom) {
        guard case .waitingForRoom(let head) = state else { return server.giveBack(room) }
        deadlineMs = server.loop.nowMs + HTTPLimit.bodyMs
        beginBody(head, room)
        readOn()
    }

    private func beginBody(_ head: APIRequestHead, _ room: BodyRoom) {
        let count = min(headFilled, head.contentLength)
        memcpy(room.bytes.baseAddress!, headRoom.baseAddress!, count)
        memmove(headRoom.baseAddress!, headRoom.baseAddress! + count, headFilled - count)
        headFilled -= count
        hash.update(UnsafeRawBufferPointer(rebasing: room.bytes[..<count]))
        state = .body(head, room, filled: count)
        if head.expectsContinue && count == 0 {
            let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            sendInterim(interim)
        }
        if count > 0, resets(head, UnsafeRawBufferPointer(rebasing: room.bytes[..<count])) {
            return
        }
        if count == head.contentLength { answerBody() }
    }

    private func answerBody() {
        guard case .body(let head, let room, _) = state else { return }
        // From here on the room is this function's, whatever becomes of the connection.
        state = .head
        answer(head, UnsafeRawBufferPointer(rebasing: room.bytes[..<head.contentLength]))
        server.giveBack(room)
    }

    private func answer(_ head: APIRequestHead, _ body: UnsafeRawBufferPointer) {
        let request = HTTPRequest(
            head: head, body: body, bodyHash: lowerHex(hash.finish()), isLoopback: isLoopback)
        send(server.handler(request), then: head.isKeptAlive ? .nextRequest : .close)
    }
}
