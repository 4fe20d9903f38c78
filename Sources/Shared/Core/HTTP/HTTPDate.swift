/// The Date field's value, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7): always 29 bytes.
public enum HTTPDate {
    public static let byteCount = 29

    public static func write(unixSeconds: UInt64, to target: UnsafeMutablePointer<UInt8>) {
        let time = CivilTime(unixSeconds: Int64(unixSeconds))
        let weekdays: StaticString = "ThuFriSatSunMonTueWed"  // 1970 began on a Thursday
        let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
        let frame: StaticString = "???, 00 ??? 0000 00:00:00 GMT"
        target.update(from: frame.utf8Start, count: byteCount)
        target.update(from: weekdays.utf8Start + 3 * Int(unixSeconds / 86_400 % 7), count: 3)
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
