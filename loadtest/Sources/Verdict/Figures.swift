/// Numbers for people. The locale has no say: a figure looks the same on every host.
enum Figures {
    /// "12,345"
    static func count(_ value: UInt64) -> String {
        let digits = String(value)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// Exactly so many decimals; what is no number is "–".
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        let scale = (0..<decimals).reduce(1.0) { product, _ in product * 10 }
        let scaled = UInt64((abs(value) * scale).rounded())
        let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: UInt64(scale))
        var text = (value < 0 && scaled > 0 ? "-" : "") + count(whole)
        if decimals > 0 {
            let digits = String(fraction)
            text += "." + String(repeating: "0", count: decimals - digits.count) + digits
        }
        return text
    }

    /// Up to so many decimals, no zeros at the end.
    static func trimmed(_ value: Double, decimals: Int) -> String {
        var text = fixed(value, decimals: decimals)
        if decimals > 0, text.contains(".") {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return text
    }

    /// A rate a second: whole numbers from 100 on, "12.5" below.
    static func rate(_ value: Double) -> String {
        trimmed(value, decimals: value < 100 ? (value < 1 ? 3 : 1) : 0)
    }

    /// Three digits, and the unit that suits: "420 µs", "1.23 ms", "12.3 ms", "123 ms", "1.23 s".
    static func latency(microseconds value: Double) -> String {
        switch value {
        case ..<999.5: fixed(value, decimals: 0) + " µs"
        case ..<9_995: fixed(value / 1e3, decimals: 2) + " ms"
        case ..<99_950: fixed(value / 1e3, decimals: 1) + " ms"
        case ..<999_500: fixed(value / 1e3, decimals: 0) + " ms"
        case ..<9_995_000: fixed(value / 1e6, decimals: 2) + " s"
        default: fixed(value / 1e6, decimals: 1) + " s"
        }
    }

    /// To the microsecond: what a limit is compared with must not look like another number.
    static func exactLatency(microseconds value: Double) -> String {
        switch value {
        case ..<1000: trimmed(value, decimals: 1) + " µs"
        case ..<1_000_000: trimmed(value / 1e3, decimals: 3) + " ms"
        default: trimmed(value / 1e6, decimals: 6) + " s"
        }
    }

    /// "0.02%"; a share that is not zero never shows as zero.
    static func percent(_ share: Double) -> String {
        let percent = share * 100
        if percent > 0, percent < 0.0001 { return "under 0.0001%" }
        return trimmed(percent, decimals: percent < 0.1 ? 4 : 2) + "%"
    }

    /// "4.2 MB", in powers of 1000.
    static func bytes(_ value: UInt64) -> String {
        let units: [(String, Double)] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
        for (name, size) in units where Double(value) >= size {
            return fixed(Double(value) / size, decimals: 1) + " " + name
        }
        return "\(value) B"
    }
}
