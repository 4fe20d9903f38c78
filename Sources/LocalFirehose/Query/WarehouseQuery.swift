import CSQLite
import Core

/// Why a query could not be answered.
public enum QueryFailure: Error, CustomStringConvertible {
    case noWarehouse(path: String)
    case unreadable(path: String, reason: String)
    case sql(String)
    case notReadOnly
    case severalStatements

    public var description: String {
        switch self {
        case .noWarehouse(let path): "there is no warehouse at \(path)"
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .sql(let message): message
        case .notReadOnly: "only statements that read are allowed here"
        case .severalStatements: "one statement at a time"
        }
    }
}

/// Runs one reading statement on a warehouse, beside a running cluster or without one.
public struct WarehouseQuery {
    /// - Parameters:
    ///   - dataFolder: holds `warehouse.db`.
    ///   - output: takes pieces of text as they come.
    public static func run(
        _ sql: String, dataFolder: String, format: QueryFormat, output: (String) -> Void
    ) throws(QueryFailure) {
        let path = dataFolder + "/warehouse.db"
        if !Files.exists(path) { throw .noWarehouse(path: path) }
        let database: Database
        do throws(DatabaseFailure) {
            database = try Database(path: path, access: .readOnly)
            // Before any table is touched, so that a file that is no database is told apart from
            // a mistake in the statement.
            _ = try database.integer("SELECT count(*) FROM sqlite_schema")
        } catch {
            throw .unreadable(path: path, reason: error.message)
        }
        // ATTACH counts as reading, yet it opens other files.
        sqlite3_limit(database.raw, SQLITE_LIMIT_ATTACHED, 0)
        sqlite3_busy_timeout(database.raw, 5000)
        let statement = try prepare(sql, in: database)
        var printer: any RowPrinter =
            switch format {
            case .table: TableRows()
            case .json: JSONRows()
            case .csv: CSVRows()
            }
        do throws(DatabaseFailure) {
            try print(statement, with: &printer, output)
        } catch {
            throw .sql(error.message)
        }
    }

    private static func prepare(
        _ sql: String, in database: Database
    ) throws(QueryFailure) -> Statement {
        var raw: OpaquePointer?
        var hasMore = false
        let status = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let status = sqlite3_prepare_v2(database.raw, text, -1, &raw, &tail)
            // What follows may be blanks and comments, but no second statement.
            var second: OpaquePointer?
            if let tail, status == SQLITE_OK {
                let follows = sqlite3_prepare_v2(database.raw, tail, -1, &second, nil)
                hasMore = second != nil || follows != SQLITE_OK
                sqlite3_finalize(second)
            }
            return status
        }
        if status != SQLITE_OK { throw .sql(String(cString: sqlite3_errmsg(database.raw))) }
        guard let raw else { throw .sql("the statement is empty") }
        let statement = Statement(raw, of: database)
        if hasMore { throw .severalStatements }
        if sqlite3_stmt_readonly(raw) == 0 { throw .notReadOnly }
        return statement
    }

    private static func print(
        _ statement: Statement, with printer: inout any RowPrinter, _ output: (String) -> Void
    ) throws(DatabaseFailure) {
        output(printer.begin(columns: (0..<statement.columnCount).map(statement.columnName)))
        while try statement.step() {
            output(printer.row((0..<statement.columnCount).map(statement.value)))
        }
        output(printer.end())
    }
}
