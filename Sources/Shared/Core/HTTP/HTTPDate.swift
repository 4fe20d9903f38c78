/// A moment of the civil calendar, UTC.
public struct CivilTime: Equatable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    /// 0 is Sunday.
    public var weekday: Int

    /// From seconds since 1970 (Howard Hinnant's days-to-civil arithmetic, proleptic Gregorian).
    public init(unixSeconds: UInt64) {
        let days = Int(unixSeconds / 86_400)
        let rest = Int(unixSeconds % 86_400)
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = (days + 4) % 7
    }
}

/// The Date field's value, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7): always 29 bytes.
public enum HTTPDate {
    public static let byteCount = 29

    public static func write(unixSeconds: UInt64, to target: UnsafeMutablePointer<UInt8>) {
        let time = CivilTime(unixSeconds: unixSeconds)
        let weekdays: StaticString = "SunMonTueWedThuFriSat"
        let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
        let frame: StaticString = "???, 00 ??? 0000 00:00:00 GMT"
        target.update(from: frame.utf8Start, count: byteCount)
        target.update(from: weekdays.utf8Start + 3 * time.weekday, count: 3)
        writeTwoDigits(time.day, to: target + 5)
        (target + 8).update(from: months.utf8Start + 3 * (time.month - 1), count: 3)
        writeTwoDigits(time.year / 100, to: target + 12)
        writeTwoDigits(time.year % 100, to: target + 14)
        writeTwoDigits(time.hour, to: target + 17)
        writeTwoDigits(time.minute, to: target + 20)
        writeTwoDigits(time.second, to: target + 23)
    }

    private static func writeTwoDigits(_ value: Int, to target: UnsafeMutablePointer<UInt8>) {
        target[0] = UInt8(0x30 + value / 10 % 10)
        target[1] = UInt8(0x30 + value % 10)
    }
}
