/// A moment in UTC as people write it. Pure arithmetic on the proleptic Gregorian calendar, for
/// the years 1970 to 9999.
public struct CivilTime: Equatable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    /// Years are counted from March, so that the leap day is the last; 400 of them, an era, hold
    /// 146,097 days.
    public init(unixSeconds: Int64) {
        let days = Int(unixSeconds / 86_400)
        let rest = Int(unixSeconds % 86_400)
        let shifted = days + 719_468  // days since 0000-03-01
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// Nil unless every field is within its range.
    init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (1970...9999).contains(year), (1...12).contains(month), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second),
            (1...Self.days(inMonth: month, of: year)).contains(day)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    public var unixSeconds: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear / 400
        let yearOfEra = marchYear % 400
        let marchMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Int64(days * 86_400 + hour * 3600 + minute * 60 + second)
    }
}

/// "20260102T030405Z", as AWS writes the moment of a signature.
public func amzDate(unixSeconds: Int64) -> String {
    String(unsafeUninitializedCapacity: 16) { room in
        writeAmzDate(unixSeconds: unixSeconds, to: UnsafeMutableRawPointer(room.baseAddress!))
        return 16
    }
}

/// The same, 16 bytes.
func writeAmzDate(unixSeconds: Int64, to room: UnsafeMutableRawPointer) {
    let at = CivilTime(unixSeconds: unixSeconds)
    func write(_ value: Int, at offset: Int) {
        let zero = UInt8(ascii: "0")
        room.storeBytes(of: zero + UInt8(value / 10), toByteOffset: offset, as: UInt8.self)
        room.storeBytes(of: zero + UInt8(value % 10), toByteOffset: offset + 1, as: UInt8.self)
    }
    write(at.year / 100, at: 0)
    write(at.year % 100, at: 2)
    write(at.month, at: 4)
    write(at.day, at: 6)
    room.storeBytes(of: UInt8(ascii: "T"), toByteOffset: 8, as: UInt8.self)
    write(at.hour, at: 9)
    write(at.minute, at: 11)
    write(at.second, at: 13)
    room.storeBytes(of: UInt8(ascii: "Z"), toByteOffset: 15, as: UInt8.self)
}

/// Reads "20260102T030405Z"; nil when it is anything else.
public func parseAmzDate(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z"),
        let year = number(bytes[0..<4]), let month = number(bytes[4..<6]),
        let day = number(bytes[6..<8]), let hour = number(bytes[9..<11]),
        let minute = number(bytes[11..<13]), let second = number(bytes[13..<15])
    else { return nil }
    return CivilTime(
        year: year, month: month, day: day, hour: hour, minute: minute, second: second)?
        .unixSeconds
}

private let weekdayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
private let monthNames = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]

/// "Fri, 02 Jan 2026 03:04:05 GMT" (RFC 9110, 5.6.7).
public func httpDate(unixSeconds: Int64) -> String {
    let at = CivilTime(unixSeconds: unixSeconds)
    let weekday = weekdayNames[Int(unixSeconds / 86_400 % 7)]
    return "\(weekday), \(twoDigits(at.day)) \(monthNames[at.month - 1]) "
        + twoDigits(at.year / 100) + twoDigits(at.year % 100)
        + " \(twoDigits(at.hour)):\(twoDigits(at.minute)):\(twoDigits(at.second)) GMT"
}

/// Reads the value of a `Date` header in its one current form; nil when it is anything else. The
/// day of the week is not checked.
public func parseHTTPDate(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 29, bytes[3] == UInt8(ascii: ","),
        bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":"),
        [4, 7, 11, 16, 25].allSatisfy({ bytes[$0] == UInt8(ascii: " ") }),
        bytes[26...].elementsEqual("GMT".utf8),
        let day = number(bytes[5..<7]), let year = number(bytes[12..<16]),
        let hour = number(bytes[17..<19]), let minute = number(bytes[20..<22]),
        let second = number(bytes[23..<25]),
        let month = monthNames.firstIndex(where: { bytes[8..<11].elementsEqual($0.utf8) })
    else { return nil }
    return CivilTime(
        year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)?
        .unixSeconds
}

private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

private func number(_ digits: ArraySlice<UInt8>) -> Int? {
    var value = 0
    for digit in digits {
        guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return value
}
