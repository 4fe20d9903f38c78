import Core

extension WarehouseTable {
    /// The table of good rows.
    public init(good schema: Schema) {
        self.init(
            name: schema.table,
            columns: schema.columns.map {
                Column($0, isRequired: $0.required)
            },
            ddl: schema.sqliteDDL)
    }

    /// The table of bad rows. Nothing is required there: what cannot even be decoded has a reason
    /// and hardly more.
    public init(bad schema: Schema) {
        self.init(
            name: schema.badTable,
            columns: Schema.BadRow.columns.map { Column($0, isRequired: false) },
            ddl: schema.sqliteBadDDL)
    }
}

extension WarehouseTable.Column {
    init(_ column: Schema.Column, isRequired: Bool) {
        self.init(
            name: column.name, sqliteType: column.type.sqliteType, kind: .init(column.type),
            isRequired: isRequired)
    }
}

extension WarehouseTable.Kind {
    init(_ type: Schema.ColumnType) {
        self =
            switch type {
            case .varchar, .timestamp: .text
            case .integer, .bigint: .integer
            case .double: .double
            case .boolean: .boolean
            case .super: .super
            }
    }
}
