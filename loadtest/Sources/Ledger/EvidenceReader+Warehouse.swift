import CSQLite
import Platform

/// A warehouse in one SQLite file: the embedded one, or another with such tables.
extension EvidenceReader {
    /// Tables are known by their columns: "id" and, for bad rows, "raw" in base64; for good ones any
    /// text that holds the label.
    func readWarehouse(_ path: String) {
        do throws(QueryFailure) {
            let database = try QuietDatabase(path: path)
            // One moment for all tables, whatever a loader does meanwhile.
            try database.run("BEGIN")
            var tables = 0
            for table in try tableNames(database) {
                if try readTable(table, database) { tables += 1 }
            }
            if tables == 0 {
                didFail(path, "no table has the columns of rows: id, and extra or raw")
            }
            didRead(Self.fileSize(path))
        } catch {
            didFail(path, error.reason)
        }
    }

    private func tableNames(_ database: QuietDatabase) throws(QueryFailure) -> [String] {
        var names: [String] = []
        let query = try database.prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        while try query.step() { names.append(query.text(0)) }
        return names
    }

    /// False when it is no table of rows.
    private func readTable(
        _ table: String, _ database: QuietDatabase
    ) throws(QueryFailure) -> Bool {
        var columns: [String] = []
        let query = try database.prepare("PRAGMA table_info(\(quoted(table)))")
        while try query.step() {
            let type = query.text(2).uppercased()
            let isText = type.isEmpty || type.contains("TEXT") || type.contains("CHAR")
            if isText || type.contains("SUPER") || type.contains("JSON") {
                columns.append(query.text(1))
            }
        }
        if columns.contains("raw_line"), !columns.contains("id") {
            try readLoadErrors(table, database)
            return false
        }
        guard columns.contains("id") else { return false }
        columns.removeAll { $0 == "id" }
        if columns.contains("raw") { columns = ["raw"] }
        guard !columns.isEmpty else { return false }
        try readRows(table, columns, database)
        return true
    }

    private func readRows(
        _ table: String, _ columns: [String], _ database: QuietDatabase
    ) throws(QueryFailure) {
        let isRaw = columns == ["raw"]
        // The catch-all is mostly last; the column of the last label is asked first.
        let names = (["id"] + columns.reversed()).map(quoted).joined(separator: ", ")
        let query = try database.prepare("SELECT \(names) FROM \(quoted(table))")
        var scanner = RowScanner()
        var likely = 1
        while try query.step() {
            var row = scanner.scanFields(
                id: query.bytes(0), rest: query.bytes(likely), isRaw: isRaw)
            if row.label == nil {
                for column in 1..<(columns.count + 1) where column != likely {
                    row = scanner.scanFields(
                        id: query.bytes(0), rest: query.bytes(column), isRaw: isRaw)
                    if row.label != nil {
                        likely = column
                        break
                    }
                }
            }
            join.take(row, from: .warehouse)
        }
    }

    /// Rows that an object has and the loader refused: not in the warehouse, and worth knowing of.
    private func readLoadErrors(
        _ table: String, _ database: QuietDatabase
    ) throws(QueryFailure) {
        let query = try database.prepare(
            "SELECT count(*) FROM \(quoted(table)) WHERE raw_line LIKE '%\"_hl\"%'")
        guard try query.step(), query.integer(0) > 0 else { return }
        notes.append(
            "\(query.integer(0)) rows with a label were refused by the warehouse: see its table "
                + table)
    }

    private func quoted(_ name: String) -> String {
        "\""
            + name.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}

/// What SQLite refused, in its words.
struct QueryFailure: Error {
    var reason: String
}

/// A SQLite connection that only reads, beside whoever writes.
final class QuietDatabase {
    private var raw: OpaquePointer?

    init(path: String) throws(QueryFailure) {
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        try check(sqlite3_open_v2(path, &raw, flags, nil))
        sqlite3_busy_timeout(raw, 5000)
    }

    deinit { sqlite3_close_v2(raw) }

    func run(_ sql: String) throws(QueryFailure) {
        try check(sqlite3_exec(raw, sql, nil, nil, nil))
    }

    func prepare(_ sql: String) throws(QueryFailure) -> Query {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(raw, sql, -1, &statement, nil))
        return Query(statement, of: self)
    }

    fileprivate func check(_ status: Int32) throws(QueryFailure) {
        if status == SQLITE_OK || status == SQLITE_ROW || status == SQLITE_DONE { return }
        let words = raw == nil ? sqlite3_errstr(status) : sqlite3_errmsg(raw)
        throw QueryFailure(reason: words.map { String(cString: $0) } ?? "SQLite \(status)")
    }
}

/// A prepared query. Columns count from 0.
final class Query {
    private let raw: OpaquePointer?
    private let database: QuietDatabase

    fileprivate init(_ raw: OpaquePointer?, of database: QuietDatabase) {
        self.raw = raw
        self.database = database
    }

    deinit { sqlite3_finalize(raw) }

    /// True when there is a row.
    func step() throws(QueryFailure) -> Bool {
        let status = sqlite3_step(raw)
        try database.check(status)
        return status == SQLITE_ROW
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(raw, column) }

    func text(_ column: Int32) -> String {
        sqlite3_column_text(raw, column).map { String(cString: $0) } ?? ""
    }

    /// Valid until the next step.
    func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        let text = sqlite3_column_text(raw, Int32(column))
        return UnsafeBufferPointer(
            start: text, count: Int(sqlite3_column_bytes(raw, Int32(column))))
    }
}
