import Config
import Core
import Foundation
import Testing

@Suite struct SchemaFileTests {
    static func problems(_ text: String) -> [String] {
        do {
            _ = try SchemaFile(text: text, file: "s.toml")
            return []
        } catch {
            return error.problems.map { problem in
                "\(problem.line.map(String.init) ?? "-"):\(problem.column.map(String.init) ?? "-")"
                    + " \(problem.message) | \(problem.hint)"
            }
        }
    }

    static let idColumn = """
        [[column]]
        name = "id"
        type = "varchar(36)"
        source = "hit_id"

        """

    @Test func `the default schema has the columns an operator expects`() {
        let schema = SchemaFile.standard.schema
        #expect(
            schema.columnNames == [
                "id", "event", "received_at", "client_address", "user_agent", "referer",
                "visitor_id", "campaign", "creative", "placement", "publisher", "url", "viewable",
                "position", "value", "currency", "sent_at", "extra",
            ])
        #expect(
            schema.columns.prefix(3) == [
                .init(name: "id", type: .varchar(36), sources: [.hitID], required: true),
                .init(name: "event", type: .varchar(20), required: true),
                .init(
                    name: "received_at", type: .timestamp, sources: [.receivedAt], required: true),
            ])
        #expect(schema.columns[6].sources == [.query("uid"), .visitorCookie])
        #expect(schema.distributionKey == "event" && schema.sortKey == ["received_at"])
        #expect(schema.table == "events" && schema.badTable == "bad_events")
        #expect(SchemaFile.standard.text == defaultSchemaText)
        let lines = defaultSchemaText.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 100 && !$0.hasPrefix(" ") })
    }

    @Test func `a file's text gives the same schema again`() throws {
        let file = try SchemaFile(
            text: Self.idColumn + "[[column]]\nname='n'\ntype='bigint'", file: "x")
        #expect(try SchemaFile(text: file.text, file: "y") == file)
        #expect(file.schema.columns[1] == .init(name: "n", type: .bigint))
    }

    @Test func `every problem is told at once, in the order of the lines`() {
        let text = """
            tabel = "events"
            distkey = "evnt"
            sortkey = 7

            [[column]]
            name = "id"
            type = "varchar(36)"
            source = "hit_idd"

            [[column]]
              name = "Event"
              type = "varchar(0)"
              requierd = true

            [[column]]
            type = "int"
            required = "yes"

            [[column]]
            name = "uid"
            type = "varchar(64)"
            source = ["uid"]
            """
        #expect(
            Self.problems(text) == [
                "1:1 unknown key \"tabel\" | did you mean \"table\"?",
                "3:11 sortkey is neither a text nor a list of texts"
                    + " | write sortkey = \"…\" or sortkey = [\"…\", \"…\"]",
                "8:10 unknown source \"hit_idd\" | did you mean \"hit_id\"?",
                "11:10 \"Event\" cannot be a column name"
                    + " | use a-z, 0-9 and _, starting with a letter or _, at most 127 bytes",
                "12:10 column \"Event\": varchar(0) is no type | a varchar holds 1 to 65535 bytes",
                "13:3 unknown key \"requierd\" of a column | did you mean \"required\"?",
                "15:1 a column without a name | add name = \"…\"",
                "16:8 unknown type \"int\" | did you mean \"integer\"?",
                "17:12 required is neither true nor false | write required = true, without quotes",
                "22:10 unknown source \"uid\" | for the query parameter of that name write"
                    + " \"query:uid\"; otherwise one of hit_id, received_at, client_address,"
                    + " user_agent, referer, visitor_cookie, query:NAME, rest",
            ])
    }

    @Test func `flaws of a schema are told where they stand`() {
        let text =
            "distkey = \"evnt\"\n" + Self.idColumn + """
                [[column]]
                name = "id"
                type = "integer"

                [[column]]
                name = "extra"
                type = "varchar(9)"
                source = "rest"
                required = true
                """
        #expect(
            Self.problems(text) == [
                "1:11 distkey \"evnt\" is no column | name one of the columns",
                "7:8 column \"id\" is defined twice | rename or remove one of them",
                "12:8 column \"extra\": the rest is a JSON object | make its type \"super\"",
                "14:12 column \"extra\": the rest cannot be required: most hits have no unknown"
                    + " parameters | remove required",
            ])
    }

    @Test(arguments: [
        ("varchar", "write the most bytes it may have: \"varchar(64)\""),
        ("varchar(many)", "write the most bytes it may have: \"varchar(64)\""),
        ("text", "did you mean \"varchar(n)\"?"), ("booleen", "did you mean \"boolean\"?"),
        ("json", "did you mean \"super\"?"), ("TIMESTAMPTZ", "did you mean \"timestamp\"?"),
        (
            "money",
            "the types are varchar(n), integer, bigint, double, boolean, timestamp, super"
        ),
    ])
    func `a wrong type is answered with the right one`(type: String, hint: String) {
        let text = Self.idColumn + "[[column]]\nname = \"n\"\ntype = \"\(type)\"\n"
        #expect(Self.problems(text) == ["7:8 unknown type \"\(type)\" | \(hint)"])
    }

    @Test func `what is no list of columns is said so`() {
        #expect(Self.problems("").map { $0.prefix(14) } == ["-:- no columns"])
        #expect(
            Self.problems("[column]\nname = \"id\"").map { $0.contains("with two brackets") } == [
                true
            ])
        #expect(Self.problems("column = 3").map { $0.hasPrefix("1:1 ") } == [true])
        #expect(Self.problems(Self.idColumn + "source = []").count == 1)
        #expect(Self.problems("[[column]]\nname = 1\ntype = 2\nsource = 3\n").count == 3)
        #expect(Self.problems("name = \"x\n")[0].hasPrefix("1:10 this is not TOML: "))
    }

    @Test func `a text cut at any byte is read or refused with a place`() {
        let bytes = Array(defaultSchemaText.utf8)
        let start = bytes.count - 700
        for cut in start...bytes.count {
            let text = String(decoding: bytes[..<cut], as: UTF8.self)
            do {
                #expect(try SchemaFile(text: text, file: "s").text == text)
            } catch {
                #expect(error.problems.allSatisfy { $0.line != nil }, "\(error)")
            }
        }
    }

    @Test func `files are read, and what cannot be read says why`() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("s.toml").path
        func problem() -> String? {
            do {
                _ = try SchemaFile.load(path: path)
                return nil
            } catch {
                return error.problems.first.map { $0.description }
            }
        }
        #expect(
            problem() == "\(path): error: cannot be read: No such file or directory\n"
                + "  hint: check the path; `hydrant schema show` prints a schema to start from")
        #expect(throws: SchemaProblems.self) { try SchemaFile.load(path: folder.path) }
        try Data(Self.idColumn.utf8).write(to: URL(fileURLWithPath: path))
        #expect(problem() == nil)
        #expect(try SchemaFile.load(path: path).schema.columnNames == ["id"])
        try Data([0x23, 0xFF]).write(to: URL(fileURLWithPath: path))
        #expect(problem()?.contains("is not UTF-8 text") == true)
        try Data([0x23, 0]).write(to: URL(fileURLWithPath: path))
        #expect(problem()?.contains("is not UTF-8 text") == true)
        try Data(repeating: 0x23, count: SchemaFile.bytesMax + 1).write(
            to: URL(fileURLWithPath: path))
        #expect(problem()?.contains("is longer than 1048576 bytes") == true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        #expect(problem()?.hasPrefix("\(path):1:") == true)
    }
}
