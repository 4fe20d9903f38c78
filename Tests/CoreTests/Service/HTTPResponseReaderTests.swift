import Core
import TestSupport
import Testing

@Suite struct HTTPResponseReaderTests {
    typealias Progress = HTTPResponseReader.Progress

    static func feed(_ reader: inout HTTPResponseReader, _ bytes: ArraySlice<UInt8>) -> Progress {
        bytes.withUnsafeBytes { reader.consume($0) }
    }

    static func read(_ text: String) -> (HTTPResponseReader, Progress) {
        var reader = HTTPResponseReader()
        let progress = feed(&reader, Array(text.utf8)[...])
        return (reader, progress)
    }

    static let counted =
        "HTTP/1.1 200 OK\r\nX-Amzn-RequestId:  r-1 \r\nContent-Length: 5\r\n"
        + "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n\r\nhello"
    static let chunked =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "2;x=y\r\nhe\r\n003\r\nllo\r\n0\r\nTrailer: t\r\n\r\n"
    static let closing = "HTTP/1.1 503 Slow\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
    static let old = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    /// Where the network cut the bytes does not matter.
    @Test(arguments: [
        (counted, 200, true), (chunked, 200, true), (closing, 503, false), (old, 200, false),
    ])
    func `a response is read whatever the cuts`(text: String, status: Int, reusable: Bool) {
        let bytes = Array(text.utf8)
        for cut in 1..<bytes.count {
            var reader = HTTPResponseReader()
            #expect(Self.feed(&reader, bytes[..<cut]) == .more, "cut at \(cut)")
            #expect(Self.feed(&reader, bytes[cut...]) == .complete(reusable: reusable))
            #expect(reader.status == status && reader.body == Array("hello".utf8))
        }
        var reader = HTTPResponseReader()
        for byte in bytes.dropLast() { #expect(Self.feed(&reader, [byte]) == .more) }
        #expect(Self.feed(&reader, bytes.suffix(1)) == .complete(reusable: reusable))
        #expect(reader.body == Array("hello".utf8))
    }

    @Test func `a granted tunnel ends with its head, whatever that says`() {
        for fields in ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
            var reader = HTTPResponseReader()
            reader.reset(opensTunnel: true)
            let granted = Array("HTTP/1.1 200 Connection established\r\n\(fields)\r\n".utf8)
            #expect(Self.feed(&reader, granted[...]) == .complete(reusable: true))
            reader.reset(opensTunnel: true)
            let refused = Array("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno".utf8)
            #expect(Self.feed(&reader, refused.dropLast()) == .more)
            #expect(Self.feed(&reader, refused.suffix(1)) == .complete(reusable: true))
        }
    }

    @Test(arguments: [counted, chunked])
    func `a response cut short is told as cut`(text: String) {
        let bytes = Array(text.utf8)
        for cut in 0..<bytes.count {
            var reader = HTTPResponseReader()
            _ = Self.feed(&reader, bytes[..<cut])
            #expect(reader.end() == .failed(.cut), "cut at \(cut)")
            #expect(reader.hasBegun == (cut > 0))
        }
    }

    @Test func `headers are found by lower-case name, trimmed`() {
        let (reader, _) = Self.read(Self.counted)
        #expect(reader.header("x-amzn-requestid") == "r-1")
        #expect(reader.header("date") == "Fri, 02 Jan 2026 03:04:05 GMT")
        #expect(reader.header("absent") == nil)
    }

    @Test func `without a length the body ends with the connection`() {
        var (reader, progress) = Self.read("HTTP/1.1 200 OK\r\n\r\nhello")
        #expect(progress == .more)
        #expect(reader.end() == .complete(reusable: false))
        #expect(reader.body == Array("hello".utf8))
    }

    @Test func `no body is needed where none can be`() {
        #expect(Self.read("HTTP/1.1 204 No\r\n\r\n").1 == .complete(reusable: true))
        #expect(
            Self.read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").1
                == .complete(reusable: true))
    }

    @Test func `bytes after the response spoil the connection, not the response`() {
        let (reader, progress) = Self.read(Self.counted + "HTTP/1.1 200")
        #expect(progress == .complete(reusable: false))
        #expect(reader.body == Array("hello".utf8))
    }

    @Test func `a reader that is reset reads the next response`() {
        var (reader, _) = Self.read(Self.closing)
        reader.reset()
        #expect(!reader.hasBegun && reader.body.isEmpty)
        #expect(reader.header("connection") == nil)
        #expect(Self.feed(&reader, Array(Self.counted.utf8)[...]) == .complete(reusable: true))
    }

    static let flaws: [(LongText, HTTPResponseReader.Flaw)] = [
        ("GET / HTTP/1.1\r\n\r\n", .notHTTP),
        ("SSH-2.0-x", .notHTTP),
        ("HTTP/2 200\r\n\r\n", .notHTTP),
        ("HTTP/1.1 20 OK\r\n\r\n", .notHTTP),
        ("HTTP/1.1 2000 OK\r\n\r\n", .notHTTP),
        ("HTTP/1.1\r\n\r\n", .notHTTP),
        (
            LongText("HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 101) + "\r\n"),
            .framing
        ),
        ("HTTP/1.1 999 OK\r\n\r\n", .notHTTP),
        ("HTTP/1.1 101 Up\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\n: x\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", .bodyTooLarge),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", .bodyTooLarge),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\n", .framing),
        (
            LongText("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 16 << 10)),
            .headTooLarge
        ),
        (
            LongText(
                "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 16 << 10) + "\r\n\r\n"),
            .headTooLarge
        ),
        (
            LongText(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                    + String(repeating: "a: b\r\n", count: 4000)), .headTooLarge
        ),
        (
            LongText("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1 + (1 << 20))),
            .bodyTooLarge
        ),
    ]

    @Test(arguments: flaws)
    func `framing that cannot be trusted is refused`(
        response: LongText, flaw: HTTPResponseReader.Flaw
    ) {
        let (reader, progress) = Self.read(response.text)
        #expect(progress == .failed(flaw))
        #expect(reader.body.count <= HTTPResponseReader.bodyBytesMax)
    }
}
