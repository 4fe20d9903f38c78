/// Why a text of the command line cannot be what it was given as: what is wrong, and what to write.
struct PlanRefusal: Error, Equatable, CustomStringConvertible {
    var message: String
    var hint: String

    init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }

    var description: String { "\(message)\nhint: \(hint)" }

    /// A stranger's text within a message: in quotes, control characters made visible, cut when long.
    static func quoted(_ text: some StringProtocol) -> String {
        var shown = "\""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == 80 {
                shown += "…"
                break
            }
            let isPrintable = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
            shown += isPrintable ? String(scalar) : scalar.escaped(asASCII: true)
        }
        return shown + "\""
    }
}
