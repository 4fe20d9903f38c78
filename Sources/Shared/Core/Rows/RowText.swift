import CBytes

// Bytes of a request → the inside of a JSON string. Two spellings of the same text: plain (a header
// field) and form (application/x-www-form-urlencoded: '+' is a space, %XX a byte, a malformed %
// stands for itself).
//
// What comes out is always valid UTF-8 and valid JSON. Each maximal part of an ill-formed sequence
// becomes one U+FFFD (Unicode 3.9, as browsers do), and so does NUL, which Redshift refuses even
// escaped. Other controls become \u00XX.

public typealias Bytes = UnsafePointer<UInt8>
public typealias RowCursor = UnsafeMutablePointer<UInt8>

/// Appends at most `limit` bytes of text (counted decoded, as VARCHAR counts), never cutting a
/// character. Writes at most six bytes for each of `count`, and 16 more of rubbish beyond.
///
/// Returns how many bytes of decoded text were appended.
@discardableResult
@inline(always)
func appendPlainText(_ text: Bytes, _ count: Int, limit: Int, to at: inout RowCursor) -> Int {
    let clean = cbytes_copy_json_clean(at, text, min(count, limit))
    at += clean
    if clean == count || clean == limit { return clean }
    return clean
        + appendRestOfPlainText(text + clean, count - clean, limit: limit - clean, to: &at)
}

@discardableResult
@inline(always)
func appendFormText(_ text: Bytes, _ count: Int, limit: Int, to at: inout RowCursor) -> Int {
    let clean = cbytes_copy_form_clean(at, text, min(count, limit))
    at += clean
    if clean == count || clean == limit { return clean }
    return clean
        + appendRestOfFormText(text + clean, count - clean, limit: limit - clean, to: &at)
}

/// The slow way, from the first byte that is not copied as it stands. Two functions, so that each
/// is compiled for its spelling.
@inline(never)
private func appendRestOfPlainText(
    _ text: Bytes, _ count: Int, limit: Int, to at: inout RowCursor
) -> Int {
    appendRestOfText(text, count, limit: limit, isForm: false, to: &at)
}

@inline(never)
private func appendRestOfFormText(
    _ text: Bytes, _ count: Int, limit: Int, to at: inout RowCursor
) -> Int {
    appendRestOfText(text, count, limit: limit, isForm: true, to: &at)
}

@inline(always)
private func appendRestOfText(
    _ text: Bytes, _ count: Int, limit: Int, isForm: Bool, to at: inout RowCursor
) -> Int {
    var left = limit
    var index = 0
    while index < count {
        let unit = decodedByte(text, index, count, isForm: isForm)
        if unit.byte >= 0x80 {
            let character = decodedCharacter(text, index, count, first: unit, isForm: isForm)
            guard character.outputBytes <= left else { break }
            character.write(to: &at)
            left &-= character.outputBytes
            index &+= character.inputBytes
        } else {
            if unit.byte == 0 {
                guard left >= 3 else { break }
                DecodedCharacter.replacement(inputBytes: 0).write(to: &at)
                left &-= 3
            } else {
                guard left >= 1 else { break }
                appendEscaped(unit.byte, to: &at)
                left &-= 1
            }
            index &+= unit.inputBytes
        }
        // Escapes come in runs: no vector search between two of them.
        if isForm, index < count, text[index] == UInt8(ascii: "%") { continue }
        let most = min(count &- index, left)
        let clean =
            isForm
            ? cbytes_copy_form_clean(at, text + index, most)
            : cbytes_copy_json_clean(at, text + index, most)
        at += clean
        left &-= clean
        index &+= clean
    }
    return limit &- left
}

/// One ASCII character other than NUL.
@inline(always)
func appendEscaped(_ byte: UInt8, to at: inout RowCursor) {
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        at[0] = UInt8(ascii: "\\")
        at[1] = byte
        at += 2
    } else if byte < 0x20 {
        at[0] = UInt8(ascii: "\\")
        at[1] = UInt8(ascii: "u")
        at[2] = UInt8(ascii: "0")
        at[3] = UInt8(ascii: "0")
        at[4] = UInt8(ascii: "0") &+ byte >> 4
        let low = byte & 15
        at[5] = low < 10 ? UInt8(ascii: "0") &+ low : UInt8(ascii: "a") &- 10 &+ low
        at += 6
    } else {
        at[0] = byte
        at += 1
    }
}

