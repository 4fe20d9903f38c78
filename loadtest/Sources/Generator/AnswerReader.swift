import Glibc

/// Finds where HTTP/1.1 answers end, and their status, whatever the cuts. Nothing else of an answer
/// is kept: bodies are counted, not stored.
///
/// Framing follows RFC 9112, 6: no body with 1xx, 204, 304 and to HEAD; else chunked; else
/// Content-Length; else until the connection closes.
struct AnswerReader {
    /// A longer head is malformed.
    static let headBytesMax = 16 << 10

    enum Step: Equatable {
        /// All bytes are used; the answer goes on.
        case more
        /// An answer ended at `at`. `keepsAlive`: another may follow on this connection.
        case answer(status: Int, keepsAlive: Bool)
        case malformed
    }

    private enum Phase: Equatable {
        case head
        case counted(left: UInt64)
        case untilClose
        case chunkSize
        case chunk(left: UInt64)
        /// Lines after the last chunk, up to an empty one.
        case trailer
    }

    private var phase = Phase.head
    private var status = 0
    private var keepsAlive = true
    /// The beginning of a head, or of a line of the chunked framing, that was cut.
    private var carry: UnsafeMutablePointer<UInt8>?
    private var carried = 0

    /// No byte of an answer has come.
    var isBetweenAnswers: Bool { phase == .head && carried == 0 }

    /// Ready for another connection.
    mutating func reset() { (phase, carried, keepsAlive) = (.head, 0, true) }

    /// Gives the memory back.
    mutating func free() {
        carry?.deallocate()
        carry = nil
    }

    /// Goes on at `at`, up to the end of one answer or of the bytes. `hasNoBody`: the request was
    /// a HEAD.
    mutating func next(_ bytes: UnsafeRawBufferPointer, _ at: inout Int, hasNoBody: Bool) -> Step {
        while at < bytes.count {
            let here = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + at
            let rest = bytes.count - at
            switch phase {
            case .head:
                if carried == 0 {
                    guard let head = Head(here, rest) else {
                        keep(here, rest)
                        at = bytes.count
                        return carried < 0 ? .malformed : .more
                    }
                    at += head.byteCount
                    if let step = begin(head, hasNoBody) { return step }
                } else {
                    let used = continueHead(here, rest)
                    if used < 0 { return .malformed }
                    at += used
                    guard let head = Head(carry!, carried) else { return .more }
                    // The end may lie before the end of what was just carried.
                    at -= carried - head.byteCount
                    carried = 0
                    if let step = begin(head, hasNoBody) { return step }
                }
            case .counted(let left):
                let used = min(left, UInt64(rest))
                at += Int(used)
                if used == left { return finish() }
                phase = .counted(left: left - used)
            case .untilClose:
                at = bytes.count
            case .chunk(let left):
                let used = min(left, UInt64(rest))
                at += Int(used)
                phase = used == left ? .chunkSize : .chunk(left: left - used)
            case .chunkSize, .trailer:
                guard let line = takeLine(here, rest, &at) else {
                    return carried < 0 ? .malformed : .more
                }
                if let step = chunkLine(line) { return step }
            }
        }
        return .more
    }

    /// The peer closed the connection: the end of an answer that only this ends, else nil.
    mutating func end() -> Step? {
        guard phase == .untilClose else { return nil }
        keepsAlive = false
        return finish()
    }

    private mutating func finish() -> Step {
        phase = .head
        return .answer(status: status, keepsAlive: keepsAlive)
    }

    /// A head is whole. Nil: its body follows.
    private mutating func begin(_ head: Head, _ hasNoBody: Bool) -> Step? {
        guard head.status > 0 else { return .malformed }
        if head.status < 200 && head.status != 101 { return nil }
        (status, keepsAlive) = (head.status, head.keepsAlive)
        if hasNoBody || status == 204 || status == 304 { return finish() }
        if head.isChunked {
            phase = .chunkSize
        } else if let length = head.contentLength {
            if length == 0 { return finish() }
            phase = .counted(left: length)
        } else {
            keepsAlive = false
            phase = .untilClose
        }
        return nil
    }
}

// MARK: What was cut

extension AnswerReader {
    private mutating func keep(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        guard carried + count <= Self.headBytesMax else {
            carried = -1
            return
        }
        if carry == nil { carry = .allocate(capacity: Self.headBytesMax) }
        memcpy(carry! + carried, bytes, count)
        carried += count
    }

    /// Adds to a cut head; how many bytes, negative when it grows too long.
    private mutating func continueHead(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let added = min(count, Self.headBytesMax - carried)
        if added == 0 { return -1 }
        keep(bytes, added)
        return added
    }

