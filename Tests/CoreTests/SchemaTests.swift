import Core
import Testing

@Suite struct SchemaTests {
    static let id = Schema.Column(
        name: "id", type: .varchar(36), sources: [.hitID], required: true)

    static func flaws(_ columns: Schema.Column...) -> [Schema.Flaw] {
        Schema(columns: [id] + columns).flaws()
    }

    @Test func `a schema of an id alone is enough`() {
        #expect(Schema(columns: [Self.id]).flaws().isEmpty)
        #expect(Schema(columns: []).flaws().map(\.problem) == ["no column holds the hit id"])
        #expect(
            Schema(columns: [.init(name: "id", type: .varchar(36))]).flaws().map(\.problem)
                == ["no column holds the hit id"])
    }

    @Test(arguments: [
        "", "Id", "1st", "a-b", "a b", "é", "a.b", "\"", String(repeating: "n", count: 128),
    ])
    func `what is no identifier names nothing`(name: String) {
        let problem = "\"\(name)\" cannot be a column name"
        #expect(
            Self.flaws(.init(name: name, type: .integer, sources: [.query("k")])).map(\.problem)
                == [problem])
        #expect(
            Schema(columns: [Self.id], table: name).flaws().map(\.place) == [.table])
        #expect(
            Schema(columns: [Self.id], badTable: name).flaws().map(\.place) == [.badTable])
    }

    @Test func `names may be long, reserved words and begin with an underscore`() {
        for name in ["order", "column", "_1", String(repeating: "n", count: 127)] {
            #expect(Self.flaws(.init(name: name, type: .integer)).isEmpty)
        }
    }

    @Test func `names, sources and the rest are used once`() {
        #expect(
            Self.flaws(.init(name: "id", type: .integer, sources: [.query("x")]))
                == [
                    .init(
                        .column(1, .name), "column \"id\" is defined twice",
                        "rename or remove one of them")
                ])
        #expect(
            Self.flaws(
                .init(name: "a", type: .integer),
                .init(name: "b", type: .integer, sources: [.query("a")])
            ).map(\.problem) == ["column \"b\": query:a is already the source of \"a\""])
        #expect(
            Self.flaws(
                .init(name: "a", type: .super, sources: [.rest]),
                .init(name: "b", type: .super, sources: [.rest])
            ).map(\.problem) == ["column \"b\": a second rest column"])
        #expect(
            Self.flaws(.init(name: "a", type: .varchar(9), sources: [.referer, .referer])).map(
                \.place)
                == [.column(1, .source)])
    }

    @Test(arguments: [
        (Schema.ColumnType.varchar(0), Schema.Source.query("k"), false),
        (.varchar(1), .query("k"), true), (.varchar(65_535), .query("k"), true),
        (.varchar(65_536), .query("k"), false), (.varchar(36), .hitID, true),
        (.varchar(35), .hitID, false), (.integer, .hitID, false), (.timestamp, .receivedAt, true),
        (.varchar(40), .receivedAt, false), (.varchar(45), .clientAddress, true),
        (.varchar(44), .clientAddress, false), (.varchar(9), .userAgent, true),
        (.integer, .userAgent, false), (.varchar(9), .referer, true), (.boolean, .referer, false),
        (.varchar(9), .visitorCookie, true), (.bigint, .visitorCookie, false),
        (.super, .rest, true), (.varchar(9), .rest, false), (.super, .query("k"), false),
        (.super, .userAgent, false), (.double, .query("k"), true), (.timestamp, .query("k"), true),
    ])
    func `a type must hold what its source gives`(
        type: Schema.ColumnType, source: Schema.Source, isFine: Bool
    ) {
        let column = Schema.Column(name: "c", type: type, sources: [source])
        // The second hit id is a flaw of its own.
        let schema = Schema(columns: (source == .hitID ? [] : [Self.id]) + [column])
        let onType = schema.flaws().filter {
            if case .column(_, .type) = $0.place { true } else { false }
        }
        #expect(onType.isEmpty == isFine, "\(onType)")
        #expect(schema.flaws().count == onType.count)
    }

    @Test func `sources have bounds`() {
        #expect(
            Self.flaws(.init(name: "a", type: .integer, sources: [])).map(\.problem) == [
                "column \"a\": no source"
            ])
        #expect(Self.flaws(.init(name: "a", type: .integer, sources: [.query("")])).count == 1)
        let long = String(repeating: "k", count: 128)
        #expect(Self.flaws(.init(name: "a", type: .integer, sources: [.query(long)])).count == 1)
        let nine = (0..<9).map { Schema.Source.query("k\($0)") }
        #expect(
            Self.flaws(.init(name: "a", type: .integer, sources: nine)).map(\.problem) == [
                "column \"a\": 9 sources"
            ])
        #expect(
            Self.flaws(.init(name: "a", type: .varchar(45), sources: [.query("k"), .receivedAt]))
                .contains {
                    $0.problem == "column \"a\": received_at cannot be one of several sources"
                })
        #expect(
            Self.flaws(.init(name: "a", type: .super, sources: [.rest], required: true)).map(
                \.place)
                == [.column(1, .required)])
    }

    @Test func `keys name columns that can be keys`() {
        func flaws(_ key: String?, _ sort: [String]) -> [Schema.Flaw.Place] {
            Schema(
                columns: [Self.id, .init(name: "s", type: .super, sources: [.rest])],
                distributionKey: key, sortKey: sort
            ).flaws().map(\.place)
        }
        #expect(flaws("id", ["id"]) == [])
        #expect(flaws("x", ["y", "s"]) == [.distributionKey, .sortKey, .sortKey])
        #expect(flaws(nil, ["id", "id"]) == [.sortKey])
        #expect(
            Schema(columns: [Self.id], table: "t", badTable: "t").flaws().map(\.place) == [
                .badTable
            ])
    }

    @Test func `a schema has at most 256 columns and no more names than a frame can bear`() {
        func schema(_ count: Int, _ suffix: String = "", key: String = "key_of_") -> Schema {
            Schema(
                columns: [Self.id]
                    + (1..<count).map {
                        .init(
                            name: "c\($0)" + suffix, type: .varchar(9),
                            sources: [.query(key + "\($0)")])
                    })
        }
        #expect(schema(256).flaws().isEmpty)
        #expect(schema(257).flaws().map(\.problem) == ["257 columns"])
        let long = String(repeating: "n", count: 100)
        #expect(schema(30, long, key: "").flaws().map(\.place) == [.columns])
        #expect(schema(30, long, key: String(repeating: "k", count: 20)).flaws().isEmpty)
        // All rows of a frame fit one Firehose record, whatever the schema.
        #expect(RowEncoder.frameRowsBytesMax + 4096 <= Limits.firehoseRecordBytesMax)
    }

    @Test func `types and sources read as they are written`() {
        for type in [
            Schema.ColumnType.varchar(7), .integer, .bigint, .double, .boolean, .timestamp, .super,
        ] {
            #expect(Schema.ColumnType(type.description) == type)
        }
        #expect(Schema.ColumnType("VARCHAR ( 12 )") == .varchar(12))
        for text in [
            "", "varchar", "varchar()", "varchar(-1)", "varchar(1", "varchar(x)", "int",
            "varchar(٣)",
        ] {
            #expect(Schema.ColumnType(text) == nil, "\(text)")
        }
        for source in [
            Schema.Source.hitID, .receivedAt, .clientAddress, .userAgent, .referer, .visitorCookie,
            .query("a:b"), .rest,
        ] {
            #expect(Schema.Source(source.description) == source)
        }
        #expect(Schema.Source("uid") == nil && Schema.Source("Query:uid") == nil)
    }

    static let small = Schema(
        columns: [
            id, .init(name: "order", type: .integer, required: true),
            .init(name: "at", type: .timestamp, sources: [.receivedAt], required: true),
            .init(name: "big", type: .bigint), .init(name: "d", type: .double),
            .init(name: "b", type: .boolean),
            .init(name: "extra", type: .super, sources: [.rest]),
        ], distributionKey: "order", sortKey: ["at", "order"])

    @Test func `the tables of the embedded warehouse`() {
        #expect(
            Self.small.sqliteDDL == """
                CREATE TABLE IF NOT EXISTS "events" (
                    "id" TEXT NOT NULL,
                    "order" INTEGER NOT NULL,
                    "at" TEXT NOT NULL,
                    "big" INTEGER,
                    "d" REAL,
                    "b" INTEGER,
                    "extra" TEXT
                );

                """)
        #expect(
            Self.small.sqliteBadDDL == """
                CREATE TABLE IF NOT EXISTS "bad_events" (
                    "id" TEXT,
                    "received_at" TEXT,
                    "reason" TEXT,
                    "column" TEXT,
                    "client_address" TEXT,
                    "user_agent" TEXT,
                    "raw" TEXT
                );

                """)
    }

    @Test func `the tables for Redshift`() {
        #expect(
            Self.small.redshiftDDL == """
                CREATE TABLE IF NOT EXISTS "events" (
                    "id" VARCHAR(36) NOT NULL,
                    "order" INTEGER NOT NULL,
                    "at" TIMESTAMP NOT NULL,
                    "big" BIGINT,
                    "d" DOUBLE PRECISION,
                    "b" BOOLEAN,
                    "extra" SUPER
                )
                DISTSTYLE KEY DISTKEY ("order")
                COMPOUND SORTKEY ("at", "order");

                """)
        #expect(
            Self.small.redshiftBadDDL.hasSuffix(
                "\"raw\" VARCHAR(65535)\n)\nSORTKEY (\"received_at\");\n"))
        #expect(Self.small.columnList == #""id", "order", "at", "big", "d", "b", "extra""#)
        #expect(!Schema(columns: [Self.id]).redshiftDDL.contains("KEY"))
    }
}
