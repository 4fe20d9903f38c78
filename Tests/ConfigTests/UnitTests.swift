import TestSupport
import Testing

@testable import Core

@Suite struct UnitTests {
    @Test(
        arguments: [
            ("0", 0), ("4096", 4096), ("1B", 1), ("10 GiB", 10 << 30), ("64MiB", 64 << 20),
            ("1GB", 1_000_000_000), ("1 kb", 1000), ("2 tib", 2 << 40), (" 7\tKiB ", 7168),
            ("16777215 TiB", 16_777_215 << 40),
        ] as [(String, UInt64)])
    func `a size is read`(text: String, bytes: UInt64) throws {
        #expect(try ByteSize.parse(text) == bytes)
    }

    @Test(
        arguments: [
            ("", .notASize), ("GiB", .notASize), ("-1", .notASize), ("١ GiB", .notASize),
            ("1.5 GiB", .fraction), ("10G", .ambiguousUnit("G")), ("1 k", .ambiguousUnit("K")),
            ("1 GiBs", .unknownUnit("GiBs")), ("1 0", .unknownUnit("0")),
            ("16777216 TiB", .overflow), ("99999999999999999999", .overflow),
        ] as [(String, ByteSize.Flaw)])
    func `what is no size is told why`(text: String, flaw: ByteSize.Flaw) {
        #expect(throws: flaw) { try ByteSize.parse(text) }
    }

    @Test(
        arguments: [
            ("1ms", 1), ("300ms", 300), ("2s", 2000), ("1m", 60_000), ("2 h", 7_200_000), ("0s", 0),
        ] as [(String, UInt64)])
    func `a duration is read`(text: String, milliseconds: UInt64) throws {
        #expect(try TimeSpan.parse(text) == milliseconds)
    }

    @Test(
        arguments: [
            ("", .notASpan), ("s", .notASpan), ("-1s", .notASpan), ("2", .unitMissing),
            ("1.5s", .fraction), ("2 S", .unknownUnit("S")), ("1m30s", .unknownUnit("m30s")),
            ("99999999999999999999s", .overflow), ("18446744073709551615h", .overflow),
        ] as [(String, TimeSpan.Flaw)])
    func `what is no duration is told why`(text: String, flaw: TimeSpan.Flaw) {
        #expect(throws: flaw) { try TimeSpan.parse(text) }
    }

    @Test func `sizes and durations are written so that they read back`() throws {
        var random = SeededDice(seed: 7)
        for _ in 0..<2000 {
            let number = random.next() >> (random.next() % 64)
            #expect(try ByteSize.parse(ByteSize.text(number)) == number)
            #expect(try TimeSpan.parse(TimeSpan.text(number)) == number)
            let round = (number & 0xFFFF) << 20
            #expect(try ByteSize.parse(ByteSize.text(round)) == round)
        }
        #expect(ByteSize.text(10 << 30) == "10 GiB")
        #expect(ByteSize.text(2_000_000) == "2 MB")
        #expect(ByteSize.text(4097) == "4097")
        #expect(TimeSpan.text(75_000) == "75s")
        #expect(TimeSpan.text(3_600_000) == "1h")
        #expect(TimeSpan.text(1500) == "1500ms")
        #expect(TimeSpan.text(0) == "0ms")
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), (":80", "0.0.0.0", 80),
        ("localhost:1", "127.0.0.1", 1), ("[::1]:8080", "::1", 8080), ("[::]:65535", "::", 65535),
        ("[2001:db8::10.0.0.1]:1", "2001:db8::10.0.0.1", 1),
    ])
    func `an address is read, and written so that it reads back`(
        text: String, host: String, port: Int
    ) throws {
        let address = try Settings.Address.parse(text)
        #expect(address == Settings.Address(host: host, port: UInt16(port)))
        #expect(try Settings.Address.parse(address.text) == address)
    }

    @Test(
        arguments: [
            ("127.0.0.1", .portMissing), ("", .portMissing), (":", .port("")), (":0", .port("0")),
            (":65536", .port("65536")), (":+80", .port("+80")), (":8a", .port("8a")),
            ("1.2.3:80", .host("1.2.3")), ("01.2.3.4:80", .host("01.2.3.4")),
            ("256.1.1.1:80", .host("256.1.1.1")), ("a.example:80", .host("a.example")),
            ("::1:8080", .bracketsMissing), ("::1", .bracketsMissing), ("[::1:8080", .host("[::1")),
            ("[1.2.3.4]:80", .host("1.2.3.4")), ("http://x:80", .host("http://x")),
        ] as [(String, Settings.Address.Flaw)])
    func `what is no address is told why`(text: String, flaw: Settings.Address.Flaw) {
        #expect(throws: flaw) { try Settings.Address.parse(text) }
    }

    @Test func `IPv6 literals are told from others`() {
        let good = [
            "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
            "fe80::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "ABCD:ef01::",
        ]
        let bad = [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
            "12345::", "g::", "::1::", "1.2.3.4", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5",
            "fe80::1%eth0",
            ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
        ]
        for text in good { #expect(IPLiteral.isV6(text), "\(text)") }
        for text in bad { #expect(!IPLiteral.isV6(text), "\(text)") }
    }

    @Test(arguments: [
        ("wrokers", "workers"), ("worker", "workers"), ("WORKERS", "workers"),
        ("wait-limit", "wait_limit"), ("spool.max_byte", "spool.max_bytes"), ("lsten", "listen"),
        ("dta", "data"), ("conn", "connections"),
    ])
    func `the nearest key is suggested`(word: String, meant: String) {
        #expect(NearestWord.to(word, among: Setting.all.map(\.key)) == meant)
    }

    @Test(arguments: [
        "xyzzy", "", "q", "completely_different", String(repeating: "a", count: 9999),
    ])
    func `nothing is suggested for what is near nothing`(word: String) {
        #expect(NearestWord.to(word, among: Setting.all.map(\.key)) == nil)
    }

    @Test func `the distance counts insertions, removals, replacements and swaps`() {
        func distance(_ a: String, _ b: String) -> Int {
            NearestWord.distance(Array(a.utf8), Array(b.utf8))
        }
        #expect(distance("", "abc") == 3)
        #expect(distance("abc", "") == 3)
        #expect(distance("abc", "abc") == 0)
        #expect(distance("abc", "acb") == 1)
        #expect(distance("kitten", "sitting") == 3)
        #expect(distance("abcd", "abd") == 1)
    }
}
