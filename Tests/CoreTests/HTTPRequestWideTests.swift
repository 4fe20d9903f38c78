import Core
import TestSupport
import Testing

/// `parseRequestHead` looks at 32 and 64 bytes at a time; these hold it against a parser that looks
/// at one, wherever such a step may begin or end.
@Suite struct HTTPRequestWideTests {
    private static func parse(_ bytes: UnsafeRawBufferPointer) -> (RequestHeadOutcome, ReadHead) {
        var head = RequestHead()
        let outcome = parseRequestHead(bytes, into: &head)
        return (outcome, outcome == .complete ? ReadHead(head) : ReadHead())
    }

    /// Records a disagreement with the reference; how the two agreed otherwise.
    @discardableResult
    private func check(
        _ text: some Collection<UInt8>, in room: GuardedBytes,
        at location: SourceLocation = #_sourceLocation
    ) -> RequestHeadOutcome {
        let found = room.holding(text, Self.parse)
        let expected = ReferenceParser.parse(text)
        if found != expected {
            Issue.record(
                "\(found), not \(expected): \(String(decoding: text, as: UTF8.self).debugDescription)",
                sourceLocation: location)
        }
        return found.0
    }

    private static let request = Array(
        """
        GET /p.gif?e=view&u=https%3A%2F%2Fa.example%2F HTTP/1.1\r
        Host: pixel.example\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) Safari/537.36\r
        Connection: close\r
        Content-Length: 12\r
        Cookie: a=b\r
        Referer: x\r
        X: y\r
        \r\n
        """.utf8)

    @Test(arguments: AcceptedRequest.all)
    func `the reference reads good requests as they are meant`(_ request: AcceptedRequest) {
        #expect(ReferenceParser.parse(request.text) == (.complete, request.expected))
    }

    @Test(arguments: RefusedRequest.all)
    func `the reference refuses bad requests as it should`(_ request: RefusedRequest) {
        #expect(ReferenceParser.parse(request.text).0 == request.outcome)
    }

    @Test func `every byte value at every position is judged as the reference does`() {
        let room = GuardedBytes(capacity: 512)
        var seen: Set<RequestHeadOutcome> = []
        for at in Self.request.indices {
            var text = Self.request
            for value in UInt8.min...UInt8.max {
                text[at] = value
                seen.insert(check(text, in: room))
            }
        }
        #expect(seen.isSuperset(of: [.complete, .malformed, .versionUnknown]))
    }

    @Test func `a wrong byte is judged alike wherever the request is cut`() {
        var dice = SeededDice(seed: 0x5749_4445)
        let room = GuardedBytes(capacity: 1024)
        for cut in 0...Self.request.count { check(Self.request.prefix(cut), in: room) }
        var complete = 0
        for _ in 0..<20_000 {
            var text = Self.request + Self.request
            let at = Int.random(in: 0..<Self.request.count, using: &dice)
            let wrong: [UInt8] = [0, 9, 10, 13, 0x20, 0x3a, 0x7f, 0x80, 0xff]
            text[at] = wrong.randomElement(using: &dice)!
            let cut = Int.random(in: at...text.count, using: &dice)
            if check(text.prefix(cut), in: room) == .complete { complete += 1 }
        }
        #expect(complete > 100)
    }

    @Test func `targets, names and values of every length are cut from each other rightly`() {
        let room = GuardedBytes(capacity: 1024)
        func letters(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }
        for count in 0...140 {
            for (start, rest) in [
                ("GET /", " HTTP/1.1\r\nHost: a\r\n\r\n"),
                ("GET / HTTP/1.1\r\nHost: a\r\n", ": v\r\n\r\n"),
                ("GET / HTTP/1.1\r\nHost: a\r\nReferer:", "\r\nUser-Agent:v\r\n\r\n"),
                ("GET / HTTP/1.1\r\nHost: a\r\nReferer: \t", " \t \r\nUser-Agent:v\r\n\r\n"),
            ] {
                let text = Array(start.utf8) + letters(count) + Array(rest.utf8)
                check(text, in: room)
                check(text + Self.request, in: room)
                // As much as there is of it when the network cuts it in or right after the letters.
                for cut in start.utf8.count...text.count { check(text.prefix(cut), in: room) }
            }
        }
    }

    @Test func `a byte that is not plain is found at every distance from a step's edge`() {
        let room = GuardedBytes(capacity: 1024)
        let start = Array("GET / HTTP/1.1\r\nHost: a\r\nReferer: ".utf8)
        for byte: UInt8 in [0, 9, 10, 13, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xa0, 0xff] {
            for count in 1...100 {
                for at in 0..<count {
                    var value = [UInt8](repeating: 0x61, count: count)
                    value[at] = byte
                    check(start + value + Array("\r\nCookie: b\r\n\r\n".utf8), in: room)
                }
            }
        }
    }

    /// A tab is white space like a space, but makes a line one that is read byte by byte.
    @Test(arguments: AcceptedRequest.all)
    func `lines read byte by byte say what they say when read wide`(_ request: AcceptedRequest) {
        let text = Array(
            String(decoding: request.text, as: UTF8.self)
                .replacing(": ", with: ":\t").utf8)
        guard String(validating: request.text, as: UTF8.self) != nil else { return }
        var expected = request.expected
        expected.byteCount = text.count
        let (outcome, head) = GuardedBytes(capacity: text.count).holding(text, Self.parse)
        #expect(outcome == .complete)
        #expect(head == expected)
    }

    @Test func `more fields than are split at once are all heard, up to the hundredth`() {
        let room = GuardedBytes(capacity: 4096)
        for count in 28...102 {
            for odd in [count - 1, count, 31, 32, 33, 64, 65] {
                var text = "GET / HTTP/1.1\r\nHost: a\r\n"
                for index in 2...count {
                    text += index == odd ? "Cookie: \tc\r\n" : "Cookie: \(index)\r\n"
                }
                check(Array(text.utf8), in: room)
                check(Array((text + "\r\n").utf8), in: room)
            }
        }
    }
}
