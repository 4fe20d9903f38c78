/// What a row is: the columns of the warehouse table and where each value comes from. One schema
/// drives validation, the row encoder, the DDL and the docs.
///
/// Cold: read once at start. `RowEncoder` turns it into flat tables for the hit path.
public struct Schema: Equatable, Sendable {
    public enum ColumnType: Hashable, Sendable {
        /// Text of at most so many bytes of UTF-8 (1...65535), as Redshift counts.
        case varchar(Int)
        /// 32 and 64 bits, signed.
        case integer, bigint
        case double
        case boolean
        /// UTC, microseconds.
        case timestamp
        /// Semi-structured: a JSON object.
        case `super`
    }

    public enum Source: Hashable, Sendable {
        /// The hit's UUID.
        case hitID
        /// When the router read the request, by its wall clock.
        case receivedAt
        case clientAddress
        /// Request header fields.
        case userAgent, referer
        case visitorCookie
        /// The query parameter of that (decoded) name.
        case query(String)
        /// All parameters that no column took, as one JSON object.
        case rest
    }

    public struct Column: Equatable, Sendable {
        public var name: String
        public var type: ColumnType
        /// Tried in order; the first that is not empty is the value.
        public var sources: [Source]
        /// A hit without a usable value for it is a bad row.
        public var required: Bool

        public init(
            name: String, type: ColumnType, sources: [Source]? = nil, required: Bool = false
        ) {
            self.name = name
            self.type = type
            self.sources = sources ?? [.query(name)]
            self.required = required
        }

        /// Its source gives a value for every hit, so no hit is refused for its sake.
        public var isAlwaysPresent: Bool {
            guard let last = sources.last else { return false }
            return last == .hitID || last == .receivedAt || last == .clientAddress
        }
    }

    public static let defaultTable = "events"
    public static let defaultBadTable = "bad_events"

    public var columns: [Column]
    public var table: String
    public var badTable: String
    /// Redshift's DISTKEY column; nil leaves the distribution to Redshift (AUTO).
    public var distributionKey: String?
    /// Redshift's compound SORTKEY; empty leaves it to Redshift (AUTO).
    public var sortKey: [String]

    public init(
        columns: [Column], table: String = defaultTable, badTable: String = defaultBadTable,
        distributionKey: String? = nil, sortKey: [String] = []
    ) {
        self.columns = columns
        self.table = table
        self.badTable = badTable
        self.distributionKey = distributionKey
        self.sortKey = sortKey
    }

    /// The names in order, as COPY's column list wants them.
    public var columnNames: [String] { columns.map(\.name) }
}

extension Schema {
    /// Bounds of a schema.
    public enum Limit {
        /// Redshift's bound for a name.
        public static let nameBytesMax = 127
        public static let columnsMax = 256
        public static let sourcesPerColumnMax = 8
        public static let parameterBytesMax = 127
        /// Redshift's bound for VARCHAR.
        public static let varcharBytesMax = 65_535
        /// What a row may need beyond six times the request's bytes: see `rowOverheadBytes`.
        public static let rowOverheadBytesMax = 2400
    }

    /// The most a row of this schema can need beyond six times its request's bytes.
    ///
    /// No byte of a request becomes more than six (`\u0001`). What does not come from a request's
    /// byte is counted here: values the worker gives, quotes, and names longer than the request's
    /// own spelling of them. A parameter costs the request its key, '=' and a value, which pay for
    /// six times that of output.
    public var rowOverheadBytes: Int {
        // Braces, newline, the rest's punctuation and its "_overflow" key.
        var bytes = 64
        for column in columns {
            let named = column.name.utf8.count + 6
            var worst = 0
            for source in column.sources {
                switch source {
                case .hitID: worst = max(worst, named + 36)
                case .receivedAt: worst = max(worst, named + 26)
                case .clientAddress: worst = max(worst, named + 45)
                case .userAgent, .referer, .visitorCookie, .rest: worst = max(worst, named)
                case .query(let key):
                    // Text pays for itself. Anything else has at least one byte and becomes at most
                    // a timestamp (26 bytes), or its own text and one digit.
                    let fixed = if case .varchar = column.type { 0 } else { 26 - 6 }
                    worst = max(worst, named + fixed - 6 * (key.utf8.count + 1))
                }
            }
            bytes += max(0, worst)
        }
        return bytes
    }
}
