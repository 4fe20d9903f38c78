import Core
import Testing

@testable import LoadTest

@Suite struct TrafficReplayTests {
    static let combined =
        #"203.0.113.7 - - [10/Oct/2026:13:55:36 +0000] "GET /p.gif?event=load&a=%20b HTTP/1.1" 200 43"#
        + #" "https://news.example/" "Mozilla/5.0 (X11)""#

    private static func line(
        _ request: String, second: Int = 36, tail: String = ""
    ) -> String {
        "::1 - - [10/Oct/2026:13:55:\(second) +0000] \"\(request)\" 200 43\(tail)"
    }

    private static func plan(_ log: TemporaryLog) -> LoadPlan {
        LoadPlan.sample().changed { $0.replay = .init(file: log.path, pace: 1) }
    }

    private static func flaw(_ log: TemporaryLog) -> TrafficFlaw? {
        do throws(TrafficFlaw) {
            _ = try ReplayLog(path: log.path)
            return nil
        } catch {
            return error
        }
    }

    /// What became of one line.
    private static func fate(_ text: String) -> String {
        var bytes = Array(text.utf8)
        return bytes.withUnsafeMutableBufferPointer { bytes in
            do throws(AccessLogLine.Flaw) {
                let line = try AccessLogLine(bytes)
                return "\(line.seconds) \(line.isHead ? "HEAD" : "GET")"
                    + " \(String(decoding: line.target, as: UTF8.self))"
                    + " | \(String(decoding: line.referer, as: UTF8.self))"
                    + " | \(String(decoding: line.userAgent, as: UTF8.self))"
            } catch {
                return "\(error)"
            }
        }
    }

