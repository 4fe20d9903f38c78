/// A value as an operator wrote it, in whatever notation: TOML file, environment or flag.
public enum SettingValue: Equatable, Sendable {
    case integer(Int64)
    case real(Double)
    case boolean(Bool)
    case text(String)
    case list([SettingValue])
    /// Something no setting takes ("a date", "a table").
    case other(String)

    /// The value as it is written in a TOML file.
    public var tomlText: String {
        switch self {
        case .integer(let number): String(number)
        case .real(let number): String(number)
        case .boolean(let flag): String(flag)
        case .text(let text): Self.quoted(text)
        case .list(let values): "[" + values.map(\.tomlText).joined(separator: ", ") + "]"
        case .other(let kind): kind
        }
    }

    /// For messages: what was found instead of what was wanted.
    var inWords: String {
        switch self {
        case .text(let text) where text.utf8.count > 60:
            Self.quoted(String(text.unicodeScalars.prefix(60).map(Character.init)) + "…")
        case .list: "a list"
        default: tomlText
        }
    }

    /// A TOML basic string.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let hex = String(scalar.value, radix: 16, uppercase: true)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Why a value was not taken, worded to follow the key's name: "must be 1 to 256, not 0".
public struct SettingRefusal: Error, Equatable, Sendable {
    public var message: String
    public var hint: String
    /// Which element of a list is meant.
    public var element: Int?

    public init(_ message: String, hint: String, element: Int? = nil) {
        self.message = message
        self.hint = hint
        self.element = element
    }
}
