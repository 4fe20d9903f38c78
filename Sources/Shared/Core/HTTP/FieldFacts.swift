import CBytes

/// What the fields of a head said about framing and connection.
struct FieldFacts {
    var fields = 0
    var hosts = 0
    var contentLength: Int?
    var hasTransferEncoding = false
    var close = false
    var keepAlive = false

    /// Keeps what a field says, if this server listens to it. Names are told apart by length first.
    @inline(always)
    mutating func note(
        name: UnsafePointer<UInt8>, _ nameBytes: Int, value: UnsafeRawBufferPointer,
        into head: inout RequestHead
    ) -> RequestHeadOutcome {
        switch nameBytes {
        case 4:
            if isName(name, "host") { return noteHost(value) }
        case 6:
            if isName(name, "cookie") { head.cookie = value }
        case 7:
            if isName(name, "referer") { head.referer = value }
        case 10:
            if isName(name, "user-agent") {
                head.userAgent = value
            } else if isName(name, "connection") {
                noteConnection(value)
            }
        case 14:
            if isName(name, "content-length") { return noteContentLength(value) }
        case 17:
            if isName(name, "transfer-encoding") { hasTransferEncoding = true }
        default:
            break
        }
        return .complete
    }

    /// Not even white space: whoever reads two hosts here reads another request (3.2).
    @inline(always)
    private mutating func noteHost(_ value: UnsafeRawBufferPointer) -> RequestHeadOutcome {
        hosts += 1
        guard let host = value.baseAddress?.assumingMemoryBound(to: UInt8.self),
            cbytes_find_target_end(host, value.count) == value.count
        else { return .malformed }
        return .complete
    }

    /// Connection is a list of tokens; `close` and `keep-alive` mean something here.
    private mutating func noteConnection(_ value: UnsafeRawBufferPointer) {
        guard let bytes = value.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        var at = 0
        while at < value.count {
            while at < value.count && (bytes[at] == space || bytes[at] == tab || bytes[at] == 0x2c)
            {
                at += 1
            }
            let start = at
            while at < value.count && bytes[at] != 0x2c && bytes[at] != space && bytes[at] != tab {
                at += 1
            }
            if at - start == 5 && isName(bytes + start, "close") { close = true }
            if at - start == 10 && isName(bytes + start, "keep-alive") { keepAlive = true }
        }
    }

    private mutating func noteContentLength(_ value: UnsafeRawBufferPointer) -> RequestHeadOutcome {
        guard let length = parseContentLength(value), contentLength == nil else {
            return .malformed
        }
        contentLength = length
        return .complete
    }
}

/// Compares ignoring ASCII case; `lower` is 4 to 24 lower-case letters and '-', of the same length.
///
/// In words of 8 (or 4) bytes, the last of which overlaps the one before; the optimizer knows
/// `lower`, so that what is left are a load, an `or` and a comparison with a constant for each.
@inline(always)
private func isName(_ name: UnsafePointer<UInt8>, _ lower: StaticString) -> Bool {
    let count = lower.utf8CodeUnitCount
    if count < 8 {
        return isWord(name, lower, 0, UInt32.self) && isWord(name, lower, count - 4, UInt32.self)
    }
    return isWord(name, lower, 0, UInt64.self)
        && (count <= 16 || isWord(name, lower, 8, UInt64.self))
        && isWord(name, lower, count - 8, UInt64.self)
}

@inline(always)
private func isWord<Word: FixedWidthInteger & BitwiseCopyable>(
    _ name: UnsafePointer<UInt8>, _ lower: StaticString, _ at: Int, _: Word.Type
) -> Bool {
    let word = UnsafeRawPointer(name).loadUnaligned(fromByteOffset: at, as: Word.self)
    let wanted = UnsafeRawPointer(lower.utf8Start).loadUnaligned(fromByteOffset: at, as: Word.self)
    return word | (Word.max / 0xff * 0x20) == wanted
}

/// Content-Length, read strictly: 1 to 10 digits, no sign, no list (RFC 9110, 8.6).
func parseContentLength(_ digits: UnsafeRawBufferPointer) -> Int? {
    guard (1...10).contains(digits.count) else { return nil }
    var value = 0
    for byte in digits {
        guard isDigit(byte) else { return nil }
        value = value &* 10 &+ Int(byte &- 0x30)  // ten digits fit 64 bits
    }
    return value
}
