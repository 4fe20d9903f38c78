import Config
import Core

/// A hit that the schema takes for valid: something for every required column, and of the embedded
/// schema a visitor and a campaign too.
struct ExampleHit {
    /// The columns it fills, in the order of the table.
    private(set) var columns: [String] = []
    private var parameters: [(key: String, value: String)] = []
    private var headers: [String] = []

    init(_ schema: Schema) {
        let isStandard = schema == SchemaFile.standard.schema
        for column in schema.columns where !column.isAlwaysPresent {
            let isShown = isStandard && ["visitor_id", "campaign"].contains(column.name)
            if column.required || isShown { fill(column) }
        }
    }

    private mutating func fill(_ column: Schema.Column) {
        columns.append(column.name)
        for case .query(let key) in column.sources {
            parameters.append((key, Self.value(of: column)))
            return
        }
        switch column.sources.first {
        case .referer: headers.append("-e https://example.com/")
        case .visitorCookie: headers.append("-b hy_uid=visitor-1")
        case .rest: parameters.append(("note", "hello"))
        // curl names itself; the others are always there.
        case .userAgent, .hitID, .receivedAt, .clientAddress, .query, nil: break
        }
    }

    private static func value(of column: Schema.Column) -> String {
        switch column.type {
        case .varchar(let bytesMax):
            let words = ["event": "load", "visitor_id": "visitor-1", "campaign": "spring"]
            return String((words[column.name] ?? "example").prefix(bytesMax))
        case .integer, .bigint: return "1"
        case .double: return "1.5"
        case .boolean: return "true"
        case .timestamp: return "2026-01-31T12:00:00Z"
        case .super: return "hello"
        }
    }

    /// The line that sends it. The answer's head is shown, its body is not: it is a picture.
    func curl(_ pixel: String) -> String {
        let query = parameters.map { "\(Self.encoded($0.key))=\(Self.encoded($0.value))" }
            .joined(separator: "&")
        let url = query.isEmpty ? pixel : "\(pixel)?\(query)"
        return (["curl -sS -D - -o /dev/null"] + headers + [shellWord(url)])
            .joined(separator: " ")
    }

    /// Percent-encoded, but for what a query may hold as it is.
    private static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { out, byte in
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-._~:".utf8.contains(byte)
            if isPlain {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
    }
}
