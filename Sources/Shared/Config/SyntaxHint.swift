/// Words for syntax errors: the TOML library says what broke, this says what was likely meant.
enum SyntaxHint {
    static let general = "TOML is lines of key = value, and [section] headers"

    static func message(for description: String) -> String {
        let prefix = "Error while parsing "
        guard description.hasPrefix(prefix) else { return "cannot parse: " + description }
        return "cannot parse " + description.dropFirst(prefix.count)
    }

    static func hint(for description: String, at place: ConfigProblem.Place) -> String {
        if description.contains("cannot redefine") {
            return "the same key or section is there twice: remove one of the two"
        }
        guard case .line(_, _, _, let line) = place else { return general }
        let code = trimmed(line[...])
        if code.hasPrefix("[") {
            return "a section is written [name], alone on its line"
        }
        guard let equals = code.firstIndex(of: "=") else {
            if code.isEmpty || description.contains("parsing array") {
                return "a list or text breaks off before this: look above it too"
            }
            return code.contains(":")
                ? "write key = value: TOML has \"=\" where YAML has \":\"" : general
        }
        return hint(
            forKey: trimmed(code[..<equals]), value: trimmed(code[code.index(after: equals)...]))
    }

    private static func hint(forKey key: Substring, value: Substring) -> String {
        if key.isEmpty { return "a key is missing before \"=\"" }
        if key.contains(" ") && !key.contains("\"") && !key.contains("'") {
            return "a key has no spaces in it: use \"_\""
        }
        guard let first = value.first else { return "a value is missing after \"=\"" }
        switch first {
        case "\"", "'":
            let closed = value.dropFirst().contains(first)
            return closed
                ? "after a value only a # comment may follow; \\ in \"…\" is written \\\\"
                : "the text is not closed: end it with \(first)"
        case "[": return "a list is written [\"a\", \"b\"]"
        case "{": return "an inline table is written { key = value, key = value } on one line"
        default:
            let bare = value.prefix { $0 != "#" && $0 != "\"" }
            let word = trimmed(bare[...])
            return "texts, sizes and durations are written in quotes: \(key) = \"\(word)\""
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
