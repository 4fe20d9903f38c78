import CSQLite

/// Reads the newest rows of the warehouse for the demo page, over its own read-only connection, so
/// that it sees committed rows only.
final class DemoRows {
    static let rowsMax = 50

    private let path: String
    private let tables: [String]
    private var database: Database?

    /// - Parameter tables: those that may be asked for, the good one first.
    init(path: String, tables: [String]) {
        self.path = path
        self.tables = tables
    }

    /// `{"tables":{"events":{"columns":[…],"rows":[[…]…],"last":N}…}}`, newest rows first. "last" is
    /// the newest row's number.
    func json() throws(DatabaseFailure) -> [UInt8] {
        let database = try open()
        var writer = JSONWriter()
        writer.raw("{\"tables\":{")
        for (at, table) in tables.enumerated() {
            if at > 0 { writer.raw(",") }
            writer.write(table)
            writer.raw(":")
            try write(table, of: database, to: &writer)
        }
        writer.raw("}}")
        return writer.bytes
    }

    private func open() throws(DatabaseFailure) -> Database {
        if let database { return database }
        let opened = try Database(path: path, access: .readOnly)
        database = opened
        return opened
    }

    private func write(
        _ table: String, of database: Database, to writer: inout JSONWriter
    ) throws(DatabaseFailure) {
        let statement = try database.prepare(
            "SELECT rowid, * FROM \(WarehouseTable.quoted(table)) ORDER BY rowid DESC "
                + "LIMIT \(Self.rowsMax)")
        let columns = 1..<statement.columnCount
        writer.raw("{\"columns\":")
        writer.write(.array(columns.map { .text(statement.columnName($0)) }))
        writer.raw(",\"rows\":[")
        var last: Int64 = 0
        var isFirst = true
        while try statement.step() {
            last = max(last, statement.integer(0))
            if !isFirst { writer.raw(",") }
            isFirst = false
            writer.write(.array(columns.map { Self.shown(statement.value($0)) }))
        }
        writer.raw("],\"last\":")
        writer.write(.integer(last))
        writer.raw("}")
    }

    /// Long values are cut: the page is for looking at.
    private static func shown(_ value: DatabaseValue) -> JSONValue {
        switch value {
        case .null: .null
        case .integer(let number): .integer(number)
        case .double(let number): .double(number)
        case .text(let text):
            text.utf8.count <= 400 ? .text(text) : .text(text.prefix(400) + "…")
        case .blob(let bytes): .text("\(bytes.count) bytes")
        }
    }
}
