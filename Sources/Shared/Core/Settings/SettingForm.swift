/// How one kind of value is read, written and described.
public struct SettingForm<Value: Equatable & Sendable>: Sendable {
    /// What an operator may write, for the reference and for hints.
    let words: String
    let parse: @Sendable (SettingValue) throws(SettingRefusal) -> Value
    let show: @Sendable (Value) -> SettingValue

    init(
        words: String,
        parse: @escaping @Sendable (SettingValue) throws(SettingRefusal) -> Value,
        show: @escaping @Sendable (Value) -> SettingValue
    ) {
        self.words = words
        self.parse = parse
        self.show = show
    }
}

extension SettingForm where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> Self {
        let words = "a whole number, \(range.lowerBound) to \(range.upperBound)"
        return SettingForm(
            words: words,
            parse: { (value) throws(SettingRefusal) in
                guard case .integer(let number) = value else {
                    throw refusal(of: value, hint: "write it as a bare number, without quotes")
                }
                guard let count = Int(exactly: number), range.contains(count) else {
                    throw refusal(of: value, hint: "any number of that range will do")
                }
                return count
            },
            show: { .integer(Int64($0)) })

        @Sendable func refusal(of value: SettingValue, hint: String) -> SettingRefusal {
            SettingRefusal("must be \(words), not \(value.inWords)", hint: hint)
        }
    }
}

extension SettingForm where Value: FixedWidthInteger {
    /// Bytes, with a unit or without.
    static func size(_ range: ClosedRange<UInt64>) -> Self {
        let bounds = "\(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))"
        let words = "a size, \(bounds)"
        return SettingForm(
            words: words,
            parse: { (value) throws(SettingRefusal) in
                let bytes = try parseSize(value)
                guard range.contains(bytes), let out = Value(exactly: bytes) else {
                    throw SettingRefusal(
                        "must be \(words), not \(value.inWords)",
                        hint: "sizes are written like \"\(ByteSize.text(range.lowerBound))\" "
                            + "or as a number of bytes")
                }
                return out
            },
            show: { value in
                let text = ByteSize.text(UInt64(value))
                return Int64(text).map { .integer($0) } ?? .text(text)
            })
    }
}

extension SettingForm where Value == Int? {
    static func sizeOrAuto(_ range: ClosedRange<UInt64>) -> Self {
        let size = SettingForm<Int>.size(range)
        return SettingForm(
            words: "\"auto\", or \(size.words)",
            parse: { (value) throws(SettingRefusal) in
                value == .text("auto") ? nil : try size.parse(value)
            },
            show: { $0.map(size.show) ?? .text("auto") })
    }
}

private func parseSize(_ value: SettingValue) throws(SettingRefusal) -> UInt64 {
    switch value {
    case .integer(let number) where number >= 0: return UInt64(number)
    case .text(let text):
        do throws(ByteSize.Flaw) {
            return try ByteSize.parse(text)
        } catch {
            throw SettingRefusal("is not a size: \(value.inWords)", hint: hint(for: error))
        }
    default:
        throw SettingRefusal(
            "must be a size, not \(value.inWords)",
            hint: "write \"64 MiB\", \"1 GB\" or a number of bytes")
    }

    func hint(for flaw: ByteSize.Flaw) -> String {
        switch flaw {
        case .notASize: "write \"64 MiB\", \"1 GB\" or a number of bytes"
        case .ambiguousUnit(let unit):
            "write \(unit)iB (powers of 1024) or \(unit)B (powers of 1000)"
        case .unknownUnit: "the units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB"
        case .fraction: "write a whole number with a smaller unit: 1536 MiB for 1.5 GiB"
        case .overflow: "that is more bytes than can be counted"
        }
    }
}

extension SettingForm where Value == UInt64 {
    static func span(_ range: ClosedRange<UInt64>) -> Self {
        SettingForm(
            words: "a duration, " + spanBounds(range),
            parse: { (value) throws(SettingRefusal) in try parseSpan(value, range, "") },
            show: { .text(TimeSpan.text($0)) })
    }
}

extension SettingForm where Value == UInt64? {
    static func spanOrAuto(_ range: ClosedRange<UInt64>) -> Self {
        SettingForm(
            words: "\"auto\", or a duration, " + spanBounds(range),
            parse: { (value) throws(SettingRefusal) in
                if value == .text("auto") { return nil }
                return try parseSpan(value, range, "\"auto\" or ")
            },
            show: { .text($0.map(TimeSpan.text) ?? "auto") })
    }
}

private func spanBounds(_ range: ClosedRange<UInt64>) -> String {
    "\(TimeSpan.text(range.lowerBound)) to \(TimeSpan.text(range.upperBound))"
}

private func parseSpan(
    _ value: SettingValue, _ range: ClosedRange<UInt64>, _ alternative: String
) throws(SettingRefusal) -> UInt64 {
    let examples = "write it in quotes with its unit: \"300ms\", \"2s\", \"1m\" or \"1h\""
    guard case .text(let text) = value else {
        throw SettingRefusal(
            "must be \(alternative)a duration, not \(value.inWords)", hint: examples)
    }
    let milliseconds: UInt64
    do throws(TimeSpan.Flaw) {
        milliseconds = try TimeSpan.parse(text)
    } catch {
        let hint =
            switch error {
            case .notASpan, .unitMissing: examples
            case .unknownUnit: "the units are ms, s, m and h; one number and one unit"
            case .fraction: "write a whole number with a smaller unit: 1500ms for 1.5s"
            case .overflow: "that is longer than can be counted"
            }
        throw SettingRefusal("is not \(alternative)a duration: \(value.inWords)", hint: hint)
    }
    guard range.contains(milliseconds) else {
        throw SettingRefusal(
            "must be \(alternative)a duration, \(spanBounds(range)), not \(value.inWords)",
            hint: "any duration of that range will do")
    }
    return milliseconds
}

extension SettingForm
where Value: CaseIterable & RawRepresentable<String>, Value.AllCases: Sendable {
    /// One of the type's words.
    static func choice() -> Self {
        let names = Value.allCases.map(\.rawValue)
        let words = names.map { "\"\($0)\"" }.joined(separator: ", ")
        return SettingForm(
            words: words,
            parse: { (value) throws(SettingRefusal) in
                if case .text(let text) = value {
                    if let found = Value(rawValue: text) { return found }
                    if let near = NearestWord.to(text, among: names) {
                        throw SettingRefusal(
                            "must be \(words), not \(value.inWords)",
                            hint: "did you mean \"\(near)\"?")
                    }
                }
                throw SettingRefusal(
                    "must be \(words), not \(value.inWords)",
                    hint: names.count == 1 ? "leave the key out" : "choose one of them")
            },
            show: { .text($0.rawValue) })
    }
}
