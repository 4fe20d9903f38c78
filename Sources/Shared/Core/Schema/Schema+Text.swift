// How types and sources are spelled in the schema file and in messages.

extension Schema.ColumnType: CustomStringConvertible {
    /// The names a file may use; "varchar(n)" stands for all lengths.
    public static let spellings = [
        "varchar(n)", "integer", "bigint", "double", "boolean", "timestamp", "super",
    ]

    /// Reads "integer", "varchar(64)"; blanks and case do not matter. Nil for anything else. The
    /// length is not judged here.
    public init?(_ text: String) {
        let bare = text.lowercased().filter { $0 != " " }
        switch bare {
        case "integer": self = .integer
        case "bigint": self = .bigint
        case "double": self = .double
        case "boolean": self = .boolean
        case "timestamp": self = .timestamp
        case "super": self = .super
        default:
            guard bare.hasPrefix("varchar("), bare.hasSuffix(")") else { return nil }
            let digits = bare.dropFirst(8).dropLast()
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
                let bytes = Int(digits)
            else { return nil }
            self = .varchar(bytes)
        }
    }

    public var description: String {
        switch self {
        case .varchar(let bytes): "varchar(\(bytes))"
        case .integer: "integer"
        case .bigint: "bigint"
        case .double: "double"
        case .boolean: "boolean"
        case .timestamp: "timestamp"
        case .super: "super"
        }
    }
}

extension Schema.Source: CustomStringConvertible {
    public static let spellings = [
        "hit_id", "received_at", "client_address", "user_agent", "referer", "visitor_cookie",
        "query:NAME", "rest",
    ]

    /// Reads "hit_id", "query:uid" and so on. Nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "hit_id": self = .hitID
        case "received_at": self = .receivedAt
        case "client_address": self = .clientAddress
        case "user_agent": self = .userAgent
        case "referer": self = .referer
        case "visitor_cookie": self = .visitorCookie
        case "rest": self = .rest
        default:
            guard text.hasPrefix("query:") else { return nil }
            self = .query(String(text.dropFirst(6)))
        }
    }

    public var description: String {
        switch self {
        case .hitID: "hit_id"
        case .receivedAt: "received_at"
        case .clientAddress: "client_address"
        case .userAgent: "user_agent"
        case .referer: "referer"
        case .visitorCookie: "visitor_cookie"
        case .query(let key): "query:\(key)"
        case .rest: "rest"
        }
    }
}
