import CBytes

/// The head of one HTTP/1 request: slices of the bytes it was parsed from, nothing decoded.
public struct RequestHead {
    public enum Method: UInt8, Sendable { case get, head, other }

    public var method = Method.other
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    public var minorVersion: UInt8 = 1
    /// Whether the connection outlives this request, by version and Connection field.
    public var keepAlive = true
    /// Bytes of body that follow; 0 when there is none.
    public var contentLength = 0
    /// Bytes of the head, its empty line included.
    public var byteCount = 0
    public var target = UnsafeRawBufferPointer(start: nil, count: 0)
    public var userAgent = UnsafeRawBufferPointer(start: nil, count: 0)
    public var referer = UnsafeRawBufferPointer(start: nil, count: 0)
    public var cookie = UnsafeRawBufferPointer(start: nil, count: 0)

    public init() {}
}

/// What `parseRequestHead` found.
public enum RequestHeadOutcome: UInt8, Sendable {
    case complete
    /// Every byte so far may begin a request, and the limit is not reached.
    case incomplete
    /// 400: not HTTP/1 as RFC 9112 writes it, or framing in doubt.
    case malformed
    /// 414: the request line alone is over the limit.
    case targetTooLong
    /// 431: the head is over its limit, or has too many fields.
    case headTooLarge
    /// 501: a transfer coding; this server takes bodies by Content-Length only.
    case codingUnknown
    /// 505: HTTP, but neither 1.0 nor 1.1.
    case versionUnknown
}

/// Parses one request head (RFC 9112, sections 2 to 6), strictly: every doubt is `malformed`, since
/// guessing where a request ends is how requests get smuggled.
///
/// Pure and stateless: where the network cut the bytes does not matter, because a cut head is
/// parsed again from its start. `head` is meaningful only after `complete`.
public func parseRequestHead(
    _ bytes: UnsafeRawBufferPointer, into head: inout RequestHead
) -> RequestHeadOutcome {
    guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
        return .incomplete
    }
    let limit = min(bytes.count, Limits.requestHeadBytesMax)
    let short: RequestHeadOutcome =
        bytes.count >= Limits.requestHeadBytesMax ? .headTooLarge : .incomplete
    var cursor = HeadCursor(start: start, count: limit)
    let line = parseRequestLine(&cursor, into: &head)
    if line != .complete {
        if line == .incomplete && short == .headTooLarge { return .targetTooLong }
        return line
    }
    let fields = parseFields(&cursor, into: &head)
    return fields == .incomplete ? short : fields
}

/// Where the parser stands in the bytes of a head.
private struct HeadCursor {
    let start: UnsafePointer<UInt8>
    let count: Int
    var at = 0

    init(start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    @inline(always) var here: UnsafePointer<UInt8> { start + at }
    @inline(always) var left: Int { count - at }

    @inline(always)
    func slice(_ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + from, count: to - from)
    }
}

private let carriageReturn = UInt8(ascii: "\r")
private let lineFeed = UInt8(ascii: "\n")
private let space = UInt8(ascii: " ")
private let tab = UInt8(ascii: "\t")
private let slash = UInt8(ascii: "/")

/// `METHOD SP target SP HTTP/1.x CRLF`; one empty line before it is skipped (RFC 9112, 2.2).
@inline(always)
private func parseRequestLine(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    if cursor.left > 0 && cursor.here[0] == carriageReturn {
        if cursor.left < 2 { return .incomplete }
        if cursor.here[1] != lineFeed { return .malformed }
        cursor.at += 2
    }
    let methodStart = cursor.at
    cursor.at += Int(cbytes_token_length(cursor.here, cursor.left))
    if cursor.left == 0 { return .incomplete }
    let methodBytes = cursor.at - methodStart
    if methodBytes == 0 || cursor.here[0] != space { return .malformed }
    head.method = method(cursor.start + methodStart, methodBytes)
    cursor.at += 1

    let targetStart = cursor.at
    cursor.at += cbytes_find_target_end(cursor.here, cursor.left)
    if cursor.left == 0 { return .incomplete }
    if cursor.at == targetStart || cursor.here[0] != space { return .malformed }
    head.target = cursor.slice(targetStart, cursor.at)
    if cursor.start[targetStart] != slash
        && !isUnusualTarget(
            head.target, method: cursor.slice(methodStart, methodStart + methodBytes))
    {
        return .malformed
    }
    cursor.at += 1
    return parseVersion(&cursor, into: &head)
}

@inline(always)
private func method(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> RequestHead.Method {
    if count == 3 && bytes[0] == 0x47 && bytes[1] == 0x45 && bytes[2] == 0x54 { return .get }
    if count == 4 && bytes[0] == 0x48 && bytes[1] == 0x45 && bytes[2] == 0x41 && bytes[3] == 0x44 {
        return .head
    }
    return .other
}

@inline(always)
private func parseVersion(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    let name: StaticString = "HTTP/"
    for index in 0..<5 {
        if cursor.left <= index { return .incomplete }
        if cursor.here[index] != name.utf8Start[index] { return .malformed }
    }
    if cursor.left < 10 { return .incomplete }
    let version = cursor.here
    guard isDigit(version[5]), version[6] == UInt8(ascii: "."), isDigit(version[7]),
        version[8] == carriageReturn, version[9] == lineFeed
    else { return .malformed }
    guard version[5] == UInt8(ascii: "1"), version[7] <= UInt8(ascii: "1") else {
        return .versionUnknown
    }
    head.minorVersion = version[7] & 1
    cursor.at += 10
    return .complete
}

@inline(always)
private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 <= 9 }

