/// Reads one HTTP/1.1 response as it arrives, whatever the cuts. Bounded: a head of 16 KiB, a body
/// of 1 MiB.
///
/// Interim responses (1xx) are skipped. Framing that could be read in two ways is refused, since
/// the next answer on the connection would be misread too.
///
/// The head is kept as it came and read in place, so that a response like the ones before it costs
/// no allocation.
public struct HTTPResponseReader: Sendable {
    public static let headBytesMax = 16 << 10
    public static let bodyBytesMax = 1 << 20

    public enum Progress: Equatable, Sendable {
        case more
        /// The response is whole. `reusable`: the connection may carry another request.
        case complete(reusable: Bool)
        case failed(Flaw)
    }

    public enum Flaw: String, Error, Sendable {
        case headTooLarge = "the response head exceeds 16 KiB"
        case bodyTooLarge = "the response body exceeds 1 MiB"
        case notHTTP = "the answer is not HTTP/1.1"
        case framing = "the response's length is contradictory or unreadable"
        case cut = "the connection was closed in the middle of the answer"
    }

    private enum Phase: Equatable {
        case head
        case counted(left: Int)
        case untilClose
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
        case done(reusable: Bool)
        case failed(Flaw)
    }

    private var phase = Phase.head
    /// The head, its empty line included.
    private var head: [UInt8] = []
    /// A line of the chunked framing.
    private var line: [UInt8] = []
    private var trailerBytes = 0
    private var keepAlive = true
    /// The request was a CONNECT.
    private var opensTunnel = false
    /// Whether a byte of a response has come.
    public private(set) var hasBegun = false

    public private(set) var status = 0
    public private(set) var body: [UInt8] = []

    public init() {}

