/// What the loader knows of a table: its name, how SQLite makes it, and its columns in order.
public struct WarehouseTable: Equatable, Sendable {
    public enum Kind: Sendable {
        /// Strings as they are; numbers, objects and arrays as their JSON text.
        case text
        case integer
        case double
        /// Kept as 1 and 0.
        case boolean
        /// Any JSON, kept as its compact text.
        case `super`
    }

    public struct Column: Equatable, Sendable {
        /// Also the key in the rows' JSON.
        public var name: String
        public var sqliteType: String
        public var kind: Kind
        public var isRequired: Bool

        public init(name: String, sqliteType: String, kind: Kind, isRequired: Bool = false) {
            self.name = name
            self.sqliteType = sqliteType
            self.kind = kind
            self.isRequired = isRequired
        }
    }

    public var name: String
    public var columns: [Column]
    /// A CREATE TABLE IF NOT EXISTS statement.
    public var ddl: String

    public init(name: String, columns: [Column], ddl: String? = nil) {
        self.name = name
        self.columns = columns
        self.ddl = ddl ?? Self.ddl(name: name, columns: columns)
    }

    static func ddl(name: String, columns: [Column]) -> String {
        let lines = columns.map {
            "    \(quoted($0.name)) \($0.sqliteType)" + ($0.isRequired ? " NOT NULL" : "")
        }
        return "CREATE TABLE IF NOT EXISTS \(quoted(name)) (\n"
            + lines.joined(separator: ",\n") + "\n)"
    }

    var insertion: String {
        let names = columns.map { Self.quoted($0.name) }.joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        return "INSERT INTO \(Self.quoted(name)) (\(names)) VALUES (\(places))"
    }

    /// An SQL identifier.
    static func quoted(_ name: String) -> String {
        var out = "\""
        for character in name { out += character == "\"" ? "\"\"" : String(character) }
        return out + "\""
    }
}
