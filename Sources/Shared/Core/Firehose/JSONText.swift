/// A string within JSON text that `JSONScanner` found to be one: its bytes as they stand there.
struct JSONText {
    /// Between the quotes, escapes and all.
    var escaped: UnsafeRawBufferPointer

    var isEmpty: Bool { escaped.isEmpty }

    /// Equal to a word of plain ASCII. One that is written with escapes is taken for another: no
    /// service does that to names.
    static func ~= (word: StaticString, text: JSONText) -> Bool {
        guard text.escaped.count == word.utf8CodeUnitCount else { return false }
        for at in 0..<text.escaped.count where text.escaped[at] != word.utf8Start[at] {
            return false
        }
        return true
    }

    /// What it says; what exceeds `bytesMax` UTF-8 bytes is left out.
    func string(bytesMax: Int) -> String {
        var out: [UInt8] = []
        var at = 0
        while at < escaped.count, out.count < bytesMax {
            if escaped[at] == UInt8(ascii: "\\") {
                out.append(contentsOf: String(scalar(escapedAt: &at)).utf8)
            } else {
                out.append(escaped[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Half a surrogate pair becomes U+FFFD: these texts are for people.
    private func scalar(escapedAt at: inout Int) -> Unicode.Scalar {
        let byte = escaped[at + 1]
        at += 2
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            var value: UInt32 = 0
            for _ in 0..<4 {
                value = value << 4 | UInt32(SigV4.hexValue(escaped[at]) ?? 0)
                at += 1
            }
            return Unicode.Scalar(value) ?? "\u{FFFD}"
        default: return Unicode.Scalar(byte)
        }
    }
}
