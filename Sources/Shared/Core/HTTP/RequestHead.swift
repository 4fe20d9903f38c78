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
struct HeadCursor {
    let start: UnsafePointer<UInt8>
    let count: Int
    var at = 0

    init(start: UnsafePointer<UInt8>, count: Int) {
        self.start = start
        self.count = count
    }

    @inline(always) var here: UnsafePointer<UInt8> { start + at }
    @inline(always) var left: Int { count &- at }

    /// Whether `text`, as long as `Word`, comes next: one load and one comparison.
    @inline(always)
    func hasWord<Word: FixedWidthInteger & BitwiseCopyable>(
        _ text: StaticString, _: Word.Type
    ) -> Bool {
        left >= MemoryLayout<Word>.size
            && UnsafeRawPointer(here).loadUnaligned(as: Word.self)
                == UnsafeRawPointer(text.utf8Start).loadUnaligned(as: Word.self)
    }

    @inline(always)
    func slice(_ from: Int, _ to: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + from, count: to &- from)
    }
}

let carriageReturn = UInt8(ascii: "\r")
let lineFeed = UInt8(ascii: "\n")
let space = UInt8(ascii: " ")
let tab = UInt8(ascii: "\t")
let slash = UInt8(ascii: "/")
