/// Reads one HTTP/1.1 response as it arrives, whatever the cuts. Bounded: a head of 16 KiB, a body
/// of 1 MiB.
///
/// Interim responses (1xx) are skipped. Framing that could be read in two ways is refused, since
/// the next answer on the connection would be misread too.
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
    private var line: [UInt8] = []
    private var trailerBytes = 0
    private var keepAlive = true
    /// Whether a byte of a response has come.
    public private(set) var hasBegun = false

    public private(set) var status = 0
    public private(set) var headers: [SigV4.Header] = []
    public private(set) var body: [UInt8] = []

    public init() {}

    /// Ready for the next response; memory is kept.
    public mutating func reset() {
        (phase, keepAlive, hasBegun, status, trailerBytes) = (.head, true, false, 0, 0)
        line.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
        body.removeAll(keepingCapacity: body.capacity < 256 << 10)
    }

    /// The value of the first header of that name (lower case).
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
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

    /// Appends to `line` until the head's end; returns the bytes taken.
    private mutating func takeHead(_ bytes: UnsafeRawBufferPointer) -> Int {
        for at in 0..<bytes.count {
            line.append(bytes[at])
            if line.count > Self.headBytesMax {
                phase = .failed(.headTooLarge)
                return bytes.count
            }
            guard bytes[at] == 0x0A, line.suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A])
            else { continue }
            phase = readHead()
            line.removeAll(keepingCapacity: true)
            return at + 1
        }
        // Something that is not HTTP at all is told early, not when 16 KiB of it are there.
        if line.count >= 5, !line.starts(with: "HTTP/".utf8) { phase = .failed(.notHTTP) }
        return bytes.count
    }

    private mutating func readHead() -> Phase {
        let text = String(decoding: line.dropLast(4), as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0",
            words[1].utf8.count == 3, let status = Int(words[1]), (100...599).contains(status)
        else { return .failed(.notHTTP) }
        if (100...199).contains(status) { return status == 101 ? .failed(.framing) : .head }
        self.status = status
        keepAlive = words[0] == "HTTP/1.1"
        headers.removeAll(keepingCapacity: true)
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
                headers.count < Limits.headerFieldsMax
            else { return .failed(.framing) }
            headers.append(
                SigV4.Header(
                    line[..<colon].lowercased(),
                    String(trimmed(line[line.index(after: colon)...]))))
        }
        return framing()
    }

    private mutating func framing() -> Phase {
        var length: Int?
        var chunked = false
        for header in headers {
            switch header.name {
            case "content-length":
                guard header.value.utf8.count <= 9, let value = Int(header.value), value >= 0,
                    header.value.utf8.first != UInt8(ascii: "+"), length ?? value == value
                else { return .failed(.framing) }
                length = value
            case "transfer-encoding":
                guard header.value.lowercased() == "chunked" else { return .failed(.framing) }
                chunked = true
            case "connection":
                let value = header.value.lowercased()
                if value.contains("close") { keepAlive = false }
                if value.contains("keep-alive") { keepAlive = true }
            default: break
            }
        }
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
        guard line.suffix(2).elementsEqual([0x0D, 0x0A]) else { return .failed(.framing) }
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