    /// A whole line of the chunked framing, without its end; nil when it is cut (and kept).
    private mutating func takeLine(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ at: inout Int
    ) -> UnsafeBufferPointer<UInt8>? {
        let end = memchr(bytes, 10, count)
        let length = end.map { UnsafeRawPointer($0) - UnsafeRawPointer(bytes) } ?? count
        at += end == nil ? count : length + 1
        var line = UnsafeBufferPointer(start: bytes, count: length)
        if carried > 0 || end == nil {
            keep(bytes, length)
            if end == nil || carried < 0 { return nil }
            line = UnsafeBufferPointer(start: carry!, count: carried)
            carried = 0
        }
        return line.last == 13 ? UnsafeBufferPointer(rebasing: line.dropLast()) : line
    }

    private mutating func chunkLine(_ line: UnsafeBufferPointer<UInt8>) -> Step? {
        if phase == .trailer { return line.isEmpty ? finish() : nil }
        // The line end behind a chunk.
        if line.isEmpty { return nil }
        var size: UInt64 = 0
        var digits = 0
        for byte in line {
            guard let digit = hexDigit(byte), digits < 12 else {
                // An extension may follow the size.
                if digits > 0 && (byte == UInt8(ascii: ";") || byte == UInt8(ascii: " ")) { break }
                return .malformed
            }
            size = size << 4 | digit
            digits += 1
        }
        phase = size == 0 ? .trailer : .chunk(left: size)
        return nil
    }

    private func hexDigit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

// MARK: The head

/// The head of an answer, read in place, line by line.
private struct Head {
    var byteCount = 0
    /// 0: this is not HTTP.
    var status = 0
    var keepsAlive = true
    var isChunked = false
    var contentLength: UInt64?

    /// Nil when the empty line at its end has not come.
    init?(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        var at = 0
        while let end = memchr(bytes + at, 10, count - at) {
            let next = UnsafeRawPointer(end) - UnsafeRawPointer(bytes) + 1
            var length = next - 1 - at
            if length > 0 && bytes[at + length - 1] == 13 { length -= 1 }
            if at == 0 {
                readStatus(bytes, length)
                if status == 0 {
                    byteCount = next
                    return
                }
            } else if length == 0 {
                byteCount = next
                return
            } else {
                readField(bytes + at, length)
            }
            at = next
        }
        return nil
    }

    /// "HTTP/1.1 200 OK"
    private mutating func readStatus(_ line: UnsafePointer<UInt8>, _ count: Int) {
        guard count >= 12, memcmp(line, "HTTP/1.", 7) == 0, line[8] == UInt8(ascii: " ") else {
            return
        }
        var value = 0
        for digit in 9..<12 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[digit]) else { return }
            value = value * 10 + Int(line[digit] - UInt8(ascii: "0"))
        }
        guard (100...599).contains(value) else { return }
        status = value
        keepsAlive = line[7] != UInt8(ascii: "0")
    }

    private mutating func readField(_ line: UnsafePointer<UInt8>, _ count: Int) {
        switch line[0] | 0x20 {
        case UInt8(ascii: "c"):
            if let value = Self.value(line, count, "content-length:") {
                contentLength = Self.number(line, value, count)
                if contentLength == nil { status = 0 }
            } else if let value = Self.value(line, count, "connection:") {
                if Self.holds(line, value, count, "close") { keepsAlive = false }
                if Self.holds(line, value, count, "keep-alive") { keepsAlive = true }
            }
        case UInt8(ascii: "t"):
            if let value = Self.value(line, count, "transfer-encoding:") {
                isChunked = Self.holds(line, value, count, "chunked")
                if !isChunked { status = 0 }
            }
        default: break
        }
    }

    /// Where the value begins, if the field has that name (lower case, with its colon).
    private static func value(
        _ line: UnsafePointer<UInt8>, _ count: Int, _ name: StaticString
    ) -> Int? {
        let length = name.utf8CodeUnitCount
        guard count >= length, strncasecmp(chars(line), chars(name.utf8Start), length) == 0 else {
            return nil
        }
        var at = length
        while at < count && (line[at] == 32 || line[at] == 9) { at += 1 }
        return at
    }

    private static func holds(
        _ line: UnsafePointer<UInt8>, _ from: Int, _ count: Int, _ word: StaticString
    ) -> Bool {
        let length = word.utf8CodeUnitCount
        var at = from
        while at + length <= count {
            if strncasecmp(chars(line + at), chars(word.utf8Start), length) == 0 { return true }
            at += 1
        }
        return false
    }

    private static func number(
        _ line: UnsafePointer<UInt8>, _ from: Int, _ count: Int
    ) -> UInt64? {
        var end = count
        while end > from && (line[end - 1] == 32 || line[end - 1] == 9) { end -= 1 }
        guard (1...15).contains(end - from) else { return nil }
        var value: UInt64 = 0
        for at in from..<end {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[at]) else { return nil }
            value = value * 10 + UInt64(line[at] - UInt8(ascii: "0"))
        }
        return value
    }

    private static func chars(_ bytes: UnsafePointer<UInt8>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
    }
}