/// What the fields of a head said about framing and connection.
private struct FieldFacts {
    var hosts = 0
    var contentLength: Int?
    var hasTransferEncoding = false
    var close = false
    var keepAlive = false
}

@inline(always)
private func parseFields(
    _ cursor: inout HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    head.userAgent = UnsafeRawBufferPointer(start: nil, count: 0)
    head.referer = head.userAgent
    head.cookie = head.userAgent
    var facts = FieldFacts()
    var fields = 0
    while true {
        if cursor.left == 0 { return .incomplete }
        if cursor.here[0] == carriageReturn {
            if cursor.left < 2 { return .incomplete }
            if cursor.here[1] != lineFeed { return .malformed }
            cursor.at += 2
            break
        }
        fields += 1
        if fields > Limits.headerFieldsMax { return .headTooLarge }
        let outcome = parseField(&cursor, &facts, into: &head)
        if outcome != .complete { return outcome }
    }
    return conclude(facts, cursor, into: &head)
}

/// One `name: value CRLF`. A name is a token directly before the colon; a value holds no control
/// but tab; a line that begins with white space (obs-fold) is refused.
@inline(always)
private func parseField(
    _ cursor: inout HeadCursor, _ facts: inout FieldFacts, into head: inout RequestHead
) -> RequestHeadOutcome {
    let nameStart = cursor.at
    let nameBytes = Int(cbytes_token_length(cursor.here, cursor.left))
    cursor.at += nameBytes
    if cursor.left == 0 { return .incomplete }
    if nameBytes == 0 || cursor.here[0] != UInt8(ascii: ":") { return .malformed }
    cursor.at += 1
    while cursor.left > 0 && (cursor.here[0] == space || cursor.here[0] == tab) { cursor.at += 1 }
    let valueStart = cursor.at
    while true {
        cursor.at += cbytes_find_control(cursor.here, cursor.left)
        if cursor.left == 0 { return .incomplete }
        if cursor.here[0] != tab { break }
        cursor.at += 1
    }
    var valueEnd = cursor.at
    if cursor.here[0] != carriageReturn { return .malformed }
    if cursor.left < 2 { return .incomplete }
    if cursor.here[1] != lineFeed { return .malformed }
    cursor.at += 2
    while valueEnd > valueStart
        && (cursor.start[valueEnd - 1] == space || cursor.start[valueEnd - 1] == tab)
    {
        valueEnd -= 1
    }
    return note(
        name: cursor.start + nameStart, nameBytes, value: cursor.slice(valueStart, valueEnd),
        &facts, into: &head)
}

/// Keeps what a field says, if this server listens to it. Names are told apart by length first.
@inline(always)
private func note(
    name: UnsafePointer<UInt8>, _ nameBytes: Int, value: UnsafeRawBufferPointer,
    _ facts: inout FieldFacts, into head: inout RequestHead
) -> RequestHeadOutcome {
    switch nameBytes {
    case 4:
        if isName(name, "host") {
            facts.hosts += 1
            // Not even white space: whoever reads two hosts here reads another request (3.2).
            guard let host = value.baseAddress?.assumingMemoryBound(to: UInt8.self),
                cbytes_find_target_end(host, value.count) == value.count
            else { return .malformed }
        }
    case 6:
        if isName(name, "cookie") { head.cookie = value }
    case 7:
        if isName(name, "referer") { head.referer = value }
    case 10:
        if isName(name, "user-agent") {
            head.userAgent = value
        } else if isName(name, "connection") {
            noteConnection(value, &facts)
        }
    case 14:
        if isName(name, "content-length") {
            guard let length = parseContentLength(value), facts.contentLength == nil else {
                return .malformed
            }
            facts.contentLength = length
        }
    case 17:
        if isName(name, "transfer-encoding") { facts.hasTransferEncoding = true }
    default:
        break
    }
    return .complete
}

/// Compares ignoring ASCII case; `lower` is lower-case letters and '-', of the same length.
@inline(always)
private func isName(_ name: UnsafePointer<UInt8>, _ lower: StaticString) -> Bool {
    let wanted = lower.utf8Start
    for index in 0..<lower.utf8CodeUnitCount where name[index] | 0x20 != wanted[index] {
        return false
    }
    return true
}

/// Connection is a list of tokens; `close` and `keep-alive` mean something here.
private func noteConnection(_ value: UnsafeRawBufferPointer, _ facts: inout FieldFacts) {
    guard let bytes = value.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    var at = 0
    while at < value.count {
        while at < value.count && (bytes[at] == space || bytes[at] == tab || bytes[at] == 0x2c) {
            at += 1
        }
        let start = at
        while at < value.count && bytes[at] != 0x2c && bytes[at] != space && bytes[at] != tab {
            at += 1
        }
        if at - start == 5 && isName(bytes + start, "close") { facts.close = true }
        if at - start == 10 && isName(bytes + start, "keep-alive") { facts.keepAlive = true }
    }
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

/// The rules that hold between fields (RFC 9112, 3.2 and 6.1).
@inline(always)
private func conclude(
    _ facts: FieldFacts, _ cursor: HeadCursor, into head: inout RequestHead
) -> RequestHeadOutcome {
    if facts.hosts > 1 || (facts.hosts == 0 && head.minorVersion == 1) { return .malformed }
    if facts.hasTransferEncoding {
        return facts.contentLength == nil && head.minorVersion == 1 ? .codingUnknown : .malformed
    }
    head.contentLength = facts.contentLength ?? 0
    head.keepAlive = !facts.close && (head.minorVersion == 1 || facts.keepAlive)
    head.byteCount = cursor.at
    return .complete
}
