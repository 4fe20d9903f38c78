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

    /// Names for COPY's column list as Firehose takes it: quoted only where they must be.
    public var copyColumns: [String] {
        columnNames.map { Self.redshiftReserved.contains($0) ? "\"\($0)\"" : $0 }
    }

    /// Words that Redshift takes for its own where they stand for a column.
    private static let redshiftReserved = Set(
        """
        aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 \
        backup between binary blanksasnull both bytedict bzip2 case cast check collate column \
        constraint create credentials cross current_date current_time current_timestamp \
        current_user current_user_id default deferrable deflate defrag delta delta32k desc disable \
        distinct do else emptyasnull enable encode encrypt encryption end except explicit false \
        for foreign freeze from full globaldict256 globaldict64k grant group gzip having identity \
        ignore ilike in initially inner intersect interval into is isnull join leading left like \
        limit localtime localtimestamp lun luns lzo lzop minus mostly16 mostly32 mostly8 natural \
        new not notnull null nulls off offline offset oid old on only open or order outer overlaps \
        parallel partition percent permissions pivot placing primary raw readratio recover \
        references rejectlog resort respect restore right select session_user similar snapshot \
        some sysdate system table tag tdes text255 text32k then timestamp to top trailing true \
        truncatecolumns type union unique unnest unpivot user using verbose wallet when where \
        with without
        """.split(separator: " ").map(String.init))

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
