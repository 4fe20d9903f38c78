import Foundation
import Testing

extension EndToEnd {
    /// Another schema: every type, other names, other required columns.
    @Suite struct SchemaTests {
        private static let columns: [(name: String, type: String, more: String)] = [
            ("key", "varchar(36)", "source = \"hit_id\"\nrequired = true"),
            ("moment", "timestamp", "source = \"received_at\"\nrequired = true"),
            ("kind", "varchar(8)", "required = true"),
            ("price", "double", "required = true"),
            ("n", "integer", ""), ("big", "bigint", ""), ("vip", "boolean", ""),
            ("at", "timestamp", ""), ("text", "varchar(5)", ""),
            ("more", "super", "source = \"rest\""),
        ]
        private static let schema =
            "table = \"sales\"\nbad_table = \"sales_bad\"\n"
            + columns.map {
                "[[column]]\nname = \"\($0.name)\"\ntype = \"\($0.type)\"\n\($0.more)\n"
            }.joined()

        @Test func `rows of another schema are in the objects and in the warehouse`() throws {
            // The operator's starting point is the printed default.
            let printed = try run(binary, ["schema", "show"])
            #expect(printed.status == 0)
            #expect(printed.stdout.contains("varchar(20)"))
            let cluster = try Cluster(
                settings: ["schema=mine.toml"], files: ["mine.toml": Self.schema])
            let good = try cluster.get(
                "/p.gif?kind=buy&n=42&big=9007199254740993&price=12.5&vip=true&at=2026-01-02T03:04:05Z&text=%C3%A9%C3%A9%C3%A9&other=1"
            )
            #expect(good.stdout.hasPrefix("HTTP/1.1 200"), "\(good.stdout)")
            let unconvertible = try cluster.get("/p.gif?kind=buy&n=notanumber&price=1")
            #expect(unconvertible.stdout.hasPrefix("HTTP/1.1 200"))
            let bad = try cluster.get("/p.gif?kind=buy&n=1&price=cheap")
            #expect(bad.stdout.hasPrefix("HTTP/1.1 400"))
            try cluster.flush()

            let rows = try cluster.query("select * from sales order by moment")
            #expect(rows.count == 2)
            let row = try #require(rows.first)
            #expect(row["kind"] as? String == "buy")
            #expect(row["n"] as? Int == 42)
            #expect(row["big"] as? Int == 9_007_199_254_740_993)
            #expect(row["price"] as? Double == 12.5)
            #expect(row["vip"] as? Int == 1)
            #expect(row["at"] as? String == "2026-01-02 03:04:05.000000")
            #expect(row["text"] as? String == "éé", "cut at five bytes, never within a character")
            #expect((row["more"] as? String)?.contains("other") == true)
            #expect(rows[1]["n"] is NSNull)
            #expect((rows[1]["more"] as? String)?.contains("notanumber") == true)
            #expect(try cluster.count("select count(*) from sales_bad") == 1)

            let objects = try run(
                "sh", ["-c", "find var/s3 -name 'hydrant-[0-9]*.gz' | xargs zcat"],
                in: cluster.folder)
            #expect(objects.lines.count == 2)
            #expect(objects.stdout.contains("\"big\":9007199254740993"))
        }

        @Test func `a broken schema stops the start with every fault's place`() throws {
            let cluster = try Cluster(
                settings: ["schema=mine.toml"],
                files: [
                    "mine.toml": "table = \"t\"\n[[column]]\nname = \"id\"\ntype = \"varchar(0)\"\n"
                ],
                start: false)
            let output = try run(binary, ["check"] + cluster.finding, in: cluster.folder)
            #expect(output.status == 78)
            #expect(
                (output.stderr + output.stdout).contains("mine.toml:4"),
                "\(output.stderr)\(output.stdout)")
        }
    }
}
