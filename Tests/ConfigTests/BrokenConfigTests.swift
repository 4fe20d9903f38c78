import Core
import Testing

@testable import Config

/// A config with one thing wrong, and what must be said about it.
struct BrokenConfig: Sendable, CustomTestStringConvertible {
    var text: String
    var line: Int
    var column: Int
    /// Parts of the message and of the hint.
    var says: String
    var hints: String

    init(_ text: String, _ line: Int, _ column: Int, _ says: String, _ hints: String) {
        (self.text, self.line, self.column, self.says, self.hints) = (
            text, line, column, says, hints
        )
    }

    var testDescription: String { String(text.prefix(60)) }

    static let all: [BrokenConfig] = syntax + unknownKeys + values + contradictions

    static let syntax = [
        BrokenConfig("workers = ", 1, 11, "cannot parse", "a value is missing"),
        BrokenConfig("workers", 1, 8, "cannot parse", "key = value"),
        BrokenConfig("= 4", 1, 1, "cannot parse", "a key is missing"),
        BrokenConfig("listen = 127.0.0.1:8080", 1, 12, "cannot parse", "\"127.0.0.1:8080\""),
        BrokenConfig("wait_limit = 2s", 1, 15, "cannot parse", "wait_limit = \"2s\""),
        BrokenConfig("[spool]\nmax_bytes = 10 GiB", 2, 16, "cannot parse", "\"10 GiB\""),
        BrokenConfig("data = \"var", 1, 12, "cannot parse", "not closed"),
        BrokenConfig("[spool\nmax_bytes = 1", 1, 7, "cannot parse", "[name]"),
        BrokenConfig("listen: \"x\"", 1, 7, "cannot parse", "YAML"),
        BrokenConfig("workers = 2\nworkers = 3", 2, 11, "redefine", "twice"),
        BrokenConfig("[log]\nlevel='info'\n[log]\n", 3, 1, "redefine", "twice"),
        BrokenConfig("wait limit = \"1s\"", 1, 6, "cannot parse", "no spaces"),
        BrokenConfig("data = \"C:\\var\"", 1, 12, "cannot parse", "\\\\"),
        BrokenConfig("shard_key = [\"query:uid\"\n\n", 2, 1, "cannot parse", "breaks off"),
        BrokenConfig("workers = 2 routers = 1", 1, 13, "cannot parse", "written"),
        BrokenConfig("log = { level = \"info\"", 1, 23, "cannot parse", "inline table"),
        BrokenConfig("workers = 3\n[\n", 2, 1, "a name must follow", "[name]"),
        BrokenConfig("[.spool]\ndir = \"x\"", 1, 1, "a name must follow", "[name]"),
        BrokenConfig("[[ü]]", 1, 1, "a name must follow", "[name]"),
        BrokenConfig("[[[a]]]", 1, 1, "a name must follow", "[name]"),
        BrokenConfig("shard_key = [\n  \"query:a\", }", 2, 14, "expected a value or", "breaks off"),
        BrokenConfig("x = 1979-05-27Tx:", 1, 5, "a time must follow", "in quotes"),
        BrokenConfig("x = \n[.a]", 1, 5, "expected value", "a value is missing"),
        BrokenConfig("on_invalid = accept", 1, 14, "cannot parse", "\"accept\""),
    ]

