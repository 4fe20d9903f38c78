/// Numbers in verdicts and in the live view, where they have to be short, or exact. Beside them
/// `NumberText` has what reports show.
enum Figures {
    /// Exactly so many decimals; what is no number is "–".
    static func fixed(_ value: Double, decimals: Int) -> String {
        NumberText.fixed(value, decimals, groups: true)
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
