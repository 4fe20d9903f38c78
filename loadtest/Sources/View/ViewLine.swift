/// A line of the view: pieces of text, each in one style. Every character is one column wide.
struct ViewLine: Equatable {
    enum Style: String {
        case plain = ""
        case title = "1"
        case faint = "2"
        case good = "32"
        case warning = "33"
        case alarm = "1;31"
    }

    struct Piece: Equatable {
        var text: String
        var style: Style
    }

    /// What goes first when there are fewer rows than lines.
    enum Importance: Int {
        case spacing, extra, useful, important, essential
    }

    var pieces: [Piece] = []
    var importance = Importance.useful

    init(_ text: String = "", _ style: Style = .plain, _ importance: Importance = .useful) {
        if !text.isEmpty { pieces = [Piece(text: text, style: style)] }
        self.importance = importance
    }

    static let blank = ViewLine("", .plain, .spacing)

    var width: Int { pieces.reduce(0) { $0 + $1.text.unicodeScalars.count } }

    mutating func add(_ text: String, _ style: Style = .plain) {
        pieces.append(Piece(text: text, style: style))
    }

    /// Cut to so many columns; a cut shows as "…".
    func text(columns: Int, usesColor: Bool) -> String {
        var left = columns
        var out = ""
        let mustCut = width > columns
        if mustCut { left -= 1 }
        for piece in pieces where left > 0 {
            let shown = String(String.UnicodeScalarView(piece.text.unicodeScalars.prefix(left)))
            left -= shown.unicodeScalars.count
            let isStyled = usesColor && piece.style != .plain
            out += isStyled ? "\u{1B}[\(piece.style.rawValue)m\(shown)\u{1B}[0m" : shown
        }
        return mustCut && columns > 0 ? out + "…" : out
    }

    /// A stranger's text, one column a character: whatever is not printable ASCII becomes "?".
    static func plainASCII(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? $0 : "?" }))
    }
}

extension String {
    func padded(left width: Int) -> String { blanks(to: width) + self }
    func padded(right width: Int) -> String { self + blanks(to: width) }

    private func blanks(to width: Int) -> String {
        String(repeating: " ", count: Swift.max(0, width - unicodeScalars.count))
    }
}
