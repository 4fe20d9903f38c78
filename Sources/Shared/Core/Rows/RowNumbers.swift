// Text → integer, double, boolean as a JSON value. All are strict: no blanks, no thousands, no
// hexadecimal; what does not fit exactly is not converted.

/// Longest text of a value that is not text; a longer one is not converted.
let scalarTextBytesMax = 64

/// Optional sign, digits, within 64 bits. "+3" and "007" are 3 and 7.
func parseInteger(_ text: Bytes, _ count: Int) -> Int64? {
    var index = 0
    var isNegative = false
    if count > 0, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
        isNegative = text[0] == UInt8(ascii: "-")
        index = 1
    }
    guard index < count else { return nil }
    var magnitude: UInt64 = 0
    while index < count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        let (tens, overflowed) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, carried) = tens.addingReportingOverflow(UInt64(digit))
        if overflowed || carried { return nil }
        magnitude = sum
        index &+= 1
    }
    if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
}

/// At most 20 bytes.
func appendInteger(_ value: Int64, to at: inout RowCursor) {
    var magnitude = value.magnitude
    if value < 0 {
        at[0] = UInt8(ascii: "-")
        at += 1
    }
    var digits = 1
    var bound: UInt64 = 10
    while digits < 19, magnitude >= bound {
        digits &+= 1
        bound &*= 10
    }
    var place = digits
    while place > 0 {
        place &-= 1
        at[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude % 10)
        magnitude /= 10
    }
    at += digits
}

/// Appends a decimal number as JSON spells it; false, and nothing lasting written, when it is none.
///
/// Accepted: optional sign, digits with an optional point somewhere among or around them, optional
/// exponent. The digits are kept as they came; only the form is made JSON's (".5" → 0.5, "+3" → 3,
/// "1." → 1, "007" → 7). Zero in any form is 0. Others must lie within 1e-307 ..< 1e308 in
/// magnitude, so that every reader's double holds them; nan and inf are no numbers here. At most
/// one byte longer than its text.
func appendDouble(_ text: Bytes, _ count: Int, to at: inout RowCursor) -> Bool {
    var index = 0
    var isNegative = false
    if count > 0, text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+") {
        isNegative = text[0] == UInt8(ascii: "-")
        index = 1
    }
    let whole = digits(text, index, count)
    index = whole.upperBound
    var fraction = index..<index
    if index < count, text[index] == UInt8(ascii: ".") {
        fraction = digits(text, index &+ 1, count)
        index = fraction.upperBound
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return false }
    guard let exponent = parseExponent(text, index, count) else { return false }

    let wholeLead = skipZeros(text, whole)
    let fractionLead = skipZeros(text, fraction)
    let leadPower: Int
    if wholeLead < whole.upperBound {
        leadPower = whole.upperBound &- wholeLead &- 1
    } else if fractionLead < fraction.upperBound {
        leadPower = fraction.lowerBound &- fractionLead &- 1
    } else {
        at[0] = UInt8(ascii: "0")
        at += 1
        return true
    }
    guard (-307...307).contains(leadPower &+ exponent) else { return false }
    if isNegative { append(UInt8(ascii: "-"), to: &at) }
    if wholeLead == whole.upperBound { append(UInt8(ascii: "0"), to: &at) }
    for place in wholeLead..<whole.upperBound { append(text[place], to: &at) }
    if !fraction.isEmpty {
        append(UInt8(ascii: "."), to: &at)
        for place in fraction { append(text[place], to: &at) }
    }
    for place in index..<count { append(text[place], to: &at) }
    return true
}

@inline(always)
private func append(_ byte: UInt8, to at: inout RowCursor) {
    at[0] = byte
    at += 1
}

/// The run of digits from `start`.
private func digits(_ text: Bytes, _ start: Int, _ count: Int) -> Range<Int> {
    var end = start
    while end < count, text[end] &- UInt8(ascii: "0") < 10 { end &+= 1 }
    return start..<end
}

private func skipZeros(_ text: Bytes, _ digits: Range<Int>) -> Int {
    var at = digits.lowerBound
    while at < digits.upperBound, text[at] == UInt8(ascii: "0") { at &+= 1 }
    return at
}

/// "e+5" to the end of the text; 0 when there is none, nil when it is malformed. Beyond ±9999 it
/// stays there, which no number survives.
private func parseExponent(_ text: Bytes, _ start: Int, _ count: Int) -> Int? {
    guard start < count else { return 0 }
    guard text[start] | 0x20 == UInt8(ascii: "e") else { return nil }
    var index = start &+ 1
    var isNegative = false
    if index < count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
        isNegative = text[index] == UInt8(ascii: "-")
        index &+= 1
    }
    guard index < count else { return nil }
    var value = 0
    while index < count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = min(value &* 10 &+ Int(digit), 9999)
        index &+= 1
    }
    return isNegative ? -value : value
}

/// true, t, yes, 1 and false, f, no, 0 in any case.
func parseBoolean(_ text: Bytes, _ count: Int) -> Bool? {
    guard (1...5).contains(count) else { return nil }
    var word: UInt64 = 0
    for index in 0..<count { word = word << 8 | UInt64(text[index] | 0x20) }
    switch (count, word) {
    // '1' and '0' already have the bit that makes letters lower case; so do the controls 0x11 and
    // 0x10, which must not pass for them.
    case (1, 0x31): return text[0] == UInt8(ascii: "1") ? true : nil
    case (1, 0x30): return text[0] == UInt8(ascii: "0") ? false : nil
    case (1, 0x74): return isLetters(text, count) ? true : nil
    case (1, 0x66): return isLetters(text, count) ? false : nil
    case (2, 0x6E6F): return isLetters(text, count) ? false : nil
    case (3, 0x796573): return isLetters(text, count) ? true : nil
    case (4, 0x74727565): return isLetters(text, count) ? true : nil
    case (5, 0x66616C7365): return isLetters(text, count) ? false : nil
    default: return nil
    }
}

private func isLetters(_ text: Bytes, _ count: Int) -> Bool {
    for index in 0..<count where (text[index] | 0x20) &- UInt8(ascii: "a") >= 26 { return false }
    return true
}
