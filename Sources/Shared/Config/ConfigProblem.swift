/// One thing wrong with the configuration: where, what, and how to mend it.
public struct ConfigProblem: Equatable, Sendable {
    public enum Place: Equatable, Sendable {
        /// Line and column count from 1, columns in Unicode scalars.
        case line(file: String, line: Int, column: Int, text: String)
        case file(String)
        case environment(String)
        /// A profile of AWS's own tools.
        case profile(String)
        /// The words after `--set`.
        case flag(String)
        case defaults
        /// Not the configuration: what it meets here and now.
        case machine
    }

    public var place: Place
    public var message: String
    public var hint: String

    public init(_ place: Place, _ message: String, hint: String) {
        self.place = place
        self.message = message
        self.hint = hint
    }

    /// "hydrant.toml:3:11: error: …", the line with a caret under it, and the hint.
    public func render(kind: Kind = .error, color: Bool) -> String {
        let paint = Paint(on: color)
        let word = kind == .error ? paint.red("error:") : paint.yellow("warning:")
        var out = "\(paint.bold(placeText + ":")) \(word) \(visible(message))\n"
        if case .line(_, let line, let column, let text) = place {
            let excerpt = LineExcerpt(line: text, column: column)
            let number = String(line)
            let margin = String(repeating: " ", count: number.count)
            let under = String(repeating: " ", count: excerpt.column - 1)
            out += "  \(number) | \(excerpt.text)\n"
            out += "  \(margin) | \(under)\(paint.red("^"))\n"
        }
        return out + "  \(paint.bold("hint:")) \(visible(hint))\n"
    }

    public enum Kind: Sendable { case error, warning }

    private var placeText: String {
        switch place {
        case .line(let file, let line, let column, _): "\(visible(file)):\(line):\(column)"
        case .file(let file): visible(file)
        case .environment(let name): visible(name)
        case .profile(let name): "AWS profile \(visible(name))"
        case .flag(let words): "--set \(visible(String(words.prefix(80))))"
        case .defaults: "defaults"
        case .machine: "this machine"
        }
    }

    /// The order in which problems are shown: the file's by line, then the environment's, then
    /// the flags'.
    var rank: (Int, Int, Int) {
        switch place {
        case .file: (0, 0, 0)
        case .line(_, let line, let column, _): (0, line, column)
        case .environment, .profile: (1, 0, 0)
        case .flag: (2, 0, 0)
        case .defaults, .machine: (3, 0, 0)
        }
    }
}

/// Everything that is wrong with a configuration; never empty. The process exits 78 (EX_CONFIG).
public struct ConfigProblems: Error, Equatable, Sendable {
    public static let exitCode: Int32 = 78

    public var problems: [ConfigProblem]

    public init(_ problems: [ConfigProblem]) { self.problems = problems }

    /// All of them, ready for stderr.
    public func render(color: Bool) -> String {
        var out = problems.map { $0.render(color: color) }.joined()
        if problems.count > 1 { out += "\(problems.count) problems; nothing was started.\n" }
        return out
    }
}

/// A long line cut to a window around the column; control characters replaced, so that a caret on
/// the next line stands under its column and no escape sequence reaches a terminal.
private struct LineExcerpt {
    private static let width = 96
    let text: String
    /// From 1, within `text`.
    let column: Int

    init(line: String, column: Int) {
        let scalars = Array(line.unicodeScalars)
        let column = min(max(column, 1), scalars.count + 1)
        let start = max(0, min(column - Self.width * 2 / 3, scalars.count - Self.width))
        let end = min(scalars.count, start + Self.width)
        var text = start > 0 ? "…" : ""
        for scalar in scalars[start..<end] {
            text.unicodeScalars.append(scalar == "\t" ? " " : isHarmless(scalar) ? scalar : "?")
        }
        if end < scalars.count { text += "…" }
        self.text = text
        self.column = column - start + (start > 0 ? 1 : 0)
    }
}

/// A text with its control characters made visible.
func visible(_ text: String) -> String {
    if text.unicodeScalars.allSatisfy(isHarmless) { return text }
    return text.unicodeScalars.reduce(into: "") { out, scalar in
        if isHarmless(scalar) {
            out.unicodeScalars.append(scalar)
        } else {
            out += "\\u{" + String(scalar.value, radix: 16) + "}"
        }
    }
}

/// Neither a control character nor one that reorders or hides text.
private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF: false
    default: true
    }
}

private struct Paint {
    let on: Bool

    func red(_ text: String) -> String { wrap("31;1", text) }
    func yellow(_ text: String) -> String { wrap("33;1", text) }
    func bold(_ text: String) -> String { wrap("1", text) }

    private func wrap(_ code: String, _ text: String) -> String {
        on ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
