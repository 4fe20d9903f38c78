import CSQLite

/// What SQLite refused: its code, its words, and what was being done.
public struct DatabaseFailure: Error, CustomStringConvertible {
    public let code: Int32
    public let message: String
    public let doing: String

    public var description: String { "\(doing): \(message) (SQLite \(code))" }
    /// Another connection holds the lock: the same call may succeed later.
    var isBusy: Bool { code & 0xff == SQLITE_BUSY || code & 0xff == SQLITE_LOCKED }
}

/// One SQLite connection. A class because statements and owners share it; used by one thread.
public final class Database {
    let raw: OpaquePointer
    public let path: String

    public enum Access { case readOnly, readWrite }

    public init(path: String, access: Access) throws(DatabaseFailure) {
        var raw: OpaquePointer?
        let flags =
            access == .readOnly
            ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let status = sqlite3_open_v2(path, &raw, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard status == SQLITE_OK, let raw else {
            let message = String(cString: raw == nil ? sqlite3_errstr(status) : sqlite3_errmsg(raw))
            sqlite3_close_v2(raw)
            throw DatabaseFailure(code: status, message: message, doing: "open \(path)")
        }
        sqlite3_extended_result_codes(raw, 1)
        self.raw = raw
        self.path = path
    }

    deinit { sqlite3_close_v2(raw) }

    func check(_ status: Int32, _ doing: @autoclosure () -> String) throws(DatabaseFailure) {
        if status == SQLITE_OK || status == SQLITE_DONE || status == SQLITE_ROW { return }
        throw DatabaseFailure(
            code: status, message: String(cString: sqlite3_errmsg(raw)), doing: doing())
    }

    /// Runs statements that give no rows, or whose rows are of no interest.
    public func run(_ sql: String) throws(DatabaseFailure) {
        try check(sqlite3_exec(raw, sql, nil, nil, nil), sql)
    }

    public func prepare(_ sql: String) throws(DatabaseFailure) -> Statement {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(raw, sql, -1, &statement, nil), sql)
        guard let statement else {
            throw DatabaseFailure(code: SQLITE_ERROR, message: "empty statement", doing: sql)
        }
        return Statement(statement, of: self)
    }

    /// The first column of the first row; nil when there is no row.
    public func integer(_ sql: String, _ text: String? = nil) throws(DatabaseFailure) -> Int64? {
        let statement = try prepare(sql)
        if let text { statement.bind(text, at: 1) }
        return try statement.step() ? statement.integer(0) : nil
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(raw) == 0 }
}

/// A prepared statement.
public final class Statement {
    let raw: OpaquePointer
    /// Keeps the connection open as long as its statements live.
    private let database: Database

    init(_ raw: OpaquePointer, of database: Database) {
        self.raw = raw
        self.database = database
    }

    deinit { sqlite3_finalize(raw) }

    /// True when there is a row.
    public func step() throws(DatabaseFailure) -> Bool {
        let status = sqlite3_step(raw)
        try database.check(status, sql)
        return status == SQLITE_ROW
    }

    /// For statements without rows: run and be ready for the next.
    func runAndReset() throws(DatabaseFailure) {
        let status = sqlite3_step(raw)
        sqlite3_reset(raw)
        try database.check(status, sql)
    }

    var sql: String { sqlite3_sql(raw).map { String(cString: $0) } ?? "" }

    // MARK: Binding, from 1

    func bind(_ text: String, at index: Int32) {
        var text = text
        text.withUTF8 { bytes in
            _ = bytes.withMemoryRebound(to: CChar.self) {
                sqlitex_bind_text(raw, index, $0.baseAddress ?? Self.empty, Int32($0.count))
            }
        }
    }

    /// The bytes must stay in place until the statement has run.
    func bind(unmoved bytes: UnsafePointer<CChar>, _ count: Int, at index: Int32) {
        sqlite3_bind_text(raw, index, bytes, Int32(count), nil)
    }

    func bind(copying bytes: UnsafePointer<CChar>, _ count: Int, at index: Int32) {
        _ = sqlitex_bind_text(raw, index, bytes, Int32(count))
    }

    func bind(_ value: Int64, at index: Int32) { sqlite3_bind_int64(raw, index, value) }
    func bind(_ value: Double, at index: Int32) { sqlite3_bind_double(raw, index, value) }
    func clear() { sqlite3_clear_bindings(raw) }
    func reset() { sqlite3_reset(raw) }

    // MARK: Reading, from 0

    public var columnCount: Int { Int(sqlite3_column_count(raw)) }
    public func columnName(_ index: Int) -> String {
        sqlite3_column_name(raw, Int32(index)).map { String(cString: $0) } ?? ""
    }
    func integer(_ index: Int) -> Int64 { sqlite3_column_int64(raw, Int32(index)) }

    /// The value as SQLite holds it.
    func value(_ index: Int) -> DatabaseValue {
        let column = Int32(index)
        switch sqlite3_column_type(raw, column) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(raw, column))
        case SQLITE_FLOAT: return .double(sqlite3_column_double(raw, column))
        case SQLITE_TEXT:
            let bytes = sqlite3_column_text(raw, column)
            let count = Int(sqlite3_column_bytes(raw, column))
            return .text(
                String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            let bytes = sqlite3_column_blob(raw, column)
            let count = Int(sqlite3_column_bytes(raw, column))
            return .blob(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
        default: return .null
        }
    }

    private nonisolated(unsafe) static let empty: UnsafePointer<CChar> = {
        let room = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        room.pointee = 0
        return UnsafePointer(room)
    }()
}

/// A value as SQLite holds it.
enum DatabaseValue: Equatable {
    case null, integer(Int64), double(Double), text(String), blob([UInt8])
}
