import Core
import Testing

/// What each type takes and how it is written. `nil`: the column stays out and the text is kept in
/// the rest.
@Suite struct RowsValueTests {
    static let prefix = "{\"id\":\"01020304-0506-0708-090a-0b0c0d0e0f10\""

    /// The row's JSON after the id.
    static func tail(_ type: Schema.ColumnType, _ value: String) -> String {
        let rows = Rows(.probe(type))
        let text = rows.text(SampleHit("/p?v=" + value))
        #expect(text.hasPrefix(prefix) && text.hasSuffix("}\n"))
        return String(text.dropFirst(prefix.count).dropLast(2))
    }

    static func expect(
        _ type: Schema.ColumnType, _ value: String, _ json: String?, kept: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let expected = json.map { ",\"v\":\($0)" } ?? ",\"extra\":{\"v\":\"\(kept ?? value)\"}"
        #expect(tail(type, value) == expected, sourceLocation: sourceLocation)
        let strict = Rows(.probe(type, required: true))
        let result = strict.encode(SampleHit("/p?v=" + value)).result
        #expect(
            result.reason == (json == nil ? .unconvertibleRequired : .none),
            sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("7", "7"), ("%2B3", "3"), ("007", "7"), ("%37", "7"),
        ("2147483647", "2147483647"), ("-2147483648", "-2147483648"), ("2147483648", nil),
        ("-2147483649", nil), ("1.0", nil), ("1e3", nil), ("0x10", nil), ("-", nil), ("12a", nil),
        ("99999999999999999999999999", nil),
    ])
    func `an integer has 32 bits`(value: String, json: String?) {
        Self.expect(.integer, value, json)
    }

    @Test(arguments: [
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"), ("9223372036854775808", nil),
        ("-9223372036854775809", nil), ("18446744073709551616", nil), ("1000000000", "1000000000"),
        ("99", "99"), ("100", "100"),
    ])
    func `a bigint has 64 bits`(value: String, json: String?) {
        Self.expect(.bigint, value, json)
    }

    @Test(arguments: [
        ("0", "0"), ("-0.0", "0"), ("0e999999999999", "0"), ("12.50", "12.50"), ("-1.5", "-1.5"),
        (".5", "0.5"), ("-.5", "-0.5"), ("%2B3", "3"), ("1.", "1"), ("1.e5", "1e5"),
        ("007.25", "7.25"), ("1e5", "1e5"), ("1E-05", "1E-05"), ("1e%2B5", "1e+5"),
        ("9.99e307", "9.99e307"), ("1e308", nil), ("1e-307", "1e-307"), ("1e-308", nil),
        ("0.0001e311", "0.0001e311"), ("0.0001e312", nil), ("1e99999999999999999999", nil),
        ("nan", nil), ("inf", nil), ("-Infinity", nil), ("1,5", nil), (".", nil), ("e5", nil),
        ("1e", nil), ("1e%2B", nil), ("--1", nil), ("0x1p3", nil), ("1.2.3", nil), ("12 ", nil),
    ])
    func `a double is a finite decimal number as JSON spells it`(value: String, json: String?) {
        Self.expect(.double, value, json, kept: value.replacingPercentPlus)
    }

    @Test func `a number longer than 64 bytes is not converted`() {
        let digits = "0." + String(repeating: "1", count: 62)
        Self.expect(.double, digits, digits)
        Self.expect(.double, digits + "1", nil)
        Self.expect(
            .integer, "%30" + String(repeating: "0", count: 64), nil,
            kept: String(repeating: "0", count: 65))
    }

    @Test(arguments: [
        ("true", "true"), ("TRUE", "true"), ("t", "true"), ("T", "true"), ("yes", "true"),
        ("Yes", "true"), ("1", "true"), ("false", "false"), ("False", "false"), ("f", "false"),
        ("no", "false"), ("NO", "false"), ("0", "false"), ("y", nil), ("on", nil), ("2", nil),
        ("truee", nil), ("T%52UE", "true"), ("-1", nil),
    ])
    func `a boolean is one of eight words`(value: String, json: String?) {
        Self.expect(.boolean, value, json)
    }

    @Test func `controls do not pass for the digits they resemble`() {
        Self.expect(.boolean, "%11", nil, kept: "\\u0011")
        Self.expect(.boolean, "%10", nil, kept: "\\u0010")
    }

    @Test(arguments: [
        ("2026-11-23T01:02:03", "2026-11-23 01:02:03.000000"),
        ("2026-11-23 01:02:03", "2026-11-23 01:02:03.000000"),
        ("2026-11-23+01:02:03", "2026-11-23 01:02:03.000000"),
        ("2026-11-23t01:02:03z", "2026-11-23 01:02:03.000000"),
        ("2026-11-23T01:02:03.5Z", "2026-11-23 01:02:03.500000"),
        ("2026-11-23T01:02:03.123456789Z", "2026-11-23 01:02:03.123456"),
        ("2026-11-23T01:02:03%2B01:30", "2026-11-22 23:32:03.000000"),
        ("2026-11-23T01:02:03+01:30", "2026-11-22 23:32:03.000000"),
        ("2026-11-23T01:02:03-23:59", "2026-11-24 01:01:03.000000"),
        ("2024-02-29T00:00:00Z", "2024-02-29 00:00:00.000000"),
        ("2000-02-29T00:00:00Z", "2000-02-29 00:00:00.000000"),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00.000000"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999"),
        ("1969-12-31T23:59:59.25Z", "1969-12-31 23:59:59.250000"),
        ("0", "1970-01-01 00:00:00.000000"),
        ("1795395723", "2026-11-23 01:02:03.000000"),
        ("1795395723123", "2026-11-23 01:02:03.123000"),
        ("99999999999", "1973-03-03 09:46:39.999000"),
        ("9999999999", "2286-11-20 17:46:39.000000"),
    ])
    func `a timestamp is written in UTC with microseconds`(value: String, text: String) {
        Self.expect(.timestamp, value, "\"\(text)\"")
    }

    @Test(arguments: [
        "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00%2B00:01", "9999-12-31T23:59:59-00:01",
        "2026-11-23", "2026-11-23T01:02", "2026-11-23T01:02:03.", "2026-11-23T01:02:03.1234567890",
        "2026-11-23T01:02:03X", "2026-11-23T01:02:03%2B0100", "2026-11-23T01:02:03%2B24:00",
        "2026-11-23T01:02:03Z ", "20261123010203", "-1", "1795395723.5", "now",
        "2026/11/23T01:02:03",
    ])
    func `what is no timestamp stays text`(value: String) {
        Self.expect(.timestamp, value, nil, kept: value.replacingPercentPlus)
    }

    @Test func `the months of four centuries begin and end where they should`() throws {
        let rows = Rows(.probe(.timestamp))
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var seconds = -2_208_988_800  // 1900-01-01
        for year in 1900..<2300 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for month in 1...12 {
                for day in 1...(lengths[month - 1] + (isLeap && month == 2 ? 1 : 0)) {
                    let text = [(year, 4), (month, 2), (day, 2)].map { number, width in
                        String(repeating: "0", count: width - "\(number)".count) + "\(number)"
                    }.joined(separator: "-")
                    guard day < 2 || day > 27 else {
                        seconds += 86_400
                        continue
                    }
                    let wanted = ",\"v\":\"\(text) 00:00:00.000000\"}\n"
                    let iso = rows.text(SampleHit("/?v=\(text)T00:00:00Z"))
                    try #require(iso.hasSuffix(wanted))
                    if (0..<10_000_000_000).contains(seconds) {
                        try #require(rows.text(SampleHit("/?v=\(seconds)")).hasSuffix(wanted))
                    }
                    seconds += 86_400
                }
            }
        }
    }

    @Test func `received_at is kept within the years a warehouse knows`() {
        let rows = Rows(
            Schema(columns: [
                .init(name: "id", type: .varchar(36), sources: [.hitID]),
                .init(name: "at", type: .timestamp, sources: [.receivedAt]),
            ]))
        for (microseconds, text) in [
            (UInt64(0), "1970-01-01 00:00:00.000000"), (999_999, "1970-01-01 00:00:00.999999"),
            (1_000_000, "1970-01-01 00:00:01.000000"),
            (UInt64.max, "9999-12-31 23:59:59.999999"),
            (1_795_395_723_000_001, "2026-11-23 01:02:03.000001"),
            (1_795_395_723_999_999, "2026-11-23 01:02:03.999999"),
        ] {
            var hit = SampleHit("/")
            hit.receivedAt = microseconds
            #expect(rows.text(hit) == Self.prefix + ",\"at\":\"\(text)\"}\n")
        }
    }
}

extension String {
    /// Form decoding of the two escapes these tests use.
    fileprivate var replacingPercentPlus: String {
        var out = ""
        var rest = Substring(self)
        while let first = rest.first {
            if rest.hasPrefix("%2B") {
                out += "+"
                rest = rest.dropFirst(3)
            } else {
                out.append(first == "+" ? " " : first)
                rest = rest.dropFirst()
            }
        }
        return out
    }
}