    static let unknownKeys = [
        BrokenConfig("worker = 4", 1, 1, "unknown key worker", "did you mean workers?"),
        BrokenConfig("# é\n  wrokers = 4", 2, 3, "unknown key wrokers", "did you mean workers?"),
        BrokenConfig("wait-limit = \"1s\"", 1, 1, "unknown key", "did you mean wait_limit?"),
        BrokenConfig("[spol]\nmax_bytes = 1", 1, 2, "unknown key spol", "did you mean spool?"),
        BrokenConfig("[spool]\nmaxbytes = 1", 2, 1, "spool.maxbytes", "spool.max_bytes"),
        BrokenConfig("max_bytes = \"1 GiB\"", 1, 1, "unknown key max_bytes", "in section [spool]"),
        BrokenConfig("[log]\nworkers = 4", 2, 1, "log.workers", "above the first [section]"),
        BrokenConfig("spool.max_byte = 1", 1, 7, "spool.max_byte", "spool.max_bytes"),
        BrokenConfig("log = { levle = \"info\" }", 1, 9, "log.levle", "log.level"),
        BrokenConfig("\"spool.max_bytes\" = 1", 1, 1, "spool.max_bytes", "without the quotes"),
        BrokenConfig("[log]\ncolour_of_the_sky = 1", 2, 1, "colour", "[log] has level, format"),
        BrokenConfig("xyzzy = 1", 1, 1, "unknown key xyzzy", "docs/settings.md"),
        BrokenConfig("tls = true", 1, 1, "not in this version", "remove it"),
        BrokenConfig("[log.level]\nx = 1", 1, 6, "log.level must be", "choose one"),
        BrokenConfig("[workers.count]\nx = 1", 1, 2, "workers must be", "bare number"),
        BrokenConfig("spool = \"var\"", 1, 1, "spool is a section", "[spool] on a line"),
        BrokenConfig("[[spool]]\nmax_bytes = 1", 1, 3, "spool is a section", "single brackets"),
    ]

    static let values = [
        BrokenConfig("workers = 0", 1, 11, "1 to 256, not 0", "range"),
        BrokenConfig("workers = 257", 1, 11, "1 to 256, not 257", "range"),
        BrokenConfig("routers = 65", 1, 11, "1 to 64, not 65", "range"),
        BrokenConfig("workers = -1", 1, 11, "not -1", "range"),
        BrokenConfig("workers = \"4\"", 1, 11, "not \"4\"", "without quotes"),
        BrokenConfig("workers = 2.0", 1, 11, "not 2.0", "without quotes"),
        BrokenConfig("workers = true", 1, 11, "not true", "without quotes"),
        BrokenConfig("workers = [1]", 1, 11, "not a list", "without quotes"),
        BrokenConfig("workers = 2026-11-23", 1, 11, "not a date", "without quotes"),
        BrokenConfig("listen = 8080", 1, 10, "not 8080", "\"127.0.0.1:8080\""),
        BrokenConfig("listen = \"127.0.0.1\"", 1, 10, "no port", ":8080"),
        BrokenConfig("listen = \":0\"", 1, 10, "1 to 65535: \"0\"", ":8080"),
        BrokenConfig("listen = \":99999\"", 1, 10, "1 to 65535", ":8080"),
        BrokenConfig("listen = \"example.com:80\"", 1, 10, "IP address", "not looked up"),
        BrokenConfig("listen = \"::1:80\"", 1, 10, "without brackets", "[::1]:8080"),
        BrokenConfig("listen = \"[::g]:80\"", 1, 10, "IP address", "not looked up"),
        BrokenConfig("ack = \"fsynk\"", 1, 7, "not \"fsynk\"", "did you mean \"fsync\"?"),
        BrokenConfig("ack = \"memory\"", 1, 7, "\"received\", \"spooled\"", "choose one"),
        BrokenConfig("on_shard_down = \"rerout\"", 1, 17, "\"rerout\"", "mean \"reroute\"?"),
        BrokenConfig("on_invalid = \"acept\"", 1, 14, "not \"acept\"", "did you mean \"accept\"?"),
        BrokenConfig("[local]\nsink = \"warehose\"", 2, 8, "local.sink", "\"warehouse\"?"),
        BrokenConfig("[delivery]\nmode = \"kafka\"", 2, 8, "not \"kafka\"", "choose one"),
        BrokenConfig("wait_limit = 2", 1, 14, "a duration, not 2", "in quotes with its unit"),
        BrokenConfig("wait_limit = \"2\"", 1, 14, "not a duration", "unit"),
        BrokenConfig("wait_limit = \"2 sec\"", 1, 14, "not a duration", "ms, s, m and h"),
        BrokenConfig("wait_limit = \"1.5s\"", 1, 14, "not a duration", "1500ms"),
        BrokenConfig("wait_limit = \"2h\"", 1, 14, "10ms to 1m, not \"2h\"", "range"),
        BrokenConfig("wait_limit = \"99999999999999999999s\"", 1, 14, "not a dur", "longer"),
        BrokenConfig("[delivery]\nlinger = \"soon\"", 2, 10, "\"auto\" or a duration", "2s"),
        BrokenConfig("[spool]\nmax_bytes = \"10G\"", 2, 13, "not a size", "GiB (powers of 1024)"),
        BrokenConfig("[spool]\nmax_bytes = \"10 GiX\"", 2, 13, "not a size", "the units are"),
        BrokenConfig("[spool]\nmax_bytes = \"1.5 GiB\"", 2, 13, "not a size", "1536 MiB"),
        BrokenConfig("[spool]\nmax_bytes = \"lots\"", 2, 13, "not a size", "64 MiB"),
        BrokenConfig("[spool]\nmax_bytes = -1", 2, 13, "a size, not -1", "64 MiB"),
        BrokenConfig("[spool]\nmax_bytes = \"99999999 TiB\"", 2, 13, "not a size", "counted"),
        BrokenConfig("[spool]\nsegment_bytes = 1024", 2, 17, "64 KiB to 1 GiB", "number of bytes"),
        BrokenConfig("shard_key = 4", 1, 13, "must be a list", "[\"query:uid\""),
        BrokenConfig(
            "shard_key = [\n  \"query:uid\",\n  \"header:x\",\n]", 3, 3, "not \"query:NAME\"",
            "come last"),
        BrokenConfig("shard_key = [\"query:a\", \"query:a\"]", 1, 25, "twice", "remove one"),
        BrokenConfig("data = \"\"", 1, 8, "data is empty", "leave the key out"),
        BrokenConfig("data = \"~/var\"", 1, 8, "not expanded", "whole path"),
        BrokenConfig("data = \"a\\u0000b\"", 1, 10, "NUL character", "remove it"),
        BrokenConfig("data = \"a\\u001bb\"", 1, 8, "control character", "remove it"),
        BrokenConfig("[firehose]\nstream = \"a b\"", 2, 10, "not a stream's name", "letters"),
        BrokenConfig("[firehose]\nregion = \"Frankfurt\"", 2, 10, "not a region", "eu-central-1"),
        BrokenConfig(
            "[firehose]\nendpoint_url = \"https://x/path\"", 2, 16, "a host and a", "https://HOST"),
        BrokenConfig("[firehose]\nfips = \"maybe\"", 2, 8, "true or false", "without quotes"),
        BrokenConfig(
            "[firehose]\nendpoint_url = \"ftp://x\"", 2, 16, "begin with http:// or https://",
            "5000"),
        BrokenConfig("[firehose]\nendpoint_url = \"http://x:y\"", 2, 16, "a host and a", "5000"),
        BrokenConfig("[log]\nlevel = \"warn\"", 2, 9, "not \"warn\"", "mean \"warning\"?"),
        BrokenConfig("[log]\nlevel = \"verbose\"", 2, 9, "\"trace\", \"debug\"", "choose one"),
    ]

