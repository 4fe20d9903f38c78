/// Text with numbers to be drawn: "Chrome/{118-139}.0" is a literal, a number from 118 to 139, and
/// a literal.
public struct NumberTemplate: Equatable, Sendable {
    public struct Part: Equatable, Sendable {
        public var literal: String
        /// The number after the literal; nil where the text ends without one.
        public var numbers: ClosedRange<UInt32>?

        public init(literal: String, numbers: ClosedRange<UInt32>?) {
            self.literal = literal
            self.numbers = numbers
        }
    }

    public let parts: [Part]

    /// Nil when a brace does not stand around two numbers of at most eight digits, lower one first.
    public init?(_ text: String) {
        var parts: [Part] = []
        var left = text[...]
        while let open = left.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard left[open] == "{", let close = left[open...].firstIndex(of: "}") else {
                return nil
            }
            let inside = left[left.index(after: open)..<close]
            let ends = inside.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2, let low = Self.number(ends[0]), let high = Self.number(ends[1]),
                low <= high
            else { return nil }
            parts.append(Part(literal: String(left[..<open]), numbers: low...high))
            left = left[left.index(after: close)...]
        }
        if !left.isEmpty || parts.isEmpty {
            parts.append(Part(literal: String(left), numbers: nil))
        }
        self.parts = parts
    }

    private static func number(_ digits: Substring) -> UInt32? {
        guard (1...8).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return UInt32(digits)
    }
}
