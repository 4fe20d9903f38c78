import CJSON

/// Turns one line of an object into one row of a table.
final class RowInserter {
    /// Why a line is no row: the column at fault, if it is one's, and the reason in words.
    struct Rejection: Equatable {
        var column: String?
        var reason: String
    }

    private let table: WarehouseTable
    private let names: [[UInt8]]
    private let requiredColumns: [Int]
    private let statement: Statement
    private let parser: OpaquePointer
    /// Which columns the current row has a value for.
    private var isBound: [Bool]

    init(table: WarehouseTable, database: Database) throws(DatabaseFailure) {
        self.table = table
        names = table.columns.map { Array($0.name.utf8) }
        requiredColumns = table.columns.indices.filter { table.columns[$0].isRequired }
        isBound = Array(repeating: false, count: names.count)
        statement = try database.prepare(table.insertion)
        parser = cjson_make(Loading.lineBytesMax)!
    }

    deinit { cjson_free(parser) }

    /// Inserts the line's row; a rejection when it is none. `CJSON_PADDING` readable bytes must
    /// follow the line.
    func insert(_ line: UnsafeRawBufferPointer) throws(DatabaseFailure) -> Rejection? {
        var root = cjson_value()
        let text = line.baseAddress!.assumingMemoryBound(to: CChar.self)
        if let error = cjson_parse(parser, text, line.count, &root) {
            return Rejection(column: nil, reason: String(cString: error))
        }
        guard cjson_kind_of(root) == .object else {
            return Rejection(column: nil, reason: "not a JSON object")
        }
        if let rejection = bind(root) { return rejection }
        for column in requiredColumns where !isBound[column] {
            return Rejection(column: table.columns[column].name, reason: "required, but missing")
        }
        try statement.runAndReset()
        return nil
    }

    private func bind(_ object: cjson_value) -> Rejection? {
        statement.clear()
        for column in isBound.indices { isBound[column] = false }
        var cursor = cjson_begin(object)
        var key = cjson_text()
        var value = cjson_value()
        var expected = 0
        while cjson_next_field(&cursor, &key, &value) != 0 {
            guard let column = find(key, expected: expected) else { continue }
            expected = column + 1
            let kind = cjson_kind_of(value)
            if kind == .null {
                isBound[column] = false
                continue
            }
            guard bind(value, kind, to: column) else {
                return Rejection(
                    column: table.columns[column].name,
                    reason: "not \(table.columns[column].kind.words)")
            }
            isBound[column] = true
        }
        return nil
    }

    /// Rows come with their keys in column order, so the next column is nearly always the one.
    private func find(_ key: cjson_text, expected: Int) -> Int? {
        if expected < names.count, matches(key, names[expected]) { return expected }
        return names.firstIndex { matches(key, $0) }
    }

    private func matches(_ key: cjson_text, _ name: [UInt8]) -> Bool {
        key.count == name.count
            && name.withUnsafeBytes { name in
                name.elementsEqual(UnsafeRawBufferPointer(start: key.bytes, count: key.count))
            }
    }

    private func bind(_ value: cjson_value, _ kind: cjson_kind, to column: Int) -> Bool {
        let place = Int32(column + 1)
        switch table.columns[column].kind {
        case .text where kind == .text:
            let text = cjson_text_of(value)
            statement.bind(unmoved: text.bytes, text.count, at: place)
        case .text, .super:
            let text = cjson_compact(parser, value)
            statement.bind(copying: text.bytes, text.count, at: place)
        case .integer:
            guard let number = integer(value, kind) else { return false }
            statement.bind(number, at: place)
        case .double:
            guard let number = double(value, kind) else { return false }
            statement.bind(number, at: place)
        case .boolean:
            guard let flag = boolean(value, kind) else { return false }
            statement.bind(Int64(flag ? 1 : 0), at: place)
        }
        return true
    }

    private func integer(_ value: cjson_value, _ kind: cjson_kind) -> Int64? {
        switch kind {
        case .integer: cjson_integer(value)
        case .double: Int64(exactly: cjson_double(value))
        case .text: Int64(string(value))
        default: nil
        }
    }

    private func double(_ value: cjson_value, _ kind: cjson_kind) -> Double? {
        switch kind {
        case .integer, .unsigned, .double: cjson_double(value)
        case .text: Double(string(value))
        default: nil
        }
    }

    private func boolean(_ value: cjson_value, _ kind: cjson_kind) -> Bool? {
        switch kind {
        case .bool: return cjson_bool(value) != 0
        case .integer:
            let number = cjson_integer(value)
            return number == 0 || number == 1 ? number == 1 : nil
        case .text:
            switch string(value).lowercased() {
            case "true", "t", "yes", "y", "1": return true
            case "false", "f", "no", "n", "0": return false
            default: return nil
            }
        default: return nil
        }
    }

    private func string(_ value: cjson_value) -> String { String(cjson_text_of(value)) }
}

extension WarehouseTable.Kind {
    var words: String {
        switch self {
        case .text: "text"
        case .integer: "an integer"
        case .double: "a number"
        case .boolean: "a boolean"
        case .super: "JSON"
        }
    }
}

extension String {
    init(_ text: cjson_text) {
        self.init(
            decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.count), as: UTF8.self)
    }
}
