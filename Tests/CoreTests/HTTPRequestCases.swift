import Core
import Testing

/// A request to accept, with what is to be read from it.
struct AcceptedRequest: Sendable, CustomTestStringConvertible {
    let text: [UInt8]
    let expect: @Sendable (inout ReadHead) -> Void

    init(_ text: String, _ expect: @escaping @Sendable (inout ReadHead) -> Void = { _ in }) {
        self.init(Array(text.utf8), expect)
    }

    init(_ text: [UInt8], _ expect: @escaping @Sendable (inout ReadHead) -> Void = { _ in }) {
        self.text = text
        self.expect = expect
    }

    var testDescription: String { String(decoding: text.prefix(60), as: UTF8.self) }

    var expected: ReadHead {
        var head = ReadHead()
        head.byteCount = text.count
        expect(&head)
        return head
    }

    static let all: [AcceptedRequest] = lines + connections + fields

    private static let lines: [AcceptedRequest] = [
        .init("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET /p.gif?e=view&u=%2f HTTP/1.1\r\nHost: a\r\n\r\n") {
            $0.target = "/p.gif?e=view&u=%2f"
        },
        .init("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n") { $0.method = .head },
        // Methods are case-sensitive tokens (RFC 9110, 9.1).
        .init("get / HTTP/1.1\r\nHost: a\r\n\r\n") { $0.method = .other },
        .init("GETS / HTTP/1.1\r\nHost: a\r\n\r\n") { $0.method = .other },
        .init("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n") { $0.method = .other },
        .init("!#$%&'*+-.^_`|~0 / HTTP/1.1\r\nHost: a\r\n\r\n") { $0.method = .other },
        // The other three forms of a target.
        .init("GET http://a/p.gif?x=1 HTTP/1.1\r\nHost: a\r\n\r\n") {
            $0.target = "http://a/p.gif?x=1"
        },
        .init("GET HTTPS://a:8443?x HTTP/1.1\r\nHost: b\r\n\r\n") {
            $0.target = "HTTPS://a:8443?x"
        },
        .init("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") { ($0.method, $0.target) = (.other, "*") },
        .init("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n") {
            ($0.method, $0.target) = (.other, "a:443")
        },
        // A target may hold any byte from 0x21 on but DEL: what trackers send is data, not grammar.
        .init("GET /ü?q=\"<|>\\^`{}#[] HTTP/1.1\r\nHost: a\r\n\r\n") {
            $0.target = "/ü?q=\"<|>\\^`{}#[]"
        },
        .init(Array("GET /".utf8) + [0x80, 0xff] + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) {
            $0.target = "/\u{fffd}\u{fffd}"
        },
        // One empty line before a request is passed over (RFC 9112, 2.2).
        .init("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    private static let connections: [AcceptedRequest] = [
        .init("GET / HTTP/1.0\r\n\r\n") { ($0.minorVersion, $0.keepAlive) = (0, false) },
        .init("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") { $0.minorVersion = 0 },
        .init("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n") {
            ($0.minorVersion, $0.keepAlive) = (0, false)
        },
        .init("GET / HTTP/1.1\r\nHost: a\r\nConnection: CLOSE\r\n\r\n") { $0.keepAlive = false },
        .init("GET / HTTP/1.1\r\nHost: a\r\nConnection: te, \t close ,x\r\n\r\n") {
            $0.keepAlive = false
        },
        .init("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n") {
            $0.keepAlive = false
        },
        .init("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, xclose, clos\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,,\r\n\r\n"),
    ]

    private static let fields: [AcceptedRequest] = [
        .init("GET / HTTP/1.1\r\nhOsT:a\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent:  \t Mozilla/5.0 (X11;\tLinux) \t \r\n\r\n")
        {
            $0.userAgent = "Mozilla/5.0 (X11;\tLinux)"
        },
        .init("GET / HTTP/1.1\r\nHost: a\r\nUSER-AGENT:\r\nX:\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nReferer: http://x/ü\r\nCookie: a=b; c=d\r\n\r\n") {
            ($0.referer, $0.cookie) = ("http://x/ü", "a=b; c=d")
        },
        .init("GET / HTTP/1.1\r\nHost: a\r\nX!#$%&'*+-.^_`|~9: v\r\n\r\n"),
        // Names of the same length as those that matter.
        .init("GET / HTTP/1.1\r\nHost: a\r\nXost: b\r\nXontent-Length: x\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") { $0.method = .other },
        .init("GET / HTTP/1.1\r\nHost: a\r\ncontent-length:\t0042 \r\n\r\n") {
            $0.contentLength = 42
        },
        .init("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n") {
            $0.contentLength = 9_999_999_999
        },
        .init(
            "GET / HTTP/1.1\r\nHost: a\r\n" + (2...100).map { "X\($0): y\r\n" }.joined() + "\r\n"),
    ]
}

/// A request to refuse, and how.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
    let text: [UInt8]
    let outcome: RequestHeadOutcome

