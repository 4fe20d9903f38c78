import Core
import TestSupport
import Testing

/// Decoding, escaping and cutting of text.
@Suite struct RowsTextTests {
    /// The JSON of column v, quotes included.
    static func json(_ value: String, bytes: Int = 1000) -> String {
        RowsValueTests.tail(.varchar(bytes), value)
    }

    @Test(arguments: [
        ("plain", "plain"), ("a+b", "a b"), ("a%20b", "a b"), ("a%2Bb", "a+b"), ("%41%42", "AB"),
        ("%e9%A9%aC", "\u{9A6C}"), ("a=b=c", "a=b=c"), ("%22q%22", #"\"q\""#),
        (#"a"b\c"#, #"a\"b\\c"#), ("%5C", #"\\"#), ("%09%0A%0d%1f", #"\u0009\u000a\u000d\u001f"#),
        ("%7F", "\u{7F}"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%4g", "%4g"), ("%%41", "%A"),
        ("100%", "100%"), ("a%2", "a%2"), ("%C3%A9t%C3%A9", "été"), ("été", "été"),
        ("%F0%9F%98%80", "😀"), ("😀", "😀"), ("a?b", "a?b"), ("a/b:c@d", "a/b:c@d"),
    ])
    func `form text is decoded and escaped`(value: String, text: String) {
        #expect(Self.json(value) == ",\"v\":\"\(text)\"")
    }

    @Test(arguments: [
        ("%00", "\u{FFFD}"), ("a%00b", "a\u{FFFD}b"), ("%80", "\u{FFFD}"), ("%FF", "\u{FFFD}"),
        // Unicode 3.9, table 3-8 and its neighbours.
        ("%C0%AF%E0%80%BF%F0%81%82A", String(repeating: "\u{FFFD}", count: 8) + "A"),
        ("%ED%A0%80", String(repeating: "\u{FFFD}", count: 3)),
        ("%F4%91%92%93%FFA%80%BFB", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}A\u{FFFD}\u{FFFD}B"),
        ("%E1%80%E2%F0%91%92%F1%BFA", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}A"),
        ("%E2%82", "\u{FFFD}"), ("%E2%82+x", "\u{FFFD} x"), ("%C3%C3%A9", "\u{FFFD}é"),
        ("%EF%BF%BE", "\u{FFFE}"),
    ])
    func `what is no text becomes the replacement character`(value: String, text: String) {
        #expect(Self.json(value) == ",\"v\":\"\(text)\"")
    }

    @Test func `every sequence of bytes decodes as the standard library repairs it`() throws {
        var random = SeededDice(seed: 7)
        let rows = Rows(.probe(.varchar(1000)))
        let leads: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
            0xEF,
            0xF0, 0xF1, 0xF4, 0xF5, 0xFF,
        ]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                leads.randomElement(using: &random)!
            }
            var hit = SampleHit("/?v=")
            hit.target += bytes.flatMap { byte in
                Bool.random(using: &random)
                    ? [byte] : Array(("%" + String(byte, radix: 16)).utf8)
            }
            let text = rows.text(hit)
            let wanted = ",\"v\":\"\(String(decoding: bytes, as: UTF8.self))\"}\n"
            try #require(text.hasSuffix(wanted), "\(bytes)")
        }
    }

    @Test func `text is cut at bytes and never inside a character`() {
        for (value, bytes, text) in [
            ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcde"), ("ab%63def", 3, "abc"),
            ("ab%63def", 4, "abcd"), ("aéé", 5, "aéé"), ("aéé", 4, "aé"), ("aéé", 3, "aé"),
            ("aéé", 2, "a"), ("a%C3%A9x", 2, "a"), ("😀😀", 8, "😀😀"), ("😀😀", 7, "😀"),
            ("😀😀", 4, "😀"), ("ab%FFc", 4, "ab"), ("ab%FFc", 5, "ab\u{FFFD}"),
            ("ab%00c", 4, "ab"), ("%22%22%22", 2, #"\"\""#), ("%01%01", 1, #"\u0001"#),
            ("+++++", 3, "   "),
        ] {
            #expect(Self.json(value, bytes: bytes) == ",\"v\":\"\(text)\"", "\(value) \(bytes)")
        }
    }

    @Test func `text whose first character does not fit is no text`() {
        #expect(Self.json("é", bytes: 1) == ",\"extra\":{\"v\":\"é\"}")
        #expect(Self.json("%F0%9F%98%80", bytes: 3) == ",\"extra\":{\"v\":\"😀\"}")
    }

    @Test(arguments: 0..<80)
    func `copies in steps of sixteen end where the text ends`(count: Int) {
        let text = String((0..<count).map { Character(Unicode.Scalar(UInt8(97 + $0 % 26))) })
        #expect(Self.json("x" + text) == ",\"v\":\"x\(text)\"")
        #expect(Self.json("x" + text + "%2F" + text) == ",\"v\":\"x\(text)/\(text)\"")
        #expect(Self.json(text + "é" + text) == ",\"v\":\"\(text)é\(text)\"")
        if count > 0 {
            #expect(Self.json("x" + text, bytes: count) == ",\"v\":\"x\(text.dropLast())\"")
        }
    }

    @Test func `header fields are plain text`() throws {
        let rows = Rows(
            Schema(columns: [
                .init(name: "id", type: .varchar(36), sources: [.hitID]),
                .init(name: "u", type: .varchar(20), sources: [.userAgent]),
                .init(name: "r", type: .varchar(20), sources: [.referer], required: true),
                .init(name: "c", type: .varchar(20), sources: [.visitorCookie]),
            ]))
        var hit = SampleHit("/")
        hit.userAgent = Array("a+b%20c\t\"é".utf8) + [0xFF]
        hit.referer = Array("http://e/%C3%A9?a=b&c0123456789".utf8)
        hit.cookie = [0xC3]
        #expect(
            rows.text(hit) == RowsValueTests.prefix
                + #","u":"a+b%20c\u0009\"é"# + "\u{FFFD}"
                + #"","r":"http://e/%C3%A9?a=b&","c":""# + "\u{FFFD}\"}\n")
        hit.referer = []
        #expect(rows.encode(hit).result.reason == .missingRequired)
    }
}
