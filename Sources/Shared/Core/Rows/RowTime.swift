import CBytes

/// The range a timestamp may have: years 1 to 9999, which every warehouse writes with four digits.
let timestampMicroseconds = -62_135_596_800_000_000...253_402_300_799_999_999

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
func days(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

/// The inverse.
func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}

/// Writes "YYYY-MM-DD HH:MM:SS": 19 bytes. The seconds are within `timestampMicroseconds`.
func writeSeconds(_ seconds: Int, to target: RowCursor) {
    var day = seconds / 86_400
    var rest = seconds % 86_400
    if rest < 0 {
        day -= 1
        rest += 86_400
    }
    let (year, month, dayOfMonth) = date(days: day)
    writeTwo(year / 100, to: target)
    writeTwo(year % 100, to: target + 2)
    target[4] = UInt8(ascii: "-")
    writeTwo(month, to: target + 5)
    target[7] = UInt8(ascii: "-")
    writeTwo(dayOfMonth, to: target + 8)
    target[10] = UInt8(ascii: " ")
    writeTwo(rest / 3600, to: target + 11)
    target[13] = UInt8(ascii: ":")
    writeTwo(rest / 60 % 60, to: target + 14)
    target[16] = UInt8(ascii: ":")
    writeTwo(rest % 60, to: target + 17)
}

/// Writes two decimal digits of 0...99.
@inline(always)
private func writeTwo(_ value: Int, to target: RowCursor) {
    cbytes_two(UInt32(truncatingIfNeeded: value), target)
}

/// Appends "YYYY-MM-DD HH:MM:SS.ffffff": 26 bytes. Microseconds within `timestampMicroseconds`.
func appendTimestamp(_ microseconds: Int, to at: inout RowCursor) {
    var seconds = microseconds / 1_000_000
    var fraction = microseconds % 1_000_000
    if fraction < 0 {
        seconds -= 1
        fraction += 1_000_000
    }
    writeSeconds(seconds, to: at)
    at[19] = UInt8(ascii: ".")
    cbytes_six(UInt32(truncatingIfNeeded: fraction), at + 20)
    at += 26
}

/// Reads a timestamp in microseconds since 1970.
///
/// Either digits alone: up to 10 are seconds, 11 to 13 milliseconds (as JavaScript's Date.now()
/// gives them). Or ISO 8601: YYYY-MM-DD, 'T' or a space, HH:MM:SS, optionally a fraction of 1 to 9
/// digits (cut to microseconds), optionally Z or ±hh:mm; without a zone it is UTC. A space in place
/// of the zone's sign is read as '+': that is what form decoding makes of a plus that was not
/// escaped. A second of 60 does not convert.
func parseTimestamp(_ text: Bytes, _ count: Int) -> Int? {
    if count <= 13 { return parseEpoch(text, count) }
    guard count >= 19, let year = number(text, 0, 4), let month = number(text, 5, 2),
        let day = number(text, 8, 2), let hour = number(text, 11, 2),
        let minute = number(text, 14, 2), let second = number(text, 17, 2),
        text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
        text[10] | 0x20 == UInt8(ascii: "t") || text[10] == UInt8(ascii: " "),
        text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
        year >= 1, (1...12).contains(month), day >= 1, day <= lastDay(year: year, month: month),
        hour < 24, minute < 60, second < 60
    else { return nil }
    var at = 19
    guard let fraction = parseFraction(text, &at, count),
        let offsetMinutes = parseZone(text, at, count)
    else { return nil }
    let daySeconds = hour * 3600 + (minute - offsetMinutes) * 60 + second
    let seconds = days(year: year, month: month, day: day) * 86_400 + daySeconds
    let microseconds = seconds * 1_000_000 + fraction
    return timestampMicroseconds.contains(microseconds) ? microseconds : nil
}

private func parseEpoch(_ text: Bytes, _ count: Int) -> Int? {
    guard count >= 1, let value = number(text, 0, count) else { return nil }
    return value * (count <= 10 ? 1_000_000 : 1000)
}

/// So many digits; nil when one is none.
private func number(_ text: Bytes, _ start: Int, _ count: Int) -> Int? {
    var value = 0
    for index in start..<start + count {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value &* 10 &+ Int(digit)
    }
    return value
}

private func lastDay(year: Int, month: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// ".123456789" at `at`, in microseconds; 0 when there is none.
private func parseFraction(_ text: Bytes, _ at: inout Int, _ count: Int) -> Int? {
    guard at < count, text[at] == UInt8(ascii: ".") else { return 0 }
    at += 1
    var value = 0
    var digits = 0
    while at < count, text[at] &- UInt8(ascii: "0") < 10 {
        if digits < 6 { value = value * 10 + Int(text[at] &- UInt8(ascii: "0")) }
        digits += 1
        at += 1
    }
    guard (1...9).contains(digits) else { return nil }
    while digits < 6 {
        value *= 10
        digits += 1
    }
    return value
}

/// Minutes east of UTC from what is left of the text.
private func parseZone(_ text: Bytes, _ at: Int, _ count: Int) -> Int? {
    if at == count { return 0 }
    if at + 1 == count, text[at] | 0x20 == UInt8(ascii: "z") { return 0 }
    guard at + 6 == count, text[at + 3] == UInt8(ascii: ":"), let hours = number(text, at + 1, 2),
        let minutes = number(text, at + 4, 2), hours <= 23, minutes <= 59
    else { return nil }
    switch text[at] {
    case UInt8(ascii: "+"), UInt8(ascii: " "): return hours * 60 + minutes
    case UInt8(ascii: "-"): return -(hours * 60 + minutes)
    default: return nil
    }
}
