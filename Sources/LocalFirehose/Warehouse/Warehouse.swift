import CSQLite
import Platform

/// Bounds of loading.
enum Loading {
    /// COPY takes no JSON object longer than this.
    static let lineBytesMax = 4 << 20
    /// How much of a rejected line is kept, as in Redshift's STL_LOAD_ERRORS.
    static let rawLineBytesMax = 1024
    /// Rejected lines kept of one object; further ones are only counted.
    static let errorsPerObjectMax = 1000
}

/// The embedded warehouse: the tables of good and bad rows, which objects were loaded, and which
/// lines were refused. One writing connection; readers see the last commit (WAL).
final class Warehouse {
    /// Which of the two tables a stream's rows go to.
    enum Destination { case good, bad }

    let database: Database
    private let good: RowInserter
    private let bad: RowInserter
    private let goodName: String
    private let badName: String
    private let isLoadedStatement: Statement
    private let loadedStatement: Statement
    private let errorStatement: Statement

    init(
        path: String, good goodTable: WarehouseTable, bad badTable: WarehouseTable
    ) throws(DatabaseFailure) {
        database = try Database(path: path, access: .readWrite)
        try database.run("PRAGMA journal_mode = WAL")
        // A transaction survives the death of the process as soon as it is in the log; what NORMAL
        // leaves out is only the log's fsync at each commit.
        try database.run("PRAGMA synchronous = NORMAL")
        // Small, so that a large load spills to the log as it goes and its commit stays short.
        try database.run("PRAGMA cache_size = -4096")
        try Self.makeTables([goodTable, badTable], in: database)
        good = try RowInserter(table: goodTable, database: database)
        bad = try RowInserter(table: badTable, database: database)
        goodName = goodTable.name
        badName = badTable.name
        isLoadedStatement = try database.prepare(
            "SELECT 1 FROM _loaded_objects WHERE object = ?")
        loadedStatement = try database.prepare(
            "INSERT INTO _loaded_objects (object, table_name, rows, rejected, loaded_at) "
                + "VALUES (?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))")
        errorStatement = try database.prepare(
            "INSERT INTO load_errors (object, table_name, line_number, column_name, reason, "
                + "raw_line, at) VALUES (?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))")
    }

    private static func makeTables(
        _ tables: [WarehouseTable], in database: Database
    ) throws(DatabaseFailure) {
        try database.run(
            """
            CREATE TABLE IF NOT EXISTS _loaded_objects (
                object TEXT PRIMARY KEY,
                table_name TEXT NOT NULL,
                rows INTEGER NOT NULL,
                rejected INTEGER NOT NULL,
                loaded_at TEXT NOT NULL
            ) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS load_errors (
                object TEXT NOT NULL,
                table_name TEXT NOT NULL,
                line_number INTEGER NOT NULL,
                column_name TEXT,
                reason TEXT NOT NULL,
                raw_line TEXT,
                at TEXT NOT NULL
            )
            """)
        for table in tables {
            try database.run(table.ddl)
            try addMissingColumns(of: table, in: database)
        }
    }

    /// A schema that grew: the table grows with it. SQLite adds no NOT NULL column to a table with
    /// rows, so the new column takes NULL, and the loader alone enforces what is required.
    private static func addMissingColumns(
        of table: WarehouseTable, in database: Database
    ) throws(DatabaseFailure) {
        let quoted = WarehouseTable.quoted(table.name)
        let info = try database.prepare("SELECT name FROM pragma_table_info(?)")
        info.bind(table.name, at: 1)
        var present: Set<String> = []
        while try info.step() {
            if case .text(let name) = info.value(0) { present.insert(name.lowercased()) }
        }
        for column in table.columns where !present.contains(column.name.lowercased()) {
            try database.run(
                "ALTER TABLE \(quoted) ADD COLUMN \(WarehouseTable.quoted(column.name)) "
                    + column.sqliteType)
        }
    }

    // MARK: Loading

    func isLoaded(_ object: String) throws(DatabaseFailure) -> Bool {
        isLoadedStatement.bind(object, at: 1)
        defer { isLoadedStatement.reset() }
        return try isLoadedStatement.step()
    }

    func begin() throws(DatabaseFailure) { try database.run("BEGIN IMMEDIATE") }
    func commit() throws(DatabaseFailure) { try database.run("COMMIT") }

    /// Also right after a failure that ended the transaction by itself.
    func rollBack() {
        if database.isInTransaction { try? database.run("ROLLBACK") }
    }

    /// Ends a transaction that is under way, and moves the log into the database, so that a
    /// stopped cluster leaves one file. Failing is no harm: the next opener does it.
    func settle() {
        rollBack()
        try? database.run("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    func insert(
        _ line: UnsafeRawBufferPointer, into destination: Destination
    ) throws(DatabaseFailure) -> RowInserter.Rejection? {
        try (destination == .good ? good : bad).insert(line)
    }

    func recordError(
        object: String, destination: Destination, line: Int, _ rejection: RowInserter.Rejection,
        raw: UnsafeRawBufferPointer
    ) throws(DatabaseFailure) {
        let shown = raw.prefix(Loading.rawLineBytesMax)
        errorStatement.clear()
        errorStatement.bind(object, at: 1)
        errorStatement.bind(name(of: destination), at: 2)
        errorStatement.bind(Int64(line), at: 3)
        if let column = rejection.column { errorStatement.bind(column, at: 4) }
        errorStatement.bind(rejection.reason, at: 5)
        errorStatement.bind(String(decoding: shown, as: UTF8.self), at: 6)
        try errorStatement.runAndReset()
    }

    func recordLoaded(
        object: String, destination: Destination, rows: Int, rejected: Int
    ) throws(DatabaseFailure) {
        loadedStatement.bind(object, at: 1)
        loadedStatement.bind(name(of: destination), at: 2)
        loadedStatement.bind(Int64(rows), at: 3)
        loadedStatement.bind(Int64(rejected), at: 4)
        try loadedStatement.runAndReset()
    }

    private func name(of destination: Destination) -> String {
        destination == .good ? goodName : badName
    }
}
