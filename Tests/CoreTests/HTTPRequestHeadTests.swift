import Core
import TestSupport
import Testing

@Suite struct HTTPRequestHeadTests {
    private func parse(_ bytes: UnsafeRawBufferPointer) -> (RequestHeadOutcome, ReadHead) {
        var head = RequestHead()
        let outcome = parseRequestHead(bytes, into: &head)
        return (outcome, outcome == .complete ? ReadHead(head) : ReadHead())
    }

    @Test(arguments: AcceptedRequest.all)
    func `a good request is read whole, and is incomplete wherever it is cut`(
        _ request: AcceptedRequest
    ) {
        let room = GuardedBytes(capacity: request.text.count)
        let (outcome, head) = room.holding(request.text, parse)
        #expect(outcome == .complete)
        #expect(head == request.expected)
        for cut in 0..<request.text.count {
            let outcome = room.holding(request.text.prefix(cut), parse).0
            if outcome != .incomplete { Issue.record("\(outcome) when cut at \(cut)") }
        }
    }

    @Test(arguments: AcceptedRequest.all)
    func `what follows a request changes nothing about it`(_ request: AcceptedRequest) {
        for next in ["G", "\r\n", "\n", " x: y\r\n\r\n", "\u{0}", "GET / HTTP/1.1\r\n"] {
            let all = request.text + Array(next.utf8)
            let (outcome, head) = GuardedBytes(capacity: all.count).holding(all, parse)
            #expect(outcome == .complete)
            #expect(head == request.expected)
        }
    }

    @Test(arguments: RefusedRequest.all)
    func `a bad request is refused, and never taken for another wherever it is cut`(
        _ request: RefusedRequest
    ) {
        let room = GuardedBytes(capacity: request.text.count)
        #expect(room.holding(request.text, parse).0 == request.outcome)
        var refusedAt: Int?
        for cut in 0..<request.text.count {
            let outcome = room.holding(request.text.prefix(cut), parse).0
            let isRightSoFar =
                outcome == request.outcome || (outcome == .incomplete && refusedAt == nil)
            if !isRightSoFar { Issue.record("\(outcome) when cut at \(cut)") }
            if outcome == request.outcome { refusedAt = refusedAt ?? cut }
        }
    }

    /// Feeds pieces as a connection does: what is not parsed is kept and comes again.
    private func heads(of pieces: [ArraySlice<UInt8>]) -> [ReadHead] {
        var found: [ReadHead] = []
        var kept: [UInt8] = []
        for piece in pieces {
            kept += piece
            while true {
                let (outcome, head) = kept.withUnsafeBytes { parse($0) }
                if outcome != .complete { break }
                found.append(head)
                kept.removeFirst(head.byteCount)
            }
        }
        #expect(kept.isEmpty)
        return found
    }

    @Test func `pipelined requests are told apart wherever the network cuts them`() {
        // The largest left out, to keep the square small.
        let small = AcceptedRequest.all.filter { $0.text.count < 300 }
        let all = small.flatMap(\.text)
        let expected = small.map(\.expected)
        #expect(heads(of: [all[...]]) == expected)
        for cut in all.indices where heads(of: [all[..<cut], all[cut...]]) != expected {
            Issue.record("told apart wrongly when cut at \(cut)")
        }
        #expect(heads(of: all.indices.map { all[$0...$0] }) == expected)
    }