/// A byte of text and how many bytes spelled it (1, or 3 for %XX).
struct DecodedByte {
    var byte: UInt8
    var inputBytes: Int
}

@inline(always)
func decodedByte(_ text: Bytes, _ index: Int, _ count: Int, isForm: Bool) -> DecodedByte {
    let byte = text[index]
    if isForm {
        if byte == UInt8(ascii: "+") { return DecodedByte(byte: 0x20, inputBytes: 1) }
        if byte == UInt8(ascii: "%"), index &+ 2 < count {
            let high = hexDigit(text[index &+ 1])
            let low = hexDigit(text[index &+ 2])
            if high | low < 16 { return DecodedByte(byte: high << 4 | low, inputBytes: 3) }
        }
    }
    return DecodedByte(byte: byte, inputBytes: 1)
}

/// 0...15; 255 for what is no hexadecimal digit.
@inline(always)
func hexDigit(_ byte: UInt8) -> UInt8 {
    let number = byte &- UInt8(ascii: "0")
    if number < 10 { return number }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter &+ 10 : 255
}

/// One character beyond ASCII, or the U+FFFD that stands for what is none.
struct DecodedCharacter {
    /// Its UTF-8, first byte lowest.
    var bytes: UInt32
    var outputBytes: Int
    var inputBytes: Int

    @inline(always)
    static func replacement(inputBytes: Int) -> DecodedCharacter {
        DecodedCharacter(bytes: 0xBDBFEF, outputBytes: 3, inputBytes: inputBytes)
    }

    /// Stores four bytes whatever their number.
    @inline(always)
    func write(to at: inout RowCursor) {
        UnsafeMutableRawPointer(at).storeBytes(of: bytes.littleEndian, as: UInt32.self)
        at += outputBytes
    }
}

/// Reads the character that begins with `first` (>= 0x80) by Unicode's table 3-7 of well-formed
/// sequences.
func decodedCharacter(
    _ text: Bytes, _ index: Int, _ count: Int, first: DecodedByte, isForm: Bool
) -> DecodedCharacter {
    var lowest: UInt8 = 0x80
    var highest: UInt8 = 0xBF
    let continuations: Int
    switch first.byte {
    case 0xC2...0xDF: continuations = 1
    case 0xE0...0xEF:
        continuations = 2
        if first.byte == 0xE0 { lowest = 0xA0 }  // shorter forms exist
        if first.byte == 0xED { highest = 0x9F }  // surrogates
    case 0xF0...0xF4:
        continuations = 3
        if first.byte == 0xF0 { lowest = 0x90 }
        if first.byte == 0xF4 { highest = 0x8F }  // beyond U+10FFFF
    default: return .replacement(inputBytes: first.inputBytes)
    }
    var bytes = UInt32(first.byte)
    var at = index &+ first.inputBytes
    for place in 1...continuations {
        guard at < count else { return .replacement(inputBytes: at &- index) }
        let next = decodedByte(text, at, count, isForm: isForm)
        guard next.byte >= lowest, next.byte <= highest else {
            return .replacement(inputBytes: at &- index)
        }
        bytes |= UInt32(next.byte) << UInt32(8 &* place)
        at &+= next.inputBytes
        (lowest, highest) = (0x80, 0xBF)
    }
    return DecodedCharacter(
        bytes: bytes, outputBytes: continuations &+ 1, inputBytes: at &- index)
}

/// Decodes form text to plain bytes, for names and numbers. Nil when it is longer than `limit`.
func decodeForm(
    _ text: Bytes, _ count: Int, into target: RowCursor, limit: Int
) -> Int? {
    var length = 0
    var index = 0
    while index < count {
        guard length < limit else { return nil }
        let unit = decodedByte(text, index, count, isForm: true)
        target[length] = unit.byte
        length &+= 1
        index &+= unit.inputBytes
    }
    return length
}
