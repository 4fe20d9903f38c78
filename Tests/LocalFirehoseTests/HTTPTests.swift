import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

@Suite struct RequestHeadTests {
    static let whole =
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n"

    private func parse(_ text: String) -> APIRequestHead.Parse {
        Array(text.utf8).withUnsafeBytes { APIRequestHead.parse($0) }
    }

    @Test func `a head is read whole`() {
        guard case .head(let head, let byteCount) = parse(Self.whole + "body") else {
            Issue.record("not read")
            return
        }
        #expect(byteCount == Self.whole.utf8.count)
        #expect(head.method == "POST" && head.path == "/a" && head.query == "b=c")
        #expect(head.contentLength == 12 && head.expectsContinue && head.isKeptAlive)
        #expect(head.header("host") == "x")
    }

    @Test(arguments: 0..<whole.utf8.count)
    func `a head cut short anywhere is awaited`(cut: Int) {
        let bytes = Array(Self.whole.utf8.prefix(cut))
        #expect(bytes.withUnsafeBytes { APIRequestHead.parse($0) } == .incomplete)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nA : b\r\n\r\n", 400), ("GET / HTTP/1.1\r\n b\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/2.0\r\n\r\n", 400),
        ("GET http://a/ HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: 8388609\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 101) + "\r\n", 431),
        (String(repeating: "x", count: 16 << 10), 431),
    ])
    func `a malformed head is refused`(text: String, expected: Int) {
        guard case .malformed(let status, _) = parse(text) else {
            Issue.record("accepted")
            return
        }
        #expect(status == expected)
    }
}

/// The server on a real loopback socket; the client is driven from the same thread.
@Suite struct HTTPServerTests {
    /// Runs a server, gives the client's bytes to it piece by piece, and returns what came back up
    /// to `ending`, or until the server closed the connection.
    private func talk(
        _ pieces: [String], until ending: String? = nil, handler: @escaping HTTPServer.Handler
    ) throws -> String {
        let loop = try Loop.make()
        let descriptor = try bindTCP(address: "127.0.0.1", port: 0)
        let server = try HTTPServer(
            loop: loop, listenDescriptor: descriptor, handler: handler)
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // Else small pieces wait in the client for acknowledgements, and time passes unseen here.
        var on: Int32 = 1
        setsockopt(
            client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let connected = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length)
                return connect(client, address, length)
            }
        }
        #expect(connected == 0)
        var answer: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 1 << 16)
        var isOver = false
        func turn() {
            loop.runNoWait()
            let count = recv(client, &room, room.count, Int32(MSG_DONTWAIT))
            if count > 0 { answer += room[..<count] }
            isOver = count == 0 || (count < 0 && errno != EAGAIN)
            if let ending, count > 0 {
                isOver = answer.suffix(ending.utf8.count).elementsEqual(ending.utf8)
            }
        }
        for piece in pieces {
            var rest = Array(piece.utf8)[...]
            while !rest.isEmpty && !isOver {
                let sent = rest.withUnsafeBytes {
                    send(
                        client, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
                if sent > 0 { rest = rest.dropFirst(sent) }
                turn()
            }
            // The server is to see each piece by itself.
            for _ in 0..<20 where !isOver { turn() }
        }
        let isAnswered = eventually(within: 30, everyMilliseconds: 1) {
            if !isOver { turn() }
            return isOver
        }
        #expect(isAnswered, "\(answer.count) bytes, and no end")
        close(client)
        var isStopped = false
        server.stop { isStopped = true }
        for _ in 0..<10 { loop.runNoWait() }
        #expect(isStopped)
        return String(decoding: answer, as: UTF8.self)
    }

    private static func post(_ body: String, _ fields: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: x\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Sendable private static func echo(_ request: HTTPRequest) -> HTTPAnswer {
        #expect(request.isLoopback)
        #expect(request.bodyHash == lowerHex(Sha256.digest(request.body)))
        return .text(
            200,
            "<\(request.body.count):\(String(decoding: request.body.prefix(8), as: UTF8.self))>")
    }

    @Test func `requests on one connection are answered in order, with a Date, however cut`() throws
    {
        let text = Self.post("one") + Self.post("two") + "GET / HTTP/1.1\r\n\r\n"
        for size in [1, 7, 60, 1000] {
            let bytes = Array(text)
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                String(bytes[$0..<min($0 + size, bytes.count)])
            }
            let answer = try talk(pieces, until: "<0:>", handler: Self.echo)
            let bodies = answer.matches(of: /<\d+:\w*>/).map { String($0.output) }
            #expect(bodies == ["<3:one>", "<3:two>", "<0:>"], "cut by \(size)")
            #expect(answer.matches(of: /Date: \w{3}, \d\d \w{3} \d{4}/).count == 3)
        }
    }

    @Test func `a body of megabytes arrives whole, and the connection goes on`() throws {
        let body = String(repeating: "m", count: 6 << 20)
        let answer = try talk(
            [Self.post(body) + Self.post("after")], until: "<5:after>", handler: Self.echo)
        #expect(answer.contains("<6291456:mmmmmmmm>") && answer.contains("<5:after>"))
    }

    @Test func `an expected 100 is sent before the body comes`() throws {
        let head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        let answer = try talk([head, "ok"], until: "<2:ok>", handler: Self.echo)
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("<2:ok>"))
    }

    @Test func `a large answer leaves whole`() throws {
        let large = String(repeating: "z", count: 3 << 20)
        let answer = try talk([Self.post("")], until: large) { _ in .text(200, large) }
        #expect(answer.hasSuffix(large))
    }

    @Test func `close means close, and a malformed request ends its connection`() throws {
        let closed = try talk(
            [Self.post("bye", "Connection: close\r\n") + Self.post("more")], handler: Self.echo)
        #expect(closed.contains("Connection: close\r\n") && closed.hasSuffix("<3:bye>"))
        let refused = try talk(["nonsense\r\n\r\n" + Self.post("more")], handler: Self.echo)
        #expect(refused.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(!refused.contains("more"))
    }
}