    static let contradictions = [
        BrokenConfig(
            "[firehose]\nstream = \"clicks-{worker}\"", 2, 10, "braces that mean nothing",
            "{shard} and {host}"),
        BrokenConfig(
            "[firehose]\nstream = \"\(String(repeating: "s", count: 63))-{shard}\"", 2, 10,
            "65 bytes", "Firehose takes 64"),
        BrokenConfig(
            "workers = 12\n[firehose]\nstream = \"\(String(repeating: "s", count: 62))-{shard}\"",
            3,
            10, "65 bytes", "Firehose takes 64"),
        BrokenConfig(
            "[firehose]\nstream = \"x-{shard}\"\nbad_stream = \"x-1\"", 3, 14,
            "\"x-1\" would get good rows and bad ones", "a name of its own"),
        BrokenConfig(
            "[spool]\nmax_bytes = \"1 MiB\"", 2, 13, "less than spool.segment_bytes (64 MiB)",
            "raise the cap"),
        BrokenConfig(
            "[spool]\nbad_max_bytes = \"1 MiB\"", 2, 17, "less than spool.segment_bytes",
            "raise the cap"),
        BrokenConfig(
            "[spool]\nmax_bytes = \"100 MiB\"\nsegment_bytes = \"512 MiB\"", 2, 13,
            "spool.max_bytes (100 MiB) is less than", "raise the cap"),
        BrokenConfig("listen = \":8090\"", 1, 10, "are the same place", "another port"),
        BrokenConfig("admin = \":8080\"", 1, 9, "are the same place", "admin = \"off\""),
        BrokenConfig("admin = \"8081\"", 1, 9, "has no port", "127.0.0.1:8080"),
        BrokenConfig(
            "[local]\nlisten = \"127.0.0.1:8081\"", 2, 10, "admin (127.0.0.1:8081)",
            "another port"),
        BrokenConfig("hang_limit = \"999ms\"", 1, 14, "1s to 1h", "any duration"),
        BrokenConfig("on_stop = \"drain\"", 1, 11, "\"keep\", \"deliver\"", "choose one"),
        BrokenConfig(
            "[local]\nlisten = \"127.0.0.1:8080\"", 2, 10, "are the same place", "another port"),
        BrokenConfig(
            "data = \"/\(String(repeating: "d", count: 100))\"", 1, 8, "114 bytes",
            "nearer the root"),
    ]
}

