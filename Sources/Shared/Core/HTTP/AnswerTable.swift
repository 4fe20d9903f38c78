/// What a request is answered with. The first five are chosen for each hit; `final` errors end
/// their connection.
public enum Answer: UInt8, CaseIterable, Sendable {
    case pixel = 0
    /// 400 with the GIF all the same: the hit is stored as a bad row.
    case invalidPixel = 1
    case notFound = 2
    case methodNotAllowed = 3
    case unavailable = 4
    case badRequest = 5
    case contentTooLarge = 6
    case targetTooLong = 7
    case headTooLarge = 8
    case codingUnknown = 9
    case versionUnknown = 10

    var statusLine: StaticString {
        switch self {
        case .pixel: "HTTP/1.1 200 OK\r\n"
        case .invalidPixel, .badRequest: "HTTP/1.1 400 Bad Request\r\n"
        case .notFound: "HTTP/1.1 404 Not Found\r\n"
        case .methodNotAllowed: "HTTP/1.1 405 Method Not Allowed\r\n"
        case .unavailable: "HTTP/1.1 503 Service Unavailable\r\n"
        case .contentTooLarge: "HTTP/1.1 413 Content Too Large\r\n"
        case .targetTooLong: "HTTP/1.1 414 URI Too Long\r\n"
        case .headTooLarge: "HTTP/1.1 431 Request Header Fields Too Large\r\n"
        case .codingUnknown: "HTTP/1.1 501 Not Implemented\r\n"
        case .versionUnknown: "HTTP/1.1 505 HTTP Version Not Supported\r\n"
        }
    }

    /// Fields beyond those that every answer has.
    var fields: StaticString {
        switch self {
        case .methodNotAllowed: "Allow: GET, HEAD\r\n"
        case .unavailable: "Retry-After: 2\r\n"
        default: ""
        }
    }

    var hasPixel: Bool { self == .pixel || self == .invalidPixel }

    /// What a person reads who opens such an answer in a browser.
    var text: StaticString {
        switch self {
        case .pixel, .invalidPixel: ""
        case .notFound: "404: no such path. The pixel is at /p.gif.\n"
        case .methodNotAllowed: "405: the pixel takes GET and HEAD.\n"
        case .unavailable: "503: not stored for certain; try again.\n"
        case .badRequest: "400: this is no HTTP/1.1 request.\n"
        case .contentTooLarge: "413: the body is too large; the pixel needs none.\n"
        case .targetTooLong: "414: the request line is over 16 KiB.\n"
        case .headTooLarge: "431: the request head is over 16 KiB or 100 fields.\n"
        case .codingUnknown: "501: no transfer coding is understood here; use Content-Length.\n"
        case .versionUnknown: "505: HTTP/1.0 and HTTP/1.1 are spoken here.\n"
        }
    }
}

/// Every answer this server can give, its bytes made once; the Date in each is renewed once a
/// second. Answering is then one copy, or none.
public struct AnswerTable: ~Copyable {
    /// What the answer says of the connection.
    public enum Persistence: Int, CaseIterable, Sendable {
        /// HTTP/1.1's silence: it stays open.
        case implied
        /// `Connection: keep-alive`, for HTTP/1.0 clients that asked.
        case keepAlive
        case close
    }

    /// Transparent 1 × 1 GIF89a.
    public static let gif: [UInt8] = [
        0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
        0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00,
        0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b,
    ]
    /// Upper bound of one answer.
    public static let answerBytesMax = 512

    private struct Entry {
        var length = 0
        var dateOffset = 0
    }

    private static let count = Answer.allCases.count * Persistence.allCases.count * 2
    private let room: UnsafeMutablePointer<UInt8>
    private let entries: UnsafeMutablePointer<Entry>
    private var unixSeconds: UInt64 = 0

    public init(unixSeconds: UInt64) {
        room = .allocate(capacity: Self.count * Self.answerBytesMax)
        room.initialize(repeating: 0, count: Self.count * Self.answerBytesMax)
        entries = .allocate(capacity: Self.count)
        entries.initialize(repeating: Entry(), count: Self.count)
        for answer in Answer.allCases {
            for persistence in Persistence.allCases {
                fill(answer, persistence, isHead: false)
                fill(answer, persistence, isHead: true)
            }
        }
        renewDate(unixSeconds: unixSeconds)
    }

    deinit {
        room.deallocate()
        entries.deallocate()
    }

    private static func index(_ answer: Answer, _ persistence: Persistence, _ isHead: Bool) -> Int {
        (Int(answer.rawValue) * 3 + persistence.rawValue) * 2 + (isHead ? 1 : 0)
    }

    private func fill(_ answer: Answer, _ persistence: Persistence, isHead: Bool) {
        let index = Self.index(answer, persistence, isHead)
        var text = Self.bytes(answer.statusLine) + Array("Date: ".utf8)
        entries[index].dateOffset = text.count
        text += [UInt8](repeating: 0x20, count: HTTPDate.byteCount) + Array("\r\n".utf8)
        let body = answer.hasPixel ? Self.gif : Self.bytes(answer.text)
        let type = answer.hasPixel ? "image/gif" : "text/plain; charset=utf-8"
        text += Array("Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n".utf8)
        text += Array(
            "Cache-Control: no-store, no-cache, must-revalidate, private, max-age=0\r\n".utf8)
        text += Array("Cross-Origin-Resource-Policy: cross-origin\r\n".utf8)
        text += Self.bytes(answer.fields)
        switch persistence {
        case .implied: break
        case .keepAlive: text += Array("Connection: keep-alive\r\n".utf8)
        case .close: text += Array("Connection: close\r\n".utf8)
        }
        text += Array("\r\n".utf8) + (isHead ? [] : body)
        precondition(text.count <= Self.answerBytesMax)
        (room + index * Self.answerBytesMax).update(from: text, count: text.count)
        entries[index].length = text.count
    }

    private static func bytes(_ text: StaticString) -> [UInt8] {
        Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Renews the Date in every answer, when the second has changed.
    public mutating func renewDate(unixSeconds: UInt64) {
        if unixSeconds == self.unixSeconds { return }
        self.unixSeconds = unixSeconds
        for index in 0..<Self.count {
            HTTPDate.write(
                unixSeconds: unixSeconds,
                to: room + index * Self.answerBytesMax + entries[index].dateOffset)
        }
    }

    /// The bytes of an answer; they live as long as the table.
    public func bytes(
        _ answer: Answer, _ persistence: Persistence, isHead: Bool
    ) -> UnsafeRawBufferPointer {
        let index = Self.index(answer, persistence, isHead)
        return UnsafeRawBufferPointer(
            start: room + index * Self.answerBytesMax, count: entries[index].length)
    }
}
