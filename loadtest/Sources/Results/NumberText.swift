/// Numbers as people read them. English, and the same everywhere: no locale.
enum NumberText {
    /// "1,234,567".
    static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value))
        var out = ""
        for (at, digit) in digits.enumerated() {
            if at > 0 && (digits.count - at) % 3 == 0 { out += "," }
            out.append(digit)
        }
        return out
    }

    /// With that many decimals, as C's "%.3f"; "–" for what is no number, or too great for one.
    static func fixed(_ value: Double, _ decimals: Int, groups: Bool = false) -> String {
        let scale = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
        let scaled = (value.magnitude * scale).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return "–" }
        let whole = UInt64(scaled) / UInt64(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        let left = sign + (groups ? grouped(whole) : String(whole))
        if decimals == 0 { return left }
        let fraction = String(UInt64(scaled) % UInt64(scale))
        return "\(left).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
    }

    /// Three or four significant digits: "12.3", "0.123", "1,234".
    static func short(_ value: Double) -> String {
        switch value.magnitude {
        case 0: "0"
        case ..<0.0995: fixed(value, 3)
        case ..<9.995: fixed(value, 2)
        case ..<99.95: fixed(value, 1)
        default: fixed(value, 0, groups: true)
        }
    }

    /// "873 µs", "1.23 ms", "12.3 ms", "1.23 s".
    static func latency(microseconds value: Double) -> String {
        switch value {
        case ..<999.5: "\(fixed(value, 0)) µs"
        case ..<999_500: "\(short(value / 1000)) ms"
        default: "\(short(value / 1e6)) s"
        }
    }

    static func latency(_ microseconds: UInt64?) -> String {
        microseconds.map { latency(microseconds: Double($0)) } ?? "–"
    }

    /// Milliseconds with three decimals, as files have them; "" for none.
    static func milliseconds(_ microseconds: UInt64?) -> String {
        microseconds.map { fixed(Double($0) / 1000, 3) } ?? ""
    }

    /// "1.50 MiB".
    static func bytes(_ value: Double) -> String {
        var (value, unit) = (value, 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while value >= 1023.5 && unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(unit == 0 ? fixed(value, 0) : short(value)) \(units[unit])"
    }

    /// "45 s", "2 min 5 s", "1 h 30 min".
    static func duration(seconds: Double) -> String {
        guard seconds < 1e12 else { return "–" }
        if seconds < 59.95 {
            let text = fixed(seconds, 1)
            return "\(text.hasSuffix(".0") ? String(text.dropLast(2)) : text) s"
        }
        let whole = UInt64(seconds.rounded())
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        let parts =
            hours > 0
            ? ["\(hours) h", minutes > 0 ? "\(minutes) min" : nil]
            : ["\(minutes) min", rest > 0 ? "\(rest) s" : nil]
        return parts.compactMap { $0 }.joined(separator: " ")
    }

    /// Of a share from 0 to 1. Never rounds to 0 or 100 what is neither.
    static func percent(_ share: Double) -> String {
        let value = share * 100
        if value > 0 && value < 0.01 { return "< 0.01 %" }
        if value < 100 && value > 99.99 { return "> 99.99 %" }
        return "\(fixed(value, 2)) %"
    }

    /// "p99.9" of 99.9.
    static func percentileName(_ percentile: Double) -> String { "p\(trimmed(percentile))" }

    /// Without needless zeros: "20", "99.9", "0.125".
    static func trimmed(_ value: Double) -> String {
        var text = fixed(value, 6)
        guard text.contains(".") else { return text }
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
}
