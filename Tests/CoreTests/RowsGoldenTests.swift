import Config
import Core
import Testing

/// Rows byte for byte: what the warehouse, the spool and every later reader rely on.
@Suite struct RowsGoldenTests {
    static let id = "01020304-0506-0708-090a-0b0c0d0e0f10"

    @Test func `a small hit under the default schema`() {
        let rows = Rows(SchemaFile.standard.schema)
        #expect(
            rows.text(SampleHit("/1x1.gif?event=load")) == """
                {"id":"01020304-0506-0708-090a-0b0c0d0e0f10","event":"load",\
                "received_at":"2026-11-23 01:02:03.123456","client_address":"192.0.2.7"}

                """)
    }

    @Test func `every column of the default schema, in order, the rest last`() {
        let rows = Rows(SchemaFile.standard.schema)
        var hit = SampleHit(
            "/1x1.gif?cb=912837465&event=view&uid=v-1&campaign=c&creative=k&placement=p"
                + "&publisher=q&url=https%3A%2F%2Fe.example%2F%3Fa%3D1%26b%3D2&viewable=1"
                + "&position=3&value=12.50&currency=EUR&ts=1795395723123&a=x+y")
        hit.userAgent = Array("Mozilla/5.0 \"quoted\"".utf8)
        hit.referer = Array("https://e.example/".utf8)
        hit.cookie = Array("cookie".utf8)
        #expect(
            rows.text(hit) == #"""
                {"id":"01020304-0506-0708-090a-0b0c0d0e0f10","event":"view",\#
                "received_at":"2026-11-23 01:02:03.123456","client_address":"192.0.2.7",\#
                "user_agent":"Mozilla/5.0 \"quoted\"","referer":"https://e.example/",\#
                "visitor_id":"v-1","campaign":"c","creative":"k","placement":"p","publisher":"q",\#
                "url":"https://e.example/?a=1&b=2","viewable":true,"position":3,"value":12.50,\#
                "currency":"EUR","sent_at":"2026-11-23 01:02:03.123000",\#
                "extra":{"cb":"912837465","a":"x y"}}

                """#)
    }

    @Test func `a bad row says who, when, why and holds the exact target`() throws {
        let rows = Rows(SchemaFile.standard.schema)
        var hit = SampleHit("/1x1.gif?x=\"1\"")
        hit.userAgent = Array("UA \"x\"".utf8)
        let (result, row) = rows.encode(hit)
        #expect(result.kind == .bad && result.reason == .missingRequired)
        #expect(
            String(decoding: row, as: UTF8.self) == #"""
                {"id":"01020304-0506-0708-090a-0b0c0d0e0f10",\#
                "received_at":"2026-11-23 01:02:03.123456","reason":"missing_required",\#
                "column":"event","client_address":"192.0.2.7","user_agent":"UA \"x\"",\#
                "raw":"LzF4MS5naWY/eD0iMSI="}

                """#)
        #expect(Set(try #require(parsedRow(row)).keys) == Set(Schema.BadRow.columns.map(\.name)))
    }

    @Test func `a hit that must not be decoded is kept whole`() {
        let rows = Rows(SchemaFile.standard.schema)
        let framed = SampleHit("/?").framed
        let (result, row) = rows.encodeOpaque(framed)
        #expect(result.kind == .bad && result.reason == .crashedWorker)
        #expect(
            String(decoding: row, as: UTF8.self) == """
                {"id":"\(Self.id)","received_at":"2026-11-23 01:02:03.123456",\
                "reason":"crashed_worker",\
                "raw":"NgAAAAEAAQABAgMEBQYHCAkKCwwNDg8QANtOJOdgBgAAAAAAAAAAAAAA///AAAIHAQACAC8/"}

                """)
        #expect(
            String(decoding: rows.encodeOpaque([1, 2, 3]).row, as: UTF8.self)
                == "{\"reason\":\"crashed_worker\",\"raw\":\"AQID\"}\n")
    }

    @Test func `the same hit makes the same bytes whatever came between`() {
        let rows = Rows(SchemaFile.standard.schema)
        let hit = SampleHit("/?event=load&a=1&a=2&%41=3&position=x")
        let first = rows.text(hit)
        var other = SampleHit("/?event=" + String(repeating: "e", count: 40) + "&b&b&b")
        other.receivedAt += 86_400_000_000
        _ = rows.text(other)
        _ = rows.text(SampleHit("/"))
        #expect(rows.text(hit) == first)
    }
}