    @Test func `a combined line is sent as it was received`() throws {
        let log = TemporaryLog([Self.combined])
        #expect(
            try Requests(Self.plan(log)).text(0) == """
                GET /p.gif?event=load&a=%20b HTTP/1.1\r
                Host: 127.0.0.1:8080\r
                Referer: https://news.example/\r
                User-Agent: Mozilla/5.0 (X11)\r
                \r

                """)
        let labelled = Self.plan(log).changed {
            $0.ledger = "l"
            $0.headers = [.init(name: "user-agent", value: "me")]
        }
        #expect(
            try Requests(labelled).text(9) == """
                GET /p.gif?_hl=1234abcd-0000000009&event=load&a=%20b HTTP/1.1\r
                Host: 127.0.0.1:8080\r
                user-agent: me\r
                Referer: https://news.example/\r
                \r

                """)
    }

    @Test(arguments: [
        ("/p.gif", "/p.gif?_hl=1234abcd-0000000000"), ("/p.gif?", "/p.gif?_hl=1234abcd-0000000000"),
        ("/?a", "/?_hl=1234abcd-0000000000&a"),
    ])
    func `a replayed request is labelled whatever its query`(target: String, sent: String) throws {
        let log = TemporaryLog([Self.line("HEAD \(target) HTTP/1.1")])
        let requests = try Requests(Self.plan(log).changed { $0.ledger = "l" })
        #expect(requests.target(0) == sent)
        #expect(requests.request(0).hasNoBody)
    }

    @Test func `lines are read as servers write them`() {
        #expect(
            Self.fate(Self.combined)
                == "1791640536 GET /p.gif?event=load&a=%20b | https://news.example/ | Mozilla/5.0 (X11)"
        )
        // Common format, a zone, a virtual host, a user with spaces and a bracket.
        #expect(
            Self.fate(
                "news.example:443 ::1 - a [b] [09/Oct/2026:23:55:36 -0730] \"HEAD / HTTP/1.0\" 304 -"
            )
                == "1791617136 HEAD / |  | ")
        #expect(
            Self.fate(Self.line("GET / HTTP/1.1", tail: " \"-\" \"-\"")) == "1791640536 GET / |  | "
        )
        // More fields behind, of other kinds.
        #expect(
            Self.fate(Self.line("GET / HTTP/1.1", tail: " \"r\" \"u\" 0.003 \"x\""))
                == "1791640536 GET / | r | u")
        #expect(
            Self.fate(Self.line("GET / HTTP/1.1", tail: " 0.003 x")) == "1791640536 GET / |  | ")
        #expect(Self.fate(Self.line("GET / HTTP/2.0")) == "1791640536 GET / |  | ")
        // Escapes of nginx and Apache.
        #expect(
            Self.fate(Self.line(#"GET /?a=\x22b\"\x5C\xe9 HTTP/1.1"#, tail: #" "a\\b" "u\"v""#))
                == "1791640536 GET /?a=\"b\"\\\u{fffd} | a\\b | u\"v")
        #expect(
            Self.fate(Self.line(#"GET /?a=\q\x2 HTTP/1.1"#)) == #"1791640536 GET /?a=\q\x2 |  | "#)
        #expect(
            Self.fate("- [29/Feb/2024:00:00:00 +0000] \"GET / HTTP/1.1\" 200")
                == "1709164800 GET / |  | ")
        #expect(
            Self.fate("- [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 200") == "0 GET / |  | ")
    }

    @Test(arguments: [
        "", "x", "[", "\"", "[10/Oct/2026:13:55:36 +0000]", "# a comment",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"-\" 408 0",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"\" 400 0",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 2x0 5",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 2000 5",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"GET /\" 200 5",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"GET / FTP/1.1\" 200 5",
        "::1 - - [10/Oct/2026:13:55:36 +0000] \"\\x16\\x03\\x01\" 400 5",
        "::1 - - [10/Okt/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 200 5",
        "::1 - - [00/Oct/2026:13:55:36 +0000] \"GET / HTTP/1.1\" 200 5",
        "::1 - - [10/Oct/2026:24:55:36 +0000] \"GET / HTTP/1.1\" 200 5",
        "::1 - - [10/Oct/2026:13:55:36 +0000] GET / HTTP/1.1 200 5",
        "{\"time\":\"2026-10-10T13:55:36Z\",\"request\":\"GET / HTTP/1.1\"}",
    ])
    func `what is no such line is said to be none`(text: String) {
        #expect(Self.fate(text) == "malformed")
    }

    @Test func `what cannot be sent is told apart`() {
        #expect(Self.fate(Self.line("POST /batch HTTP/1.1")) == "method")
        #expect(Self.fate(Self.line("get / HTTP/1.1")) == "method")
        #expect(Self.fate(Self.line("GET http://a/b HTTP/1.1")) == "unsendable")
        #expect(Self.fate(Self.line("GET /a b HTTP/1.1")) == "unsendable")
        #expect(Self.fate(Self.line(#"GET /a\x0d\x0aX: y HTTP/1.1"#)) == "unsendable")
        #expect(Self.fate(Self.line("GET /a#b HTTP/1.1")) == "unsendable")
        #expect(Self.fate(Self.line("GET /\u{7f} HTTP/1.1")) == "unsendable")
        #expect(
            Self.fate(Self.line("GET / HTTP/1.1", tail: #" "a\x0d\x0aX: y" "u""#)) == "unsendable")
        #expect(Self.fate(Self.line("GET / HTTP/1.1", tail: #" "a" "u\nv""#)) == "unsendable")
        let long = String(repeating: "x", count: 8191)
        #expect(Self.fate(Self.line("GET /\(long) HTTP/1.1")).hasSuffix("xx |  | "))
        #expect(Self.fate(Self.line("GET /\(long)x HTTP/1.1")) == "unsendable")
    }

    @Test func `a line cut at any byte is read, refused, and never overrun`() {
        let whole = Self.combined + #" "\x22\\\"""#
        for cut in 0...whole.utf8.count {
            let fate = Self.fate(String(decoding: Array(whole.utf8)[..<cut], as: UTF8.self))
            // From the status on it is a line of the common format.
            let status = whole.utf8.count - whole.components(separatedBy: "\" 200").last!.utf8.count
            if cut < status { #expect(fate == "malformed", "\(cut)") }
            if cut == status { #expect(fate.hasPrefix("1791640536 GET /p.gif")) }
        }
    }

    @Test func `any bytes are survived`() {
        var draws = SplitMix64(state: 77)
        let bytes = Array(Self.combined.utf8)
        for _ in 0..<20_000 {
            var text = bytes
            for _ in 0..<(1 + draws.next() % 4) {
                text[Int(draws.next() % UInt64(text.count))] = UInt8(
                    truncatingIfNeeded: draws.next())
            }
            text.removeLast(Int(draws.next() % UInt64(text.count)))
            text.withUnsafeMutableBufferPointer { text in
                guard let line = try? AccessLogLine(text) else { return }
                #expect(line.target.first == UInt8(ascii: "/"))
                #expect(line.target.allSatisfy { $0 > 0x20 })
                #expect(
                    line.referer.allSatisfy { $0 >= 0x20 }
                        && line.userAgent.allSatisfy { $0 >= 0x20 })
            }
        }
    }

    @Test func `lines of one second are spread over it, in order of time`() throws {
        let lines = [
            Self.line("GET /b1 HTTP/1.1", second: 37), Self.line("GET /a1 HTTP/1.1", second: 36),
            "garbage", Self.line("GET /b2 HTTP/1.1", second: 37),
            Self.line("POST /no HTTP/1.1", second: 37), Self.line("GET /a2 HTTP/1.1", second: 36),
            Self.line("GET /d HTTP/1.1", second: 39), Self.line("GET * HTTP/1.1", second: 39),
            Self.line("GET /b3 HTTP/1.1", second: 37), Self.line("GET /b4 HTTP/1.1", second: 37),
        ]
        let file = TemporaryLog(lines)
        let log = try ReplayLog(path: file.path)
        #expect(log.lines == 10 && log.count == 7 && log.seconds == 4)
        #expect(log.skipped == .init(malformed: 1, method: 1, unsendable: 1))
        #expect(
            (0..<7).map { log.dueSeconds(ofRequest: $0) } == [0, 0.5, 1, 1.25, 1.5, 1.75, 3])
        #expect((0..<7).map { log.dueSeconds(ofRequest: $0, pace: 2) }.last == 1.5)
        // And from the start again.
        #expect(log.dueSeconds(ofRequest: 8) == 4.5)
        let requests = try Requests(Self.plan(file), log: log)
        #expect(
            (0..<9).map { requests.target($0) }
                == ["/a1", "/a2", "/b1", "/b2", "/b3", "/b4", "/d", "/a1", "/a2"])
    }

    @Test func `line ends of all kinds, and none at the end`() throws {
        let bytes = Array(
            (Self.line("GET /1 HTTP/1.1") + "\r\n" + Self.line("GET /2 HTTP/1.1")).utf8)
        let file = TemporaryLog(bytes)
        let log = try ReplayLog(path: file.path)
        #expect(log.count == 2 && log.lines == 2)
    }

    @Test func `a log of which nothing can be sent says why`() {
        let bad = TemporaryLog([Self.line("POST / HTTP/1.1"), "rubbish", "more"])
        #expect(Self.flaw(bad)?.message.contains("\(bad.path):2: not a line of the common") == true)
        let posts = TemporaryLog([Self.line("POST / HTTP/1.1")])
        #expect(Self.flaw(posts)?.hint.hasPrefix("1 have another method") == true)
        #expect(Self.flaw(TemporaryLog([UInt8]()))?.message.hasSuffix("is empty") == true)
        #expect(
            Self.flaw(TemporaryLog([0x1f, 0x8b, 8]))?.message.hasSuffix("is compressed") == true)
        #expect(throws: TrafficFlaw.self) { try ReplayLog(path: "/tmp") }
        #expect(throws: TrafficFlaw.self) { try ReplayLog(path: "/none/such") }
        #expect(throws: TrafficFlaw.self) { try ReplayLog(path: "/dev/zero") }
    }

    @Test func `a replay takes no scenario, method or body`() throws {
        let log = TemporaryLog([Self.combined])
        let plan = Self.plan(log)
        #expect(refusal(plan) == nil)
        #expect(
            refusal(plan.changed { $0.scenario = Scenario(name: "x") })?.contains("scenario")
                == true)
        #expect(refusal(plan.changed { $0.method = "POST" })?.contains("methods") == true)
    }

    @Test func `the longest fields stay within the room`() throws {
        let long = String(repeating: "x", count: 8190)
        let file = TemporaryLog([
            Self.line("GET /\(long) HTTP/1.1", tail: " \"\(long)\" \"\(long)\"")
        ])
        let requests = try Requests(Self.plan(file).changed { $0.ledger = "l" })
        #expect(requests.request(0).bytes.count > 3 * 8190)
        #expect(requests.isWithinRoom)
    }
}