    @Test func `a head of exactly 16 KiB is taken, and one byte more is refused`() {
        func head(_ count: Int) -> [UInt8] {
            let start = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8)
            return start + [UInt8](repeating: 0x78, count: count - start.count - 4)
                + Array("\r\n\r\n".utf8)
        }
        let limit = Limits.requestHeadBytesMax
        let room = GuardedBytes(capacity: limit + 1)
        #expect(room.holding(head(limit), parse).0 == .complete)
        #expect(room.holding(head(limit).dropLast(), parse).0 == .incomplete)
        #expect(room.holding(head(limit + 1), parse).0 == .headTooLarge)
        // What comes after a head does not count for it.
        #expect(room.holding(head(limit) + [0x47], parse).0 == .complete)
    }

    @Test func `a request line over 16 KiB is a target too long`() {
        let long = Array("GET /".utf8) + [UInt8](repeating: 0x61, count: 20_000)
        let room = GuardedBytes(capacity: 32 << 10)
        #expect(room.holding(long.prefix(Limits.requestHeadBytesMax - 1), parse).0 == .incomplete)
        #expect(room.holding(long.prefix(Limits.requestHeadBytesMax), parse).0 == .targetTooLong)
        let whole = long + Array(" HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(room.holding(whole, parse).0 == .targetTooLong)
    }

    @Test func `the hundred-and-first field is refused before the head has ended`() {
        var text = Array("GET / HTTP/1.1\r\n".utf8)
        for _ in 0..<100 { text += Array("A: b\r\n".utf8) }
        let room = GuardedBytes(capacity: 2048)
        #expect(room.holding(text, parse).0 == .incomplete)
        #expect(room.holding(text + [0x41], parse).0 == .headTooLarge)
    }

    @Test func `mutated requests never make it read or point outside its bytes`() {
        var dice = SeededDice(seed: 0x4854_5450)
        let room = GuardedBytes(capacity: 16 << 10)
        let seeds = AcceptedRequest.all.map(\.text) + RefusedRequest.all.map(\.text)
        var complete = 0
        for _ in 0..<20_000 {
            let text = Self.mutated(seeds.randomElement(using: &dice)!, &dice)
            let isWithin: Bool? = room.holding(text) { held in
                var head = RequestHead()
                guard parseRequestHead(held, into: &head) == .complete else { return nil }
                return Self.isWithin(head, held)
            }
            if isWithin == false { Issue.record("\(text)") }
            if isWithin != nil { complete += 1 }
        }
        #expect(complete > 100)
    }

    private static func isWithin(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = bytes.baseAddress!
        return head.byteCount <= bytes.count
            && [head.target, head.userAgent, head.referer, head.cookie].allSatisfy {
                guard let base = $0.baseAddress else { return true }
                return base >= start && base + $0.count <= start + head.byteCount
            }
    }

    private static func mutated(_ seed: [UInt8], _ dice: inout SeededDice) -> [UInt8] {
        var text = seed
        for _ in 0..<Int.random(in: 1...4, using: &dice) where !text.isEmpty {
            let at = Int.random(in: 0..<text.count, using: &dice)
            switch UInt8.random(in: 0...3, using: &dice) {
            case 0: text[at] = UInt8.random(in: 0...255, using: &dice)
            case 1: text.insert(Array("\r\n \t:/0,".utf8).randomElement(using: &dice)!, at: at)
            case 2: text.remove(at: at)
            default: text.swapAt(at, Int.random(in: 0..<text.count, using: &dice))
            }
        }
        return text
    }
}

@Suite struct HTTPRequestTargetTests {
    @Test(arguments: [
        ("/p.gif?x", "/p.gif?x"), ("http://a/p.gif?x", "/p.gif?x"),
        ("http://a?x=/p.gif", "?x=/p.gif"), ("http://a", ""), ("https://a:1/", "/"),
        ("a+b-c.9://h/x", "/x"), ("*", ""), ("a:443", ""), ("http:///p.gif", ""), ("", ""),
        ("://a/p.gif", ""), ("9a://b/p.gif", ""), ("//a/p.gif", "//a/p.gif"),
    ])
    func `path and query are found in every form of a target`(
        _ target: String, _ expected: String
    ) {
        let found = Array(target.utf8).withUnsafeBytes {
            String(decoding: pathAndQuery(of: $0), as: UTF8.self)
        }
        #expect(found == expected)
    }
}
