import Core

/// A whole request. The body is readable for 64 bytes beyond its end, and only during the call.
struct HTTPRequest {
    var head: APIRequestHead
    var body: UnsafeRawBufferPointer
    /// Lower-case hex SHA-256 of the body.
    var bodyHash: String
    /// The client is on this machine.
    var isLoopback = true
}

/// How an answer leaves. Anything but the default is a fault's doing.
struct AnswerManner: Equatable {
    enum Way: Equatable {
        case whole
        /// Nothing is sent, and the connection stays.
        case never
        /// The head alone.
        case headOnly
        /// Half of it; then the client is reset.
        case reset
        case drip(bytesPerSecond: Int)
        /// As if the connection were kept.
        case closeAfter(milliseconds: UInt64)
        case chunked(pieceBytes: Int)
        /// TLS: one bit is wrong.
        case garbage
        /// TLS: the connection ends within the last record, without a word.
        case truncate
    }

    var way = Way.whole
    var delayMs: UInt64 = 0
    /// Added to the clock for the Date field.
    var clockOffsetSeconds: Int64 = 0
}

struct HTTPAnswer: Equatable {
    struct Field: Equatable {
        var name: String
        var value: String
    }

    var status: Int
    var contentType: String
    var fields: [Field] = []
    var body: [UInt8]
    var manner = AnswerManner()

    static func text(_ status: Int, _ text: String) -> HTTPAnswer {
        HTTPAnswer(
            status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// As it goes over the wire.
    func bytes(nowSeconds: Int64, closes: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\n"
        let now = nowSeconds + manner.clockOffsetSeconds
        head += "Date: \(httpDate(unixSeconds: now))\r\nContent-Type: \(contentType)\r\n"
        var pieceBytes: Int?
        if case .chunked(let count) = manner.way { pieceBytes = count }
        head +=
            pieceBytes == nil
            ? "Content-Length: \(body.count)\r\n" : "Transfer-Encoding: chunked\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if closes { head += "Connection: close\r\n" }
        let headBytes = Array((head + "\r\n").utf8)
        if manner.way == .headOnly { return headBytes }
        return headBytes + (pieceBytes.map(chunks) ?? body)
    }

    private func chunks(of pieceBytes: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: pieceBytes) {
            let piece = body[start..<min(start + pieceBytes, body.count)]
            bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        default: status < 500 ? "Error" : "Internal Server Error"
        }
    }
}
