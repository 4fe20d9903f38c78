import Core
import TOMLKit

/// Walks a parsed config file: which settings it sets, to what, and what in it is no setting.
struct FileKeys {
    let text: ConfigText
    let locator: KeyLocator

    enum Found {
        case value(Setting, SettingValue, Position)
        case problem(ConfigProblem)
    }

    /// Where a value stands.
    struct Position {
        let text: ConfigText
        let locator: KeyLocator
        let path: [String]
        /// Byte offset of the value.
        let offset: Int

        var whole: ConfigProblem.Place { text.place(at: offset) }
        var origin: SettingOrigin { .file(text.file, line: text.lineNumber(at: offset)) }

        func element(_ index: Int) -> ConfigProblem.Place? {
            locator.places[path + ["[\(index)]"]].map { text.place(at: $0.key) }
        }
    }

    func visit(_ table: TOMLTable, found: (Found) -> Void) {
        visit(table, at: [], found: found)
    }

    private func visit(_ table: TOMLTable, at prefix: [String], found: (Found) -> Void) {
        for key in table.keys {
            let path = prefix + [key]
            // A key that holds a NUL is cut by the library and not found again.
            guard let value = table[key] else {
                found(
                    .problem(
                        ConfigProblem(
                            .file(text.file), "a NUL character in a key", hint: "remove it")))
                continue
            }
            if let setting = Setting.all.first(where: { $0.path == path }) {
                found(.value(setting, settingValue(value), position(of: path)))
            } else if path.count == 1, Setting.sections.contains(key) {
                visitSection(key, value, found: found)
            } else {
                found(.problem(UnknownKey.problem(path, at: keyPlace(of: path))))
            }
        }
    }

    private func visitSection(
        _ name: String, _ value: any TOMLValueConvertible, found: (Found) -> Void
    ) {
        if let table = value.table {
            visit(table, at: [name], found: found)
            return
        }
        let hint =
            value.type == .array && locator.places[[name]]?.value == nil
            ? "write [\(name)], with single brackets"
            : "write [\(name)] on a line, and its keys below it"
        found(
            .problem(
                ConfigProblem(
                    keyPlace(of: [name]), "\(name) is a section, not a value", hint: hint)))
    }

    private func position(of path: [String]) -> Position {
        let place = locator.places[path]
        return Position(
            text: text, locator: locator, path: path, offset: place?.value ?? place?.key ?? 0)
    }

    private func keyPlace(of path: [String]) -> ConfigProblem.Place {
        locator.places[path].map { text.place(at: $0.key) } ?? .file(text.file)
    }
}

extension Setting {
    var path: [String] { section.map { [$0, name] } ?? [name] }
}
