import Config
import Core
import TestSupport
import Testing

/// Whatever comes, an encoder makes one whole JSON row and stays within its room.
@Suite struct RowsRobustnessTests {
    static let awkward = Schema(columns: [
        .init(name: "id", type: .varchar(36), sources: [.hitID]),
        .init(name: "r", type: .super, sources: [.rest]),
        .init(name: "a", type: .varchar(7), sources: [.query("a"), .query("e"), .userAgent]),
        .init(name: "b", type: .integer), .init(name: "c", type: .double),
        .init(name: "d", type: .boolean), .init(name: "t", type: .timestamp),
        .init(name: "ref", type: .varchar(65_535), sources: [.referer]),
        .init(name: "g", type: .bigint, sources: [.query("%")], required: false),
    ])

    @Test(arguments: [
        "/1x1.gif?event=lo%61d&uid=%C3%A9%F0%9F%98%80&x=%22&x=%E2%82&value=1.5e3&ts=2026-11-23T01:02:03Z&n",
        "http://h/p?event=load&event=%00&event&=&&a=b=c&value=abc&sent_at=1795395723123&currency=EURO",
    ])
    func `a target cut at any byte gives a good or a bad row`(target: String) throws {
        let bytes = Array(target.utf8)
        let rows = Rows(SchemaFile.standard.schema)
        for cut in 0...bytes.count {
            let (result, row) = rows.encode(SampleHit(bytes: Array(bytes[..<cut])))
            let object = try #require(parsedRow(row))
            #expect((object["event"] == nil) == (result.kind == .bad))
            #expect((object["reason"] != nil) == (result.kind == .bad))
        }
        #expect(rows.isWithinRoom)
    }

    @Test(arguments: 1...6)
    func `arbitrary bytes always become one JSON object`(seed: Int) throws {
        var random = SeededDice(seed: UInt64(seed))
        let defaultRows = Rows(SchemaFile.standard.schema)
        let awkwardRows = Rows(Self.awkward)
        let words: [[UInt8]] = [
            "&", "=", "&", "=", "%", "+", "?", "event=", "a=", "b=", "c=", "d=", "t=", "uid=",
            "url=",
            "value=", "1", "-", "e5", "true", "2026-11-23T01:02:03", "%C3", "%A9", "%00", "\"",
            "\\",
            "%5", "abcdefghijklmnopqrst", "_overflow", "%25",
        ].map { Array($0.utf8) }
        func noise(_ pieces: Int) -> [UInt8] {
            (0..<Int.random(in: 0...pieces, using: &random)).flatMap { _ in
                Bool.random(using: &random)
                    ? words.randomElement(using: &random)!
                    : [UInt8.random(in: 0...255, using: &random)]
            }
        }
        for round in 0..<1500 {
            var hit = SampleHit(bytes: Array("/?".utf8) + noise(round % 50 == 0 ? 2000 : 40))
            hit.id = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
            hit.address = (0..<16).map { _ in
                [0, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)!
            }
            hit.receivedAt = UInt64.random(in: 0...UInt64.max, using: &random)
            hit.userAgent = noise(20)
            hit.referer = noise(20)
            hit.cookie = noise(5)
            for (result, row) in [defaultRows.encode(hit), awkwardRows.encode(hit)] {
                try #require(result.byteCount == row.count && row.count <= RowEncoder.rowBytesMax)
                try #require(parsedRow(row) != nil, "\(String(decoding: row, as: UTF8.self))")
            }
        }
        #expect(defaultRows.isWithinRoom && awkwardRows.isWithinRoom)
    }

