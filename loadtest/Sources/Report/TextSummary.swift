/// What a run found, for a terminal of 80 columns, in the order people know from hey and oha:
/// summary, histogram, percentiles, status codes, errors; what only this tool knows comes after, and
/// warnings last, where the eye is.
struct TextSummary {
    let text: String

    /// - Parameters:
    ///   - showsSpectrum: the whole percentile spectrum besides (--latency).
    ///   - usesColor: with ANSI colours; they say nothing that the words do not.
    init(_ result: RunResult, showsSpectrum: Bool = false, usesColor: Bool = false) {
        let ink = Ink(usesColor: usesColor)
        var blocks = [
            TextHead.lines(result, ink), TextFigures.summary(result, ink),
            TextLatency.histogram(result, ink), TextLatency.percentiles(result, ink),
        ]
        if showsSpectrum { blocks += TextLatency.spectra(result, ink) }
        blocks += [
            TextFigures.statuses(result, ink), TextFigures.errors(result, ink),
            TextFigures.generator(result, ink), TextFindings.search(result, ink),
            TextFindings.ledger(result, ink), TextFindings.verdicts(result, ink),
            TextFindings.warnings(result, ink),
        ]
        text = blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }
            .joined(separator: "\n")
    }
}

/// Colours, or none.
struct Ink {
    let usesColor: Bool

    func bold(_ text: String) -> String { paint(text, "1") }
    func good(_ text: String) -> String { paint(text, "32") }
    func bad(_ text: String) -> String { paint(text, "1;31") }
    func warning(_ text: String) -> String { paint(text, "1;33") }
    func bar(_ text: String) -> String { paint(text, "36") }

    private func paint(_ text: String, _ code: String) -> String {
        usesColor && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Text in columns.
enum TextColumns {
    static let width = 80

    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Broken between words; `first` begins the first line, and the others are indented by as much.
    /// A word longer than a line is cut into pieces.
    static func wrapped(_ text: String, first: String = "  ") -> [String] {
        let indent = String(repeating: " ", count: first.count)
        var lines = [first]
        var isStart = true
        for word in printable(text).split(separator: " ") {
            var word = word
            if !isStart && lines[lines.count - 1].count + 1 + word.count > width {
                lines.append(indent)
                isStart = true
            }
            while lines[lines.count - 1].count + word.count > width {
                let room = max(width - lines[lines.count - 1].count, 8)
                lines[lines.count - 1] += word.prefix(room)
                word = word.dropFirst(room)
                lines.append(indent)
            }
            lines[lines.count - 1] += (isStart ? "" : " ") + word
            isStart = false
        }
        return lines
    }

    /// Cut to a width, and said to be.
    static func cut(_ text: String, _ width: Int) -> String {
        let text = printable(text)
        return text.count <= width ? text : text.prefix(width - 1) + "…"
    }

    /// A terminal obeys control characters; those of a file from elsewhere must not reach it.
    static func printable(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
