import Core
import TestSupport
import Testing

/// Which parameter goes to which column, and what becomes of the others.
@Suite struct RowsRestTests {
    static let schema = Schema(columns: [
        .init(name: "id", type: .varchar(36), sources: [.hitID]),
        // Not last on purpose: the row has it last all the same.
        .init(name: "rest", type: .super, sources: [.rest]),
        .init(name: "event", type: .varchar(8)),
        .init(name: "n", type: .integer),
        .init(
            name: "who", type: .varchar(8),
            sources: [.query("uid"), .query("user"), .visitorCookie]),
        .init(name: "renamed", type: .varchar(8), sources: [.query("Long Name é+")]),
    ])

    static func tail(_ query: String, cookie: String = "") -> String {
        let rows = Rows(schema)
        var hit = SampleHit("/p" + query)
        hit.cookie = Array(cookie.utf8)
        let text = rows.text(hit)
        #expect(text.hasPrefix(RowsValueTests.prefix) && text.hasSuffix("}\n"))
        return String(text.dropFirst(RowsValueTests.prefix.count).dropLast(2))
    }

    @Test(arguments: [
        ("", ""), ("?", ""), ("?&&&", ""), ("?event=a", #","event":"a""#),
        ("?event=a&event=b", #","event":"a","rest":{"event":"b"}"#),
        ("?event=a&event=b&event=c", #","event":"a","rest":{"event":["b","c"]}"#),
        ("?event=&event=b", #","rest":{"event":"b"}"#), ("?event", ""),
        ("?event&x", #","rest":{"x":""}"#),
        ("?x=1&y=2", #","rest":{"x":"1","y":"2"}"#),
        ("?x=1&y=2&x=3", #","rest":{"x":["1","3"],"y":"2"}"#),
        ("?x=1&%78=2&X=3", #","rest":{"x":["1","2"],"X":"3"}"#), ("?=v", #","rest":{"":"v"}"#),
        ("?=&=", #","rest":{"":["",""]}"#), ("?e%76ent=a", #","event":"a""#),
        ("?Event=a", #","rest":{"Event":"a"}"#), ("?events=a", #","rest":{"events":"a"}"#),
        ("?even=a", #","rest":{"even":"a"}"#), ("?x=a?b#c", #","rest":{"x":"a?b#c"}"#),
        ("?x;event=a", #","rest":{"x;event":"a"}"#), ("?%22%0A=%22", #","rest":{"\"\u000a":"\""}"#),
        ("?%FF=1&%FE=2", ",\"rest\":{\"\u{FFFD}\":[\"1\",\"2\"]}"),
        ("?Long+Name+%C3%A9%2B=a", #","renamed":"a""#), ("?Long%20Name é%2B=a", #","renamed":"a""#),
        ("?Long+Name+é=a", #","rest":{"Long Name é":"a"}"#),
        ("?n=7&n=8", #","n":7,"rest":{"n":"8"}"#), ("?n=x&n=8", #","rest":{"n":["x","8"]}"#),
        ("?a=1&n=x%20&b=2&n=8", #","rest":{"a":"1","n":["x ","8"],"b":"2"}"#),
        ("?cb=123", #","rest":{"cb":"123"}"#),
    ])
    func `parameters find their columns or the rest`(query: String, json: String) {
        #expect(Self.tail(query) == json)
    }

    @Test(arguments: [
        ("?uid=a&user=b", "c", #","who":"a","rest":{"user":"b"}"#),
        ("?user=b&uid=a", "c", #","who":"a","rest":{"user":"b"}"#),
        ("?uid=&user=b", "c", #","who":"b""#), ("?user=b", "c", #","who":"b""#),
        ("", "c", #","who":"c""#),
        ("?uid=&user=", "", ""), ("?uid=a&user=", "", #","who":"a""#),
        ("?x=1&user=b&uid=a&y=2", "", #","who":"a","rest":{"x":"1","user":"b","y":"2"}"#),
    ])
    func `the first source that is not empty wins`(query: String, cookie: String, json: String) {
        #expect(Self.tail(query, cookie: cookie) == json)
    }

    @Test func `the target may be absolute and need not have a query`() {
        let rows = Rows(Self.schema)
        for target in ["http://h:80/p?event=a", "https://h?event=a", "?event=a", "/p?event=a"] {
            #expect(rows.text(SampleHit(target)).hasSuffix(",\"event\":\"a\"}\n"), "\(target)")
        }
        for target in ["/p", "*", "http://h/", "/event=a", ""] {
            #expect(rows.text(SampleHit(target)) == RowsValueTests.prefix + "}\n", "\(target)")
        }
    }

    @Test func `required values that are missing, empty or unusable make a bad row`() {
        let rows = Rows(.probe(.integer, required: true))
        for (query, reason) in [
            ("", RowReason.missingRequired), ("?w=1", .missingRequired), ("?v=", .emptyRequired),
            ("?v", .emptyRequired), ("?v=&v=1", .emptyRequired), ("?v=x", .unconvertibleRequired),
            ("?v=%20", .unconvertibleRequired), ("?v=1", .none), ("?V=1", .missingRequired),
        ] {
            let (result, row) = rows.encode(SampleHit("/" + query))
            #expect(result.reason == reason && result.byteCount == row.count, "\(query)")
            #expect(result.kind == (reason == .none ? .good : .bad))
            let object = parsedRow(row)
            #expect(object?["reason"] as? String == (reason == .none ? nil : "\(reason.code)"))
            #expect(object?["column"] as? String == (reason == .none ? nil : "v"))
        }
    }

    @Test func `without a rest column unknown parameters are left out`() {
        let rows = Rows(
            Schema(columns: [
                .init(name: "id", type: .varchar(36), sources: [.hitID]),
                .init(name: "n", type: .integer),
            ]))
        let many = (0..<400).map { "k\($0)=v" }.joined(separator: "&")
        for query in ["a=1&a=2", "n=x", "n=&n=2", many] {
            #expect(rows.text(SampleHit("/?" + query)) == RowsValueTests.prefix + "}\n")
        }
    }

    @Test func `beyond 256 parameters the query is kept as it stands`() throws {
        let rows = Rows(Self.schema)
        func query(_ count: Int) -> String {
            "/?" + (0..<count).map { "k\($0)=%41" }.joined(separator: "&")
        }
        func rest(_ target: String) throws -> [String: Any] {
            try #require(parsedRow(rows.encode(SampleHit(target)).row)?["rest"] as? [String: Any])
        }
        let whole = try rest(query(256))
        #expect(whole.count == 256 && whole["k255"] as? String == "A")
        let more = try rest(query(256) + "&k1=%42&\"+&&event=late")
        #expect(more.count == 257)
        #expect(more["_overflow"] as? String == "k1=%42&\"+&&event=late")
        #expect(try rest(query(256) + "&").count == 256)
        let both = try rest("/?_overflow=mine&" + query(255).dropFirst(2) + "&x=1")
        #expect(both["_overflow"] as? [String] == ["mine", "x=1"])
    }

    @Test func `equal names among many are found whatever lies between`() throws {
        var random = SeededDice(seed: 99)
        let rows = Rows(.probe(.varchar(9)))
        for _ in 0..<300 {
            let names = (0..<Int.random(in: 1...12, using: &random)).map {
                "n\($0)" + String(repeating: "x", count: $0 * 3)
            }
            var wanted: [String: [String]] = [:]
            var pieces: [String] = []
            for index in 0..<Int.random(in: 1...256, using: &random) {
                let name = names.randomElement(using: &random)!
                wanted[name, default: []].append("\(index)")
                let spelled = Bool.random(using: &random) ? name : name.replacing("n", with: "%6e")
                pieces.append("\(spelled)=\(index)")
            }
            let row = rows.encode(SampleHit("/?" + pieces.joined(separator: "&"))).row
            let extra = try #require(parsedRow(row)?["extra"] as? [String: Any])
            let got = extra.mapValues { ($0 as? String).map { [$0] } ?? $0 as! [String] }
            try #require(got == wanted)
        }
    }

    @Test func `names are told apart at any length`() throws {
        let names =
            (1...127).map { String(repeating: "k", count: $0) }
            + (20...60).map {
                String(repeating: "a", count: $0) + "x" + String(repeating: "b", count: 20)
            }
        let columns = names.indices.map { index in
            Schema.Column(name: "c\(index)", type: .varchar(9), sources: [.query(names[index])])
        }
        let schema = Schema(
            columns: [.init(name: "id", type: .varchar(36), sources: [.hitID])] + columns)
        let rows = Rows(schema)
        for (index, name) in names.enumerated() {
            #expect(
                rows.text(SampleHit("/?\(name)=1")) == RowsValueTests.prefix
                    + ",\"c\(index)\":\"1\"}\n")
            #expect(rows.text(SampleHit("/?\(name)-=1")) == RowsValueTests.prefix + "}\n")
        }
    }
}