    init(_ text: String, _ outcome: RequestHeadOutcome = .malformed) {
        self.init(Array(text.utf8), outcome)
    }

    init(_ text: [UInt8], _ outcome: RequestHeadOutcome = .malformed) {
        self.text = text
        self.outcome = outcome
    }

    var testDescription: String { "\(String(decoding: text.prefix(60), as: UTF8.self)) \(outcome)" }

    static let all: [RefusedRequest] =
        lines + targets + versions + fields + framing + controls + tooMany

    private static let lines: [RefusedRequest] = [
        .init("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/1.1\nHost: a\r\n\r\n"),
        .init("GET / HTTP/1.1\rHost: a\r\n\r\n"),
        .init("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
        .init("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET\r\n/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET: / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GÉT / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("{\"a\":1}\r\n\r\n"),
        .init([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]),  // a TLS ClientHello
    ]

    private static let targets: [RefusedRequest] = [
        .init("GET p.gif HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET ?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("CONNECT :443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("CONNECT a:443? HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET http:/a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET http:///p.gif HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET 1http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET ://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .init("GET /\u{1b}[0m HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    private static let versions: [RefusedRequest] = [
        .init("GET /\r\n"),
        .init("GET / \r\n\r\n"),
        .init("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .versionUnknown),
        .init("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .versionUnknown),
        .init("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionUnknown),
        .init("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .init("GET / HTTP/1\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/11.1\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/1,1\r\nHost: a\r\n\r\n"),
        .init("GET / http/1.1\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP /1.1\r\nHost: a\r\n\r\n"),
        .init("GET / ICE/1.0\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/x.1\r\nHost: a\r\n\r\n"),
    ]

    private static let fields: [RefusedRequest] = [
        .init("GET / HTTP/1.1\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        .init("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\tb\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"),
        .init("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tfolded\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n \r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\n: v\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nA(B: v\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nÄ: v\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nA: v\nB: w\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\nA: v\rB: w\r\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\n\r\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\n\n"),
        .init("GET / HTTP/1.1\r\nHost: a\r\n\rX"),
        .init("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    ]

    /// Where a request ends must never be in doubt.
    private static let framing: [RefusedRequest] = [
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5.0\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12345678901\r\n\r\n"),
        .init(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .init(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
        .init("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .codingUnknown),
        .init("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: identity\r\n\r\n", .codingUnknown),
        .init("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", .codingUnknown),
        .init("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n"),
        .init("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n"),
    ]

    /// No control byte but tab is ever data.
    private static let controls: [RefusedRequest] =
        (UInt8(0)...0x1f).filter { $0 != 9 }.flatMap(control) + control(0x7f)

    private static func control(_ byte: UInt8) -> [RefusedRequest] {
        let start = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8)
        return [
            .init(start + Array("X: v".utf8) + [byte] + Array("z\r\n\r\n".utf8)),
            .init(start + Array("X".utf8) + [byte] + Array(": v\r\n\r\n".utf8)),
            .init(Array("GET /".utf8) + [byte] + Array("z HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
            .init(Array("GE".utf8) + [byte] + Array("T / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)),
        ]
    }

    private static let tooMany: [RefusedRequest] = [
        .init(
            "GET / HTTP/1.1\r\nHost: a\r\n" + (2...101).map { "X\($0): y\r\n" }.joined() + "\r\n",
            .headTooLarge)
    ]
}
