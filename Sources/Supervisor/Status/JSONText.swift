/// Writes JSON by hand: keys in the order they are given, everything escaped, no spaces.
struct JSONText {
    private(set) var text = ""
    private var needsComma = false

    mutating func object(_ fields: (inout JSONText) -> Void) {
        open("{")
        fields(&self)
        close("}")
    }

    mutating func array<Elements: Sequence>(
        _ elements: Elements, _ each: (inout JSONText, Elements.Element) -> Void
    ) {
        open("[")
        for element in elements { each(&self, element) }
        close("]")
    }

    mutating func key(_ name: String) {
        string(name)
        text += ":"
        needsComma = false
    }

    mutating func string(_ value: String) {
        separate()
        text += "\""
        for scalar in value.unicodeScalars { append(scalar) }
        text += "\""
    }

    mutating func number(_ value: UInt64) { raw(String(value)) }
    mutating func number(_ value: Int) { raw(String(value)) }
    /// With three decimals at most.
    mutating func number(_ value: Double) {
        let rounded = (value * 1000).rounded() / 1000
        raw(
            rounded == rounded.rounded() && abs(rounded) < 1e15
                ? String(Int64(rounded)) : String(rounded))
    }
    mutating func null() { raw("null") }
    mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

    /// Milliseconds as seconds with three decimals: "12.345".
    mutating func seconds(ms: UInt64) {
        let fraction = String(ms % 1000)
        raw("\(ms / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction)
    }

    /// A number that is text already.
    mutating func literal(_ number: String) { raw(number) }

    mutating func field(_ name: String, _ value: UInt64) {
        key(name)
        number(value)
    }

    mutating func field(_ name: String, _ value: Int) {
        key(name)
        number(value)
    }

    /// Nil is written as null.
    mutating func field(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    private mutating func raw(_ words: String) {
        separate()
        text += words
    }

    private mutating func open(_ bracket: String) {
        separate()
        text += bracket
        needsComma = false
    }

    private mutating func close(_ bracket: String) {
        text += bracket
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text += "," }
        needsComma = true
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case "\0"..<" ", "\u{7F}", "\u{2028}", "\u{2029}":
            let hex = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: text.unicodeScalars.append(scalar)
        }
    }
}
