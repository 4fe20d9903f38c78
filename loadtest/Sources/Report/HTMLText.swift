/// Text that becomes part of HTML or SVG, in elements and in quoted attributes.
func escapedHTML(_ text: String) -> String {
    var out = ""
    out.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        case "'": out += "&#39;"
        case "\n", "\t": out.unicodeScalars.append(scalar)
        default:
            // Control characters are not allowed in HTML, and those that turn the writing direction
            // would make a report read other than it is.
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .unassigned: out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
    }
    return out
}

/// A command line that a POSIX shell takes back as it was.
func shellQuoted(_ words: [String]) -> String {
    words.map(shellQuoted).joined(separator: " ")
}

private func shellQuoted(_ word: String) -> String {
    let isPlain = word.unicodeScalars.allSatisfy {
        switch $0 {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "@", "%", "+", "=", ":", ",", ".", "/", "-": true
        default: false
        }
    }
    if isPlain && !word.isEmpty { return word }
    return "'" + word.replacing("'", with: "'\\''") + "'"
}

/// A table: cells are HTML already.
struct HTMLTable {
    var caption: String?
    var head: [String] = []
    /// Columns with numbers, which are set flush right.
    var numbers: Set<Int> = []
    var rows: [[String]] = []
    /// Classes of rows, by place.
    var rowClasses: [Int: String] = [:]

    var html: String {
        guard !rows.isEmpty else { return "" }
        var out = "<div class=\"scroll\"><table>"
        if let caption { out += "<caption>\(escapedHTML(caption))</caption>" }
        if !head.isEmpty {
            let cells = head.enumerated().map { place, name in
                "<th scope=\"col\"\(classOf(place))>\(name)</th>"
            }
            out += "<thead><tr>\(cells.joined())</tr></thead>"
        }
        out += "<tbody>\n"
        for (place, row) in rows.enumerated() {
            let name = rowClasses[place].map { " class=\"\($0)\"" } ?? ""
            out += "<tr\(name)>"
            for (column, cell) in row.enumerated() {
                out +=
                    column == 0
                    ? "<th scope=\"row\"\(classOf(0))>\(cell)</th>"
                    : "<td\(classOf(column))>\(cell)</td>"
            }
            out += "</tr>\n"
        }
        return out + "</tbody></table></div>\n"
    }

    private func classOf(_ column: Int) -> String {
        numbers.contains(column) ? " class=\"number\"" : ""
    }
}
