/// Sizes as people write them: "64 MiB", "10GB", "4096".
public enum ByteSize {
    public enum Flaw: Error, Equatable {
        case notASize
        /// "10G": 1000 or 1024? The letter is given.
        case ambiguousUnit(String)
        case unknownUnit(String)
        case fraction
        case overflow
    }

    private static let units: [(name: String, bytes: UInt64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000),
        ("B", 1),
    ]

    /// Bytes. Units in any case; a bare number is bytes.
    public static func parse(_ text: String) throws(Flaw) -> UInt64 {
        guard let (digits, unit) = splitNumber(text) else { throw .notASize }
        if unit.hasPrefix(".") { throw .fraction }
        guard let count = UInt64(digits) else { throw .overflow }
        if unit.isEmpty { return count }
        guard let found = units.first(where: { $0.name.lowercased() == unit.lowercased() }) else {
            if ["k", "m", "g", "t"].contains(unit.lowercased()) {
                throw .ambiguousUnit(unit.uppercased())
            }
            throw .unknownUnit(unit)
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: found.bytes)
        if overflow { throw .overflow }
        return bytes
    }

    /// The shortest exact way to write it: "10 GiB", "1 MB", "4097".
    public static func text(_ bytes: UInt64) -> String {
        for unit in units where unit.bytes > 1 && bytes >= unit.bytes && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes) \(unit.name)"
        }
        return "\(bytes)"
    }
}

/// Spans of time as people write them: "300ms", "2s", "1m", "1h".
public enum TimeSpan {
    public enum Flaw: Error, Equatable {
        case notASpan
        case unitMissing
        case unknownUnit(String)
        case fraction
        case overflow
    }

    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Milliseconds. The unit is never guessed.
    public static func parse(_ text: String) throws(Flaw) -> UInt64 {
        guard let (digits, unit) = splitNumber(text) else { throw .notASpan }
        if unit.isEmpty { throw .unitMissing }
        if unit.hasPrefix(".") { throw .fraction }
        guard let found = units.first(where: { $0.name == unit }) else { throw .unknownUnit(unit) }
        guard let count = UInt64(digits) else { throw .overflow }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: found.milliseconds)
        if overflow { throw .overflow }
        return milliseconds
    }

    /// The shortest exact way to write it: "90s", "2s", "1500ms".
    public static func text(_ milliseconds: UInt64) -> String {
        for unit in units where milliseconds >= unit.milliseconds {
            if milliseconds % unit.milliseconds == 0 {
                return "\(milliseconds / unit.milliseconds)\(unit.name)"
            }
        }
        return "\(milliseconds)ms"
    }
}

/// Leading ASCII digits, and what follows them without surrounding blanks; nil without a digit.
private func splitNumber(_ text: String) -> (digits: Substring, rest: String)? {
    let trimmed = trimBlanks(text[...])
    let digits = trimmed.prefix { ("0"..."9").contains($0) }
    if digits.isEmpty { return nil }
    return (digits, String(trimBlanks(trimmed.dropFirst(digits.count))))
}

private func trimBlanks(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
}
