/// A command line taken apart as a shell would, and nothing more: spaces between words, single and
/// double quotes, backslashes. No variables, no patterns, no pipes: `credential_process` is no script.
public enum CommandWords {
    public enum Flaw: Error, Equatable, CustomStringConvertible {
        case empty, openQuote, trailingBackslash

        public var description: String {
            switch self {
            case .empty: "the command is empty"
            case .openQuote: "a quote is opened and never closed"
            case .trailingBackslash: "it ends with a backslash"
            }
        }
    }

    public static func split(_ line: String) throws(Flaw) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                // Within double quotes a backslash escapes only what would mean something there.
                if quote == "\"", character != "\"", character != "\\" { word?.append("\\") }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
                word = word ?? ""
            } else if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if quote != nil { throw .openQuote }
        if isEscaped { throw .trailingBackslash }
        if let done = word { words.append(done) }
        if words.first?.isEmpty != false { throw .empty }
        return words
    }
}