    /// Ready for the next response; memory is kept. `opensTunnel`: it answers a CONNECT, and if it
    /// grants that, it ends with its head, whatever that says (RFC 9110, 9.3.6).
    public mutating func reset(opensTunnel: Bool = false) {
        (phase, keepAlive, hasBegun, status, trailerBytes) = (.head, true, false, 0, 0)
        self.opensTunnel = opensTunnel
        head.removeAll(keepingCapacity: true)
        line.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: body.capacity < 256 << 10)
    }

    /// The value of the first header of that name (lower case).
    public func header(_ name: StaticString) -> String? {
        head.withUnsafeBytes { bytes in
            var fields = HTTPFields(bytes)
            while let field = fields.next() {
                if field.isNamed(name) { return String(decoding: field.value, as: UTF8.self) }
            }
            return nil
        }
    }

    /// Takes what arrived. Bytes after the response make the connection not reusable.
    public mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Progress {
        if !bytes.isEmpty { hasBegun = true }
        var at = 0
        while at < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            switch phase {
            case .head: at += takeHead(rest)
            case .counted(let left):
                let count = takeBody(rest, atMost: left)
                if case .counted = phase {
                    phase = left == count ? done() : .counted(left: left - count)
                }
                at += count
            case .untilClose: at += takeBody(rest, atMost: .max)
            case .chunk(let left):
                let count = takeBody(rest, atMost: left)
                if case .chunk = phase {
                    phase = left == count ? .chunkEnd : .chunk(left: left - count)
                }
                at += count
            case .chunkSize, .chunkEnd, .trailer: at += takeChunkLine(rest)
            case .done:
                phase = .done(reusable: false)
                return progress
            case .failed: return progress
            }
        }
        return progress
    }

    /// The peer closed the connection.
    public mutating func end() -> Progress {
        switch phase {
        case .untilClose: phase = .done(reusable: false)
        case .done: phase = .done(reusable: false)
        case .failed: break
        default: phase = .failed(.cut)
        }
        return progress
    }

    private var progress: Progress {
        switch phase {
        case .done(let reusable): .complete(reusable: reusable)
        case .failed(let flaw): .failed(flaw)
        default: .more
        }
    }

    private func done() -> Phase { .done(reusable: keepAlive) }

    // MARK: Head

    /// Appends to `head` until its end; returns the bytes taken.
    private mutating func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int {
        for at in 0..<bytes.count {
            head.append(bytes[at])
            if head.count > Self.headBytesMax {
                phase = .failed(.headTooLarge)
                return bytes.count
            }
            guard bytes[at] == 0x0A, endsHead else { continue }
            phase = readHead()
            if case .head = phase { head.removeAll(keepingCapacity: true) }
            return at + 1
        }
        // Something that is not HTTP at all is told early, not when 16 KiB of it are there.
        if head.count >= 5, !head.starts(with: "HTTP/".utf8) { phase = .failed(.notHTTP) }
        return bytes.count
    }

    private var endsHead: Bool {
        let count = head.count
        return count >= 4 && head[count - 2] == 0x0D && head[count - 3] == 0x0A
            && head[count - 4] == 0x0D
    }

    private mutating func readHead() -> Phase {
        guard let line = HTTPStatusLine(head) else { return .failed(.notHTTP) }
        if (100...199).contains(line.status) {
            return line.status == 101 ? .failed(.framing) : .head
        }
        status = line.status
        keepAlive = line.isVersion11
        if opensTunnel, (200...299).contains(status) { return .done(reusable: true) }
        let head = head  // a reference more, no copy: `framing` changes the rest of `self`
        return head.withUnsafeBytes { framing(HTTPFields($0)) }
    }
    private mutating func framing(_ fields: consuming HTTPFields) -> Phase {
        var length: Int?
        var chunked = false
        var count = 0
        while let field = fields.next() {
            count += 1
            if field.isNamed("content-length") {
                guard let value = field.value.wholeNumber, length ?? value == value
                else { return .failed(.framing) }
                length = value
            } else if field.isNamed("transfer-encoding") {
                guard field.value.isCaseless("chunked") else { return .failed(.framing) }
                chunked = true
            } else if field.isNamed("connection") {
                if field.value.containsCaseless("close") { keepAlive = false }
                if field.value.containsCaseless("keep-alive") { keepAlive = true }
            }
        }
        if fields.isMalformed || count > Limits.headerFieldsMax { return .failed(.framing) }
        if status == 204 || status == 304 { return done() }
        if chunked { return length == nil ? .chunkSize : .failed(.framing) }
        guard let length else {
            keepAlive = false
            return .untilClose
        }
        if length > Self.bodyBytesMax { return .failed(.bodyTooLarge) }
        return length == 0 ? done() : .counted(left: length)
    }

    // MARK: Body

    private mutating func takeBody(_ bytes: UnsafeRawBufferPointer, atMost limit: Int) -> Int {
        let count = min(bytes.count, limit)
        guard body.count + count <= Self.bodyBytesMax else {
            phase = .failed(.bodyTooLarge)
            return bytes.count
        }
        body.append(contentsOf: bytes[..<count])
        return count
    }

    /// A line of the chunked framing: a chunk's size, the end of its bytes, or a trailer field.
    private mutating func takeChunkLine(_ bytes: UnsafeRawBufferPointer) -> Int {
        for at in 0..<bytes.count {
            line.append(bytes[at])
            if bytes[at] == 0x0A {
                phase = afterChunkLine()
                line.removeAll(keepingCapacity: true)
                return at + 1
            }
            if line.count > 1024 {
                phase = .failed(.framing)
                return bytes.count
            }
        }
        return bytes.count
    }

    private mutating func afterChunkLine() -> Phase {
        guard line.count >= 2, line[line.count - 2] == 0x0D else { return .failed(.framing) }
        let text = line.dropLast(2)
        switch phase {
        case .chunkEnd: return text.isEmpty ? .chunkSize : .failed(.framing)
        case .trailer:
            trailerBytes += line.count
            if trailerBytes > Self.headBytesMax { return .failed(.headTooLarge) }
            return text.isEmpty ? done() : .trailer
        default:
            // Extensions after a semicolon are allowed and mean nothing.
            let digits = text.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }
            guard (1...8).contains(digits.count) else { return .failed(.framing) }
            var size = 0
            for digit in digits {
                guard let value = SigV4.hexValue(digit) else { return .failed(.framing) }
                size = size << 4 | Int(value)
            }
            if size > Self.bodyBytesMax { return .failed(.bodyTooLarge) }
            return size == 0 ? .trailer : .chunk(left: size)
        }
    }
}
