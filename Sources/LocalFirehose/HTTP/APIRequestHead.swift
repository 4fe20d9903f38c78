import Core

/// Bounds of this server's HTTP.
enum HTTPLimit {
    static let headBytesMax = 16 << 10
    static let headersMax = 100
    /// A call of 4 MiB in base64, with its JSON around it.
    static let bodyBytesMax = 8 << 20
    /// Bodies held at once, over all connections; further ones wait unread in their sockets.
    static let bodiesBytesMax = 32 << 20
    /// A room up to here is kept for the next body.
    static let spareRoomBytesMax = 1 << 20
    static let connectionsMax = 256
    static let idleMs: UInt64 = 120_000
    /// From the head's end to the body's.
    static let bodyMs: UInt64 = 60_000
    /// From the connection's first byte to the end of TLS's handshake.
    static let handshakeMs: UInt64 = 10_000
    /// How long a connection that a fault answers nothing stays, unless its client gives up.
    static let silenceMs: UInt64 = 3_600_000
    /// How long a refused request's body is read and thrown away, so that its answer gets through.
    static let drainMs: UInt64 = 1000
}

/// The head of a request, as far as this server cares.
struct APIRequestHead: Equatable {
    var method: String
    var path: String
    /// Without "?"; empty if none.
    var query: String
    var headers: [SigV4.Header]
    var contentLength = 0
    var isKeptAlive = true
    var expectsContinue = false

    /// The value of a header that must not be repeated to count; nil when absent.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }

    enum Parse: Equatable {
        case incomplete
        case malformed(status: Int, reason: String)
        case head(APIRequestHead, byteCount: Int)
    }

    /// Reads a head strictly (RFC 9112) from the start of the bytes. Stateless: call again with
    /// more bytes when it is incomplete.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Parse {
        guard let end = headEnd(bytes.prefix(HTTPLimit.headBytesMax)) else {
            return bytes.count >= HTTPLimit.headBytesMax
                ? .malformed(status: 431, reason: "the head is over 16 KiB") : .incomplete
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[..<(end - 4)])
        guard text.allSatisfy({ $0 == 0x0d || $0 == 0x0a || $0 == 0x09 || $0 >= 0x20 }) else {
            return .malformed(status: 400, reason: "a control character in the head")
        }
        var lines = String(decoding: text, as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        guard lines.allSatisfy({ !$0.utf8.contains(0x0a) && !$0.utf8.contains(0x0d) }) else {
            return .malformed(status: 400, reason: "a bare CR or LF in the head")
        }
        guard var head = requestLine(lines.removeFirst()) else {
            return .malformed(status: 400, reason: "no request line of HTTP/1.1")
        }
        if lines.count > HTTPLimit.headersMax {
            return .malformed(status: 431, reason: "over 100 header fields")
        }
        for line in lines {
            guard let field = field(line) else {
                return .malformed(status: 400, reason: "a malformed header field")
            }
            head.headers.append(field)
        }
        if let flaw = head.readFraming() { return flaw }
        return .head(head, byteCount: end)
    }

    /// The offset behind the empty line.
    private static func headEnd(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        var at = 3
        while at < bytes.count {
            if bytes[at] == 0x0a, bytes[at - 1] == 0x0d, bytes[at - 2] == 0x0a,
                bytes[at - 3] == 0x0d
            {
                return at + 1
            }
            at += 1
        }
        return nil
    }

    private static func requestLine(_ line: Substring) -> APIRequestHead? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, isToken(words[0]), words[1].utf8.first == UInt8(ascii: "/"),
            words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0"
        else { return nil }
        let target = words[1].split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return APIRequestHead(
            method: String(words[0]), path: String(target[0]),
            query: target.count == 2 ? String(target[1]) : "", headers: [],
            isKeptAlive: words[2] == "HTTP/1.1")
    }

    private static func field(_ line: Substring) -> SigV4.Header? {
        guard let colon = line.firstIndex(of: ":"), isToken(line[..<colon]) else { return nil }
        var value = line[line.index(after: colon)...]
        while let first = value.first, first == " " || first == "\t" { value.removeFirst() }
        while let last = value.last, last == " " || last == "\t" { value.removeLast() }
        return SigV4.Header(String(line[..<colon]), String(value))
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Content-Length, Transfer-Encoding, Connection and Expect.
    private mutating func readFraming() -> Parse? {
        var lengths: [String] = []
        for field in headers {
            switch field.name.lowercased() {
            case "content-length": lengths.append(field.value)
            case "transfer-encoding":
                return .malformed(
                    status: 501, reason: "send a Content-Length: chunked bodies are not read")
            case "connection":
                let words = field.value.lowercased()
                if words.contains("close") { isKeptAlive = false }
                if words.contains("keep-alive") { isKeptAlive = true }
            case "expect": expectsContinue = field.value.lowercased() == "100-continue"
            default: break
            }
        }
        if lengths.isEmpty { return nil }
        guard lengths.count == 1, (1...10).contains(lengths[0].utf8.count),
            lengths[0].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let length = Int(lengths[0])
        else { return .malformed(status: 400, reason: "a malformed Content-Length") }
        if length > HTTPLimit.bodyBytesMax {
            return .malformed(status: 413, reason: "the body is over 8 MiB")
        }
        contentLength = length
        return nil
    }
}