    /// Requests of the largest head a router lets pass, each made of what grows most.
    @Test(arguments: [
        "\u{1}", "\u{1}&", "\u{1}=\u{1}&", "&", "=&", "a&", "a=&", "%01", "%01&", "\u{FF}", "%FF",
        "%00", "\"", "\\", "%22=%22&", "+", "b=x&", "_overflow&", "z",
    ])
    func `the largest request stays within the room`(piece: String) throws {
        // A lone 0xFF stands for "ÿ", which would be two bytes here.
        let unit = piece == "\u{FF}" ? [0xFF] : Array(piece.utf8)
        for schema in [SchemaFile.standard.schema, Self.awkward, try Self.heaviest()] {
            let rows = Rows(schema)
            for prefix in ["/?event=e&", "/?", "/?event="] {
                var hit = SampleHit(prefix)
                while hit.target.count < Limits.requestHeadBytesMax { hit.target += unit }
                hit.target.removeLast(hit.target.count - Limits.requestHeadBytesMax)
                let (result, row) = rows.encode(hit)
                try #require(parsedRow(row) != nil)
                #expect(result.reason != .oversizedHit)
                #expect(row.count + 16 <= RowEncoder.rowBytesMax)
                // The same bytes spread over the headers.
                let cut = hit.target.count / 3
                hit.userAgent = Array(hit.target[cut..<2 * cut])
                hit.referer = Array(hit.target[(2 * cut)...])
                hit.target.removeLast(hit.target.count - cut)
                try #require(parsedRow(rows.encode(hit).row) != nil)
            }
            #expect(rows.isWithinRoom)
        }
    }

    /// A schema that makes as much as allowed of as little as possible.
    static func heaviest() throws -> Schema {
        var schema = Schema(columns: [
            .init(name: "id", type: .varchar(36), sources: [.hitID]),
            .init(name: "received_at", type: .timestamp, sources: [.receivedAt]),
            .init(name: "address", type: .varchar(45), sources: [.clientAddress]),
            .init(name: "agent", type: .varchar(65_535), sources: [.userAgent]),
            .init(name: "referer", type: .varchar(65_535), sources: [.referer]),
            .init(name: "rest", type: .super, sources: [.rest]),
        ])
        let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
        let long = String(repeating: "x", count: 90)
        for letter in letters {
            let wider = Schema.Column(
                name: long + letter, type: .timestamp, sources: [.query(letter)])
            if Schema(columns: schema.columns + [wider]).flaws().isEmpty {
                schema.columns.append(wider)
            }
        }
        try #require(schema.columns.count > 20 && schema.flaws().isEmpty)
        return schema
    }

    @Test func `short parameters under long column names stay within the room`() throws {
        let schema = try Self.heaviest()
        let rows = Rows(schema)
        var hit = SampleHit("/?")
        for column in schema.columns {
            if case .query(let key) = column.sources[0] { hit.target += Array("\(key)=0&".utf8) }
        }
        hit.address = [0x20, 0x01] + [UInt8](repeating: 0xAB, count: 14)
        let bare = rows.encode(hit)
        #expect(bare.result.byteCount <= 6 * hit.target.count + schema.rowOverheadBytes)
        while hit.target.count < Limits.requestHeadBytesMax { hit.target.append(1) }
        let full = rows.encode(hit)
        try #require(parsedRow(full.row) != nil)
        #expect(full.result.byteCount + 16 <= RowEncoder.rowBytesMax && rows.isWithinRoom)
    }

    @Test func `a row is never longer than six times its request and the schema's overhead`() throws
    {
        var random = SeededDice(seed: 4)
        for schema in [SchemaFile.standard.schema, Self.awkward, try Self.heaviest()] {
            let rows = Rows(schema)
            for _ in 0..<3000 {
                let pieces = ["&", "=", "a", "b", "c", "x", "1", "\u{1}", "%01", "t=1", "\"", "0"]
                let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                    pieces.randomElement(using: &random)!
                }.joined()
                let hit = SampleHit("/?" + text)
                let (result, row) = rows.encode(hit)
                if result.kind == .good {
                    try #require(
                        row.count <= 6 * hit.target.count + schema.rowOverheadBytes, "\(text)")
                }
            }
        }
    }

    @Test func `a hit larger than a request head is kept, cut, as a bad row`() throws {
        let rows = Rows(SchemaFile.standard.schema)
        var hit = SampleHit("/?event=")
        hit.target += [UInt8](repeating: 1, count: 60_000)
        hit.userAgent = [UInt8](repeating: 1, count: 4000)
        let (result, row) = rows.encode(hit)
        #expect(result.kind == .bad && result.reason == .oversizedHit && rows.isWithinRoom)
        let object = try #require(parsedRow(row))
        #expect((object["raw"] as? String)?.utf8.count == 65_532)
        #expect((object["user_agent"] as? String)?.utf8.count == 2048)
        let opaque = rows.encodeOpaque(hit.framed)
        #expect(parsedRow(opaque.row) != nil && rows.isWithinRoom)
    }
}
