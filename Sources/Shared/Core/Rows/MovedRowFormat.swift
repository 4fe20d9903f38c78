import CBytes

/// The bad row that stands for a good row which Firehose refuses: its id and time, the reason, and
/// the whole row in base64. Columns as in `Schema.BadRow`.
public struct MovedRowFormat: Sendable {
    /// In a good row; nil where the schema has no such column.
    let idColumn: String?
    let receivedAtColumn: String?

    public init(_ schema: Schema) {
        idColumn = schema.columns.first { $0.sources.contains(.hitID) }?.name
        receivedAtColumn = schema.columns.first { $0.sources.contains(.receivedAt) }?.name
    }

    /// Whether a bad row holds all of it.
    public func fits(_ row: [UInt8]) -> Bool { row.count <= RowEncoder.rawBytesMax }

    /// - Parameter row: with its newline. Of one that does not fit, the beginning is kept.
    public func badRow(_ row: [UInt8]) -> [UInt8] {
        let row = row.last == UInt8(ascii: "\n") ? row.dropLast() : row[...]
        var fields: [String] = []
        for (name, column) in [("id", idColumn), ("received_at", receivedAtColumn)] {
            guard let column, let value = JSONRow.text(of: column, in: row) else { continue }
            fields.append("\"\(name)\":\"\(value)\"")
        }
        fields.append("\"reason\":\"\(RowReason.refusedByFirehose.code)\"")
        return Array("{\(fields.joined(separator: ",")),\"raw\":\"".utf8)
            + Self.base64(row.prefix(RowEncoder.rawBytesMax)) + Array("\"}\n".utf8)
    }

    private static func base64(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { room, filled in
            filled = bytes.withUnsafeBufferPointer {
                guard let base = $0.baseAddress, !$0.isEmpty else { return 0 }
                return cbytes_base64_encode(base, $0.count, room.baseAddress!)
            }
        }
    }
}

/// A look into a row without a parser: what a row encoder wrote, and nothing else, is to be read.
enum JSONRow {
    /// The string at that name of the outermost object; nil when there is none, or when it has an
    /// escape (which ids and times have not).
    static func text(of name: String, in row: ArraySlice<UInt8>) -> String? {
        let name = Array(name.utf8)
        var (depth, at) = (0, row.startIndex)
        var isName = false
        while at < row.endIndex {
            switch row[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                isName = row[at] == UInt8(ascii: "{")
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): isName = true
            case UInt8(ascii: ":"): isName = false
            case UInt8(ascii: "\""):
                guard let end = stringEnd(row, from: at) else { return nil }
                if depth == 1, isName, row[(at + 1)..<end].elementsEqual(name) {
                    return value(row, after: end)
                }
                at = end
            default: break
            }
            at += 1
        }
        return nil
    }

    private static func value(_ row: ArraySlice<UInt8>, after end: Int) -> String? {
        guard row[(end + 1)...].starts(with: [UInt8(ascii: ":"), UInt8(ascii: "\"")]),
            let close = stringEnd(row, from: end + 2)
        else { return nil }
        let text = row[(end + 3)..<close]
        if text.contains(UInt8(ascii: "\\")) { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// Where the string that opens at `start` is closed.
    private static func stringEnd(_ row: ArraySlice<UInt8>, from start: Int) -> Int? {
        var at = start + 1
        while at < row.endIndex, row[at] != UInt8(ascii: "\"") {
            at += row[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return at < row.endIndex ? at : nil
    }
}