@Suite struct BrokenConfigTests {
    @Test(arguments: BrokenConfig.all)
    func `a broken config is told with its line, column, message and hint`(
        config: BrokenConfig
    ) throws {
        let found = problems(config.text)
        try #require(found.count == 1, "\(found)")
        guard case .line(let file, let line, let column, let text) = found[0].place else {
            Issue.record("no line: \(found[0])")
            return
        }
        #expect(file == "hydrant.toml")
        #expect(line == config.line, "\(found[0])")
        #expect(column == config.column, "\(found[0])")
        #expect(
            text == config.text.split(separator: "\n", omittingEmptySubsequences: false)[line - 1])
        #expect(found[0].message.contains(config.says), "\(found[0].message)")
        #expect(found[0].hint.contains(config.hints), "\(found[0].hint)")
    }

    @Test func `all problems come at once, in the order of the file`() {
        let found = problems(
            """
            [log]
            level = "loud"
            [spol]
            dir = 3
            [firehose]
            stream = 5
            """, overrides: ["workers=0", "nonsense=1"], environment: ["HYDRANT_ROUTERS": "0"])
        #expect(
            found.map(\.message) == [
                """
                log.level must be "trace", "debug", "info", "notice", "warning", "error", \
                not "loud"
                """,
                "unknown key spol",
                "firehose.stream must be a stream's name, not 5",
                "routers must be a whole number, 1 to 64, not 0",
                "workers must be a whole number, 1 to 256, not 0",
                "unknown key nonsense",
            ])
    }

    @Test func `a problem is shown with its line, a caret and a hint`() {
        let shown = ConfigProblems(problems("# settings\n\tworkers = 0 # none\r\n"))
        #expect(
            shown.render(color: false) == """
                hydrant.toml:2:12: error: workers must be a whole number, 1 to 256, not 0
                  2 |  workers = 0 # none
                    |            ^
                  hint: any number of that range will do

                """)
    }

    @Test func `no escape sequence of a config reaches the terminal`() {
        let text = "x\u{1B}[31m = \"\u{1B}]0;pwned\u{7}\"\n\"\u{202E}k\" = 1"
        let shown = ConfigProblems(problems(text)).render(color: false)
        #expect(!shown.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
        let key = ConfigProblems(problems("\"a\\u001b[31m\\u202e\" = 1")).render(color: false)
        #expect(key.contains("\\u{1b}[31m\\u{202e}"))
    }

    @Test func `colour is there when asked for, and only then`() {
        let shown = ConfigProblems(problems("workers = 0"))
        #expect(shown.render(color: true).contains("\u{1B}[31;1merror:\u{1B}[0m"))
        #expect(!shown.render(color: false).contains("\u{1B}"))
    }

    @Test func `a long line is cut around the column`() {
        let pad = String(repeating: "x", count: 5000)
        let shown = ConfigProblems(problems("log = { level = \"info\", \(pad) = 1, format = 2 }"))
            .render(color: false)
        let lines = shown.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count < 5100 })
        #expect(lines.filter { $0.contains(" | ") }.allSatisfy { $0.count < 110 })
        for (source, caret) in zip(lines, lines.dropFirst()) where caret.hasSuffix("^") {
            let under = source[source.index(source.startIndex, offsetBy: caret.count - 1)]
            #expect(under == "x" || under == "2")
        }
    }
}
