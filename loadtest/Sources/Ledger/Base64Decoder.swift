/// Decodes base64 a slice at a time, so that who looks for something near its beginning decodes no
/// more than that.
struct Base64Decoder: ~Copyable {
    private static let invalid: UInt8 = 0xFF
    private let values: UnsafeMutablePointer<UInt8>

    init() {
        values = .allocate(capacity: 256)
        values.initialize(repeating: Self.invalid, count: 256)
        let alphabet: StaticString =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for value in 0..<64 { values[Int(alphabet.utf8Start[value])] = UInt8(value) }
    }

    deinit { values.deallocate() }

    @inline(__always)
    func isDigit(_ byte: UInt8) -> Bool { values[Int(byte)] != Self.invalid }

    /// Decodes from the front of `text` to the first byte that is no base64 digit. Three bytes of
    /// `out` are written for every four of `text`, and one more may be.
    func decode(_ text: RowBytes, _ count: Int, into out: UnsafeMutablePointer<UInt8>) -> Int {
        var at = 0
        var to = out
        while at + 4 <= count {
            let (a, b) = (values[Int(text[at])], values[Int(text[at + 1])])
            let (c, d) = (values[Int(text[at + 2])], values[Int(text[at + 3])])
            if (a | b | c | d) & 0x80 != 0 { break }
            to[0] = a << 2 | b >> 4
            to[1] = b << 4 | c >> 2
            to[2] = c << 6 | d
            to += 3
            at += 4
        }
        return to - out + decodeRest(text + at, count - at, into: to)
    }

    /// Two or three digits before the padding are one or two bytes.
    private func decodeRest(
        _ text: RowBytes, _ count: Int, into out: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var digits = 0
        var bits: UInt32 = 0
        while digits < min(count, 3), isDigit(text[digits]) {
            bits |= UInt32(values[Int(text[digits])]) << UInt32(18 - 6 * digits)
            digits += 1
        }
        guard digits >= 2 else { return 0 }
        out[0] = UInt8(truncatingIfNeeded: bits >> 16)
        if digits == 3 { out[1] = UInt8(truncatingIfNeeded: bits >> 8) }
        return digits - 1
    }
}
