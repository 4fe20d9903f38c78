import Glibc
import TestSupport
import Testing

@testable import LocalFirehose

@Suite struct QueryTests {
    let folder = TemporaryFolder()
    let counters = OwnCounters()

    private func ask(_ sql: String, _ format: QueryFormat = .table) throws -> String {
        var out = ""
        try WarehouseQuery.run(sql, dataFolder: folder.path, format: format) { out += $0 }
        return out
    }

    private func fill() throws -> StreamStore {
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1) + row(2) + row(3, event: "click"), to: "good")
        store.finishAll()
        return store
    }

    @Test func `a table is aligned, numbers to the right, NULL told from text`() throws {
        let store = try fill()
        #expect(
            try ask("select event, count(*) as n, max(value) as v from events group by 1") == """
                event  n  v
                -----  -  ----
                click  1  NULL
                load   2  NULL
                (2 rows)

                """)
        #expect(
            try ask("select 1 as number, 'é' as text union all select 1000, 'x'") == """
                number  text
                ------  ----
                     1  é
                  1000  x
                (2 rows)

                """)
        #expect(try ask("select * from bad_events") == "reason\n------\n(0 rows)\n")
        withExtendedLifetime(store) {}
    }

    @Test func `a terminal is not commanded by what a stranger sent`() throws {
        let store = try fill()
        let out = try ask("select char(27) || '[2J' || char(10) || char(8238) || char(155) as x")
        #expect(out.contains("\\u{1b}[2J\\n\\u{202e}\\u{9b}"))
        withExtendedLifetime(store) {}
    }

    @Test func `more rows than are measured are all printed`() throws {
        let store = try fill()
        let out = try ask(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500) "
                + "select i from n")
        #expect(out.hasSuffix("\n2500\n(2500 rows)\n"))
        #expect(out.split(separator: "\n").count == 2503)
        withExtendedLifetime(store) {}
    }

    @Test func `JSON has real numbers, null and distinct keys`() throws {
        let store = try fill()
        #expect(
            try ask("select 1 as a, 2.5 as a, null as b, 'x\"<' as c, x'00ff' as d", .json)
                == "[\n{\"a\":1,\"a:1\":2.5,\"b\":null,\"c\":\"x\\\"\\u003c\",\"d\":\"00ff\"}\n]\n")
        #expect(try ask("select 1 where 0", .json) == "[]\n")
        #expect(
            try ask("select 9e999 as x, 9223372036854775807 as y", .json)
                == "[\n{\"x\":null,\"y\":9223372036854775807}\n]\n")
        withExtendedLifetime(store) {}
    }

    @Test func `CSV is RFC 4180`() throws {
        let store = try fill()
        #expect(
            try ask(
                "select 1 as \"a,b\", 'x\"y' as c, 'l' || char(10) as d, null as e, '' as f", .csv)
                == "\"a,b\",c,d,e,f\r\n1,\"x\"\"y\",\"l\n\",,\"\"\r\n")
        withExtendedLifetime(store) {}
    }

    @Test(arguments: [
        "delete from events", "insert into events values (1,2,3,4,5,6)", "drop table events",
        "create table x (a)", "pragma journal_mode = delete", "vacuum",
        "attach '/tmp/hydrant-other.db' as o", "select 1; delete from events", "", "-- nothing",
        "select nothing from nowhere",
    ])
    func `what does not only read one thing is refused, and changes nothing`(sql: String) throws {
        let store = try fill()
        #expect(throws: QueryFailure.self) { try ask(sql) }
        #expect(try store.rows("SELECT count(*) FROM events") == [[.integer(3)]])
    }

    @Test func `a comment or blanks may follow the statement`() throws {
        let store = try fill()
        #expect(try ask("select 1 as a ; -- that is all\n ", .csv) == "a\r\n1\r\n")
        withExtendedLifetime(store) {}
    }

    @Test func `a stopped cluster's warehouse is read too`() throws {
        do { _ = try fill() }
        #expect(try ask("select count(*) as n from events", .csv) == "n\r\n3\r\n")
    }

    @Test func `without a warehouse the error says where one was looked for`() throws {
        let failure = #expect(throws: QueryFailure.self) { try ask("select 1") }
        #expect("\(failure!)".contains(folder.path + "/warehouse.db"))
        try Files.replace(folder.path + "/warehouse.db", with: Array(repeating: 0x41, count: 5000))
        let other = #expect(throws: QueryFailure.self) { try ask("select 1") }
        #expect("\(other!)".contains("cannot read"))
    }
}
