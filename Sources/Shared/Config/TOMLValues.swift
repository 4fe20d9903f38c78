import Core
import TOMLKit

/// Reads a TOML text; the first syntax error ends it.
func parseTOML(_ text: ConfigText) throws(ConfigProblems) -> TOMLTable {
    do throws(TOMLFlaw) {
        return try checkedTOML(text.bytes)
    } catch {
        let place = text.place(line: error.line, column: error.column)
        throw ConfigProblems([
            ConfigProblem(
                place, SyntaxHint.message(for: error.description),
                hint: SyntaxHint.hint(for: error.description, at: place))
        ])
    }
}

/// Where a text is no TOML, and why.
struct TOMLFlaw: Error, Equatable {
    /// From 1.
    var line: Int
    var column: Int
    var description: String
}

/// The library's parser, kept from what it does not survive (`KeyLocator.Trap`).
func checkedTOML(_ bytes: [UInt8]) throws(TOMLFlaw) -> TOMLTable {
    let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    guard let trap = KeyLocator(bytes).trap else { return try uncheckedTOML(bytes[...]) }
    // What stands before it is judged first, so that the first error is the one told.
    _ = try uncheckedTOML(bytes[..<trap.statement])
    let lineStart = bytes[..<trap.offset].lastIndex(of: 10).map { $0 + 1 } ?? 0
    throw TOMLFlaw(
        line: bytes[..<trap.offset].count { $0 == 10 } + 1,
        column: bytes[lineStart..<trap.offset].count { $0 & 0xC0 != 0x80 } + 1,
        description: "Error while parsing " + trap.reason)
}

private func uncheckedTOML(_ bytes: ArraySlice<UInt8>) throws(TOMLFlaw) -> TOMLTable {
    do {
        return try TOMLTable(string: String(decoding: bytes, as: UTF8.self))
    } catch let error as TOMLParseError {
        throw TOMLFlaw(
            line: error.source.begin.line, column: error.source.begin.column,
            description: error.description)
    } catch {
        throw TOMLFlaw(line: 1, column: 1, description: "\(error)")
    }
}

/// What a bare word after `=` in a flag or in the environment may mean, likeliest first: the TOML
/// literal it is, and the text it is.
func readings(ofBareValue text: String) -> [SettingValue] {
    let oneLine = text.utf8.count <= 4096 && !text.utf8.contains { $0 < 32 && $0 != 9 }
    guard oneLine, let table = try? checkedTOML(Array("value = \(text)".utf8)), table.count == 1,
        let value = table["value"]
    else { return [.text(text)] }
    return [settingValue(value), .text(text)]
}

func settingValue(_ value: any TOMLValueConvertible) -> SettingValue {
    switch value.type {
    case .int: .integer(Int64(value.int ?? 0))
    case .double: .real(value.double ?? 0)
    case .bool: .boolean(value.bool ?? false)
    case .string: .text(value.string ?? "")
    case .array: .list(value.array.map { $0.map(settingValue) } ?? [])
    case .table: .other("a section")
    case .date, .time, .dateTime: .other("a date or time")
    }
}
