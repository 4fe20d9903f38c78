/// Reads an instant as AWS writes the end of credentials: "2026-01-02T09:04:05Z", with fractions of a
/// second (which are left out) and with an offset instead of the Z ("+02:00"). Nil when it is
/// anything else. Seconds since 1970.
public func parseISOTime(_ text: String) -> Int64? {
    var scanner = ISOTimeScanner(text)
    guard let year = scanner.number(4), scanner.takes("-"), let month = scanner.number(2),
        scanner.takes("-"), let day = scanner.number(2), scanner.takes("T"),
        let hour = scanner.number(2), scanner.takes(":"), let minute = scanner.number(2),
        scanner.takes(":"), let second = scanner.number(2), scanner.skipFraction(),
        let offsetSeconds = scanner.zone(), scanner.isAtEnd,
        let time = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
    else { return nil }
    return time.unixSeconds - offsetSeconds
}

/// "2026-01-02T09:04:05Z".
public func isoTime(unixSeconds: Int64) -> String {
    let date = Array(amzDate(unixSeconds: max(0, unixSeconds)))
    func part(_ range: Range<Int>) -> String { String(date[range]) }
    return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T"
        + "\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
}

private struct ISOTimeScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8.prefix(64))[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func takes(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func number(_ digits: Int) -> Int? {
        guard rest.count >= digits else { return nil }
        var value = 0
        for byte in rest.prefix(digits) {
            guard case let digit = byte &- 0x30, digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        rest.removeFirst(digits)
        return value
    }

    /// False when there is a point and no digit behind it.
    mutating func skipFraction() -> Bool {
        guard takes(".") else { return true }
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest.removeFirst(digits.count)
        return !digits.isEmpty
    }

    /// Seconds east of Greenwich.
    mutating func zone() -> Int64? {
        if takes("Z") { return 0 }
        let isEast = takes("+")
        guard isEast || takes("-"), let hours = number(2) else { return nil }
        _ = takes(":")
        guard let minutes = number(2), hours <= 23, minutes <= 59 else { return nil }
        let seconds = Int64(hours * 3600 + minutes * 60)
        return isEast ? seconds : -seconds
    }
}
