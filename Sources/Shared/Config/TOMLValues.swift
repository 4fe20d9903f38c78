import Core
import TOMLKit

/// Reads a TOML text with the library; the first syntax error ends it.
func parseTOML(_ text: ConfigText) throws(ConfigProblems) -> TOMLTable {
    do {
        return try TOMLTable(string: text.text)
    } catch {
        guard let error = error as? TOMLParseError else {
            throw ConfigProblems([
                ConfigProblem(.file(text.file), "\(error)", hint: SyntaxHint.general)
            ])
        }
        let place = text.place(line: error.source.begin.line, column: error.source.begin.column)
        throw ConfigProblems([
            ConfigProblem(
                place, SyntaxHint.message(for: error.description),
                hint: SyntaxHint.hint(for: error.description, at: place))
        ])
    }
}

/// What a bare word after `=` in a flag or in the environment may mean, likeliest first: the TOML
/// literal it is, and the text it is.
func readings(ofBareValue text: String) -> [SettingValue] {
    let oneLine = text.utf8.count <= 4096 && !text.utf8.contains { $0 < 32 && $0 != 9 }
    guard oneLine, let table = try? TOMLTable(string: "value = " + text), table.count == 1,
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
