// The tables a schema stands for. Every identifier is quoted, so that a column may be called
// "order" or "column".

extension Schema {
    /// The table of good rows in the embedded warehouse (SQLite).
    ///
    /// No CHECK and no length: the worker has already validated, and COPY's rules are the
    /// loader's.
    public var sqliteDDL: String {
        Self.table(
            table,
            columns.map { column in
                "\"\(column.name)\" \(column.type.sqliteType)\(column.notNull)"
            }) + ";\n"
    }

    /// The table of bad rows in the embedded warehouse.
    public var sqliteBadDDL: String {
        Self.table(badTable, BadRow.columns.map { "\"\($0.name)\" \($0.type.sqliteType)" }) + ";\n"
    }

    /// The table of good rows for Redshift.
    public var redshiftDDL: String {
        let lines = columns.map { "\"\($0.name)\" \($0.type.redshiftType)\($0.notNull)" }
        var text = Self.table(table, lines)
        if let distributionKey {
            text += "\nDISTSTYLE KEY DISTKEY (\"\(distributionKey)\")"
        }
        if !sortKey.isEmpty {
            text += "\nCOMPOUND SORTKEY (\(Self.quoted(sortKey)))"
        }
        return text + ";\n"
    }

    /// The table of bad rows for Redshift.
    public var redshiftBadDDL: String {
        Self.table(badTable, BadRow.columns.map { "\"\($0.name)\" \($0.type.redshiftType)" })
            + "\nSORTKEY (\"received_at\");\n"
    }

    /// Quoted names with commas, for COPY and INSERT.
    public var columnList: String { Self.quoted(columnNames) }

    private static func quoted(_ names: [String]) -> String {
        names.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    private static func table(_ name: String, _ lines: [String]) -> String {
        "CREATE TABLE IF NOT EXISTS \"\(name)\" (\n    "
            + lines.joined(separator: ",\n    ") + "\n)"
    }
}

extension Schema {
    /// The columns of a bad row, the same for every schema. Only `reason` is always there: what
    /// could not be decoded at all has nothing else.
    public enum BadRow {
        public static let userAgentBytesMax = 2048
        public static let columns = [
            Column(name: "id", type: .varchar(36), sources: [.hitID], required: true),
            Column(
                name: "received_at", type: .timestamp, sources: [.receivedAt], required: true),
            Column(name: "reason", type: .varchar(64)),
            Column(name: "column", type: .varchar(Limit.nameBytesMax)),
            Column(name: "client_address", type: .varchar(45), sources: [.clientAddress]),
            Column(
                name: "user_agent", type: .varchar(userAgentBytesMax), sources: [.userAgent]),
            Column(name: "raw", type: .varchar(Limit.varcharBytesMax)),
        ]
    }
}

extension Schema.Column {
    fileprivate var notNull: String { required ? " NOT NULL" : "" }
}

extension Schema.ColumnType {
    /// SQLite's storage class. Timestamps are text, which sorts; a super is its JSON text.
    public var sqliteType: String {
        switch self {
        case .varchar, .timestamp, .super: "TEXT"
        case .integer, .bigint, .boolean: "INTEGER"
        case .double: "REAL"
        }
    }

    public var redshiftType: String {
        switch self {
        case .varchar(let bytes): "VARCHAR(\(bytes))"
        case .integer: "INTEGER"
        case .bigint: "BIGINT"
        case .double: "DOUBLE PRECISION"
        case .boolean: "BOOLEAN"
        case .timestamp: "TIMESTAMP"
        case .super: "SUPER"
        }
    }
}
