/// Numbers as people write them: digits, and perhaps a point and more digits. No sign, no exponent,
/// no "inf": Double's own parser takes those.
enum DecimalText {
    /// More are refused, so that every number that is accepted is exact enough to compare.
    static let digitsMax = 18

    /// The number at the start of the text and what follows it; nil when it does not start with one.
    static func prefix(of text: Substring) -> (value: Double, rest: Substring)? {
        let whole = text.prefix(while: isDigit)
        var rest = text[whole.endIndex...]
        var fraction: Substring = ""
        if rest.first == "." {
            fraction = rest.dropFirst().prefix(while: isDigit)
            if fraction.isEmpty { return nil }
            rest = rest[fraction.endIndex...]
        }
        guard !whole.isEmpty, whole.count + fraction.count <= digitsMax else { return nil }
        let number = fraction.isEmpty ? String(whole) : "\(whole).\(fraction)"
        return Double(number).map { ($0, rest) }
    }

    /// ASCII only; a digit with an accent is one character, and none of these.
    private static func isDigit(_ character: Character) -> Bool {
        character.isASCII && ("0"..."9").contains(character)
    }
}
