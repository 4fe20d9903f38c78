/// How `hydrant query` prints rows.
public enum QueryFormat: Sendable {
    /// Columns under each other, for people.
    case table
    /// An array of objects; numbers stay numbers.
    case json
    /// RFC 4180, with a header.
    case csv
}

/// Turns rows into text, a piece at a time, whatever their number.
protocol RowPrinter {
    mutating func begin(columns: [String]) -> String
    mutating func row(_ values: [DatabaseValue]) -> String
    mutating func end() -> String
}

/// `[{"a":1},…]`, a row a line.
struct JSONRows: RowPrinter {
    private var columns: [String] = []
    private var isFirst = true

    mutating func begin(columns: [String]) -> String {
        self.columns = Self.distinct(columns)
        return "["
    }

    /// An object's keys must differ, SQL's columns need not: the second "a" becomes "a:1", as
    /// SQLite itself names it in views.
    static func distinct(_ columns: [String]) -> [String] {
        var used: Set<String> = []
        return columns.map { column in
            var name = column
            var count = 0
            while !used.insert(name).inserted {
                count += 1
                name = "\(column):\(count)"
            }
            return name
        }
    }

    mutating func row(_ values: [DatabaseValue]) -> String {
        var writer = JSONWriter()
        writer.write(
            .object(
                zip(columns, values).map { JSONValue.Field(key: $0, value: Self.json($1)) }))
        let lead = isFirst ? "\n" : ",\n"
        isFirst = false
        return lead + String(decoding: writer.bytes, as: UTF8.self)
    }

    mutating func end() -> String { isFirst ? "]\n" : "\n]\n" }

    private static func json(_ value: DatabaseValue) -> JSONValue {
        switch value {
        case .null: .null
        case .integer(let number): .integer(number)
        case .double(let number): .double(number)
        case .text(let text): .text(text)
        case .blob(let bytes): .text(hexadecimal(bytes))
        }
    }
}

/// RFC 4180. NULL is an empty field, an empty text a quoted one.
struct CSVRows: RowPrinter {
    mutating func begin(columns: [String]) -> String { Self.line(columns.map(Self.field)) }

    mutating func row(_ values: [DatabaseValue]) -> String {
        Self.line(
            values.map {
                switch $0 {
                case .null: ""
                case .integer(let number): String(number)
                case .double(let number): "\(number)"
                case .text(let text): Self.field(text)
                case .blob(let bytes): hexadecimal(bytes)
                }
            })
    }

    mutating func end() -> String { "" }

    private static func line(_ fields: [String]) -> String {
        fields.joined(separator: ",") + "\r\n"
    }

    static func field(_ text: String) -> String {
        let needsQuotes =
            text.isEmpty
            || text.utf8.contains {
                $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 0x0d || $0 == 0x0a
            }
        if !needsQuotes { return text }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}

/// An aligned table. Widths come from the first thousand rows, so any number of rows can be printed;
/// a later, wider value only shifts its own line.
struct TableRows: RowPrinter {
    private static let measuredRowsMax = 1000
    private struct Cell {
        var text: String
        var isNumber: Bool
    }

    private var names: [String] = []
    private var held: [[Cell]] = []
    private var widths: [Int]?
    private var count = 0

    mutating func begin(columns: [String]) -> String {
        names = columns.map(Self.printable)
        return ""
    }

    mutating func row(_ values: [DatabaseValue]) -> String {
        count += 1
        let cells = values.map(Self.cell)
        if let widths { return Self.line(cells, widths) }
        held.append(cells)
        return held.count == Self.measuredRowsMax ? release() : ""
    }

    mutating func end() -> String {
        let rest = widths == nil ? release() : ""
        return rest + "(\(count) \(count == 1 ? "row" : "rows"))\n"
    }

    private mutating func release() -> String {
        var widths = names.map(\.count)
        for cells in held {
            for (at, cell) in cells.enumerated() { widths[at] = max(widths[at], cell.text.count) }
        }
        self.widths = widths
        // A column of numbers has its name above their last digits.
        let heads = names.indices.map { at in
            let isNumber = !held.isEmpty && held.allSatisfy { $0[at].isNumber }
            return Cell(text: names[at], isNumber: isNumber)
        }
        var out = Self.line(heads, widths)
        out += widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ") + "\n"
        for cells in held { out += Self.line(cells, widths) }
        held = []
        return out
    }

    private static func line(_ cells: [Cell], _ widths: [Int]) -> String {
        var out = ""
        for (at, cell) in cells.enumerated() {
            let blanks = String(repeating: " ", count: max(0, widths[at] - cell.text.count))
            if at > 0 { out += "  " }
            let isLast = at == cells.count - 1
            out += cell.isNumber ? blanks + cell.text : cell.text + (isLast ? "" : blanks)
        }
        return out + "\n"
    }

    private static func cell(_ value: DatabaseValue) -> Cell {
        switch value {
        case .null: Cell(text: "NULL", isNumber: false)
        case .integer(let number): Cell(text: String(number), isNumber: true)
        case .double(let number): Cell(text: "\(number)", isNumber: true)
        case .text(let text): Cell(text: printable(text), isNumber: false)
        case .blob(let bytes): Cell(text: "X'" + hexadecimal(bytes) + "'", isNumber: false)
        }
    }

    /// Values come from the open internet, and a terminal obeys control characters: they are shown
    /// as escapes, and so are the ones that reverse the direction of writing.
    static func printable(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09: out += "\\t"
            case 0x0a: out += "\\n"
            case 0x0d: out += "\\r"
            case 0..<0x20, 0x7f..<0xa0, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069:
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
