/// An instant as "2026-11-23T01:35:26.123Z".
func utcTime(microseconds: UInt64) -> String {
    let (year, month, day) = civilDate(daysSince1970: Int(microseconds / 86_400_000_000))
    let ms = Int(microseconds / 1000 % 86_400_000)
    let time = [ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60].map { zeros($0, 2) }
    return "\(zeros(year, 4))-\(zeros(month, 2))-\(zeros(day, 2))T"
        + time.joined(separator: ":") + ".\(zeros(ms % 1000, 3))Z"
}

/// Proleptic Gregorian; years begin in March here, so that the leap day comes last.
private func civilDate(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSince1970 + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
        yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
    )
}

private func zeros(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
