import CJSON
import Core
import Glibc
import Platform

/// One client. Reads a head, then its body straight into room of its size, hashing as it comes;
/// hands both to the server's handler and writes the answer.
final class HTTPConnection {
    private enum State {
        case head
        /// The head is read; the body stays in the socket until the server has room for it.
        case waitingForRoom(APIRequestHead)
        case body(APIRequestHead, BodyRoom, filled: Int)
        case writing(then: After)
        /// The last answer is written; what still comes is thrown away.
        case draining
        case closed
    }

    /// What follows an answer.
    private enum After {
        case nextRequest
        case close
        /// The request was refused unread: closing at once would reset the connection, and the
        /// client could lose the answer.
        case drain
    }

    private unowned let server: HTTPServer
    private let stream = Stream.allocate()
    private var state = State.head
    private var hash = Sha256()
    private var isLoopback = false
    private(set) var deadlineMs: UInt64

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
                didRead: { owner, _, count in HTTPConnection.at(owner).didRead(count) },
                didEnd: { owner, _ in HTTPConnection.at(owner).close() },
                didWrite: { HTTPConnection.at($0).didWrite($1) },
                didClose: { HTTPConnection.at($0).didClose() }))
        return UnsafePointer(events)
    }()

    private static func at(_ owner: UnsafeMutableRawPointer) -> HTTPConnection {
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
        switch state {
        case .body(let head, let room, let filled):
            base.pointee = room.bytes.baseAddress! + filled
            count.pointee = min(head.contentLength - filled, Self.readBytesMax)
        case .draining:
            base.pointee = headRoom.baseAddress
            count.pointee = headRoom.count
        default:
            base.pointee = headRoom.baseAddress! + headFilled
            count.pointee = headRoom.count - headFilled
        }
    }

    private func didRead(_ count: Int) {
        server.readBytes += UInt64(count)
        switch state {
        case .body(let head, let room, let filled):
            let piece = UnsafeRawBufferPointer(rebasing: room.bytes[filled..<filled + count])
            hash.update(piece)
            state = .body(head, room, filled: filled + count)
            if filled + count == head.contentLength { answerBody() }
        case .draining: break
        default:
            headFilled += count
            advance()
        }
    }

    private func didWrite(_ status: Int32) {
        guard case .writing(let after) = state else { return }
        if status < 0 { return close() }
        finishAnswer(then: after)
        if case .closed = state { return }
        do { try stream.startReading() } catch { return close() }
        advance()
    }

    func close() {
        if case .closed = state { return }
        let left = state
        state = .closed
        stream.close()
        if case .body(_, let room, _) = left { server.giveBack(room) }
    }

    private func didClose() {
        stream.deallocate()
        server.didClose(self)
    }

    // MARK: Requests

    /// Takes heads from what was read, as long as answers leave at once.
    private func advance() {
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
        do { try stream.startReading() } catch { close() }
        advance()
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
            _ = stream.tryWrite(interim, interim.count)
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

    private func send(_ answer: HTTPAnswer, then after: After) {
        let now = Int64(realtimeMicroseconds() / 1_000_000)
        let closes = if case .nextRequest = after { false } else { true }
        let bytes = answer.bytes(nowSeconds: now, closes: closes)
        let written = bytes.withUnsafeBytes { stream.tryWrite($0.baseAddress!, $0.count) }
        if written < 0 { return close() }
        if written == bytes.count { return finishAnswer(then: after) }
        stream.stopReading()
        state = .writing(then: after)
        do {
            try bytes.withUnsafeBytes {
                try stream.writeCopying($0.baseAddress! + written, $0.count - written)
            }
        } catch {
            close()
        }
    }

    private func finishAnswer(then after: After) {
        deadlineMs = server.loop.nowMs + HTTPLimit.idleMs
        switch after {
        case .nextRequest: state = .head
        case .close: close()
        case .drain:
            // The client sees the end at once; closing with its bytes unread would reset it.
            stream.shutDownWriting()
            state = .draining
            deadlineMs = server.loop.nowMs + HTTPLimit.drainMs
        }
    }
}
