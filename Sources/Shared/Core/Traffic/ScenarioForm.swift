/// How one kind of value of a scenario is read and described.
struct ScenarioForm<Value: Sendable>: Sendable {
    let words: String
    let parse: @Sendable (SettingValue) throws(SettingRefusal) -> Value
    let show: @Sendable (Value) -> String
}

extension ScenarioForm where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> Self {
        let words = "\(shortText(range.lowerBound)) to \(shortText(range.upperBound))"
        return number(range, words: words, hint: "any number of that range will do")
    }

    static var share: Self {
        number(0...1, words: "0 to 1", hint: "a share is a part of 1: for 5 % write 0.05")
    }

    static var weight: Self {
        number(
            0...1e9, words: "0 to 1000000000",
            hint: "weights are compared with each other: 2 is twice as often as 1")
    }

    private static func number(
        _ range: ClosedRange<Double>, words: String, hint: String
    ) -> Self {
        ScenarioForm(
            words: words,
            parse: { (value) throws(SettingRefusal) in
                guard let number = real(value) else {
                    throw SettingRefusal(
                        "must be a number, \(words), not \(value.inWords)",
                        hint: "write it as a bare number, without quotes")
                }
                guard range.contains(number) else {
                    throw SettingRefusal("must be \(words), not \(value.inWords)", hint: hint)
                }
                return number
            },
            show: shortText)
    }
}

/// Whole numbers count as numbers; infinity and "not a number" do not.
private func real(_ value: SettingValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .real(let number) where number.isFinite: number
    default: nil
    }
}

extension ScenarioForm where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> Self {
        let form = SettingForm<Int>.count(range)
        return ScenarioForm(words: form.words, parse: form.parse, show: { String($0) })
    }
}

extension ScenarioForm where Value == [Double] {
    static func numbers(count: Int, _ range: ClosedRange<Double>) -> Self {
        let each = ScenarioForm<Double>.number(range)
        return ScenarioForm(
            words: "a list of \(count) numbers, \(each.words)",
            parse: { (value) throws(SettingRefusal) in
                guard case .list(let values) = value else {
                    throw SettingRefusal(
                        "must be a list of \(count) numbers, not \(value.inWords)",
                        hint: "write [1.0, 0.8, …]")
                }
                guard values.count == count else {
                    throw SettingRefusal(
                        "must have \(count) numbers, not \(values.count)",
                        hint: "one for each hour of the day")
                }
                var numbers: [Double] = []
                for (index, value) in values.enumerated() {
                    do throws(SettingRefusal) {
                        numbers.append(try each.parse(value))
                    } catch {
                        throw SettingRefusal(error.message, hint: error.hint, element: index)
                    }
                }
                return numbers
            },
            show: { "[" + $0.map(shortText).joined(separator: ", ") + "]" })
    }
}

extension ScenarioForm where Value == String {
    /// Text of so many bytes, without control characters.
    static func text(_ bytes: ClosedRange<Int>) -> Self {
        ScenarioForm(
            words: "a text of at most \(bytes.upperBound) bytes",
            parse: { (value) throws(SettingRefusal) in
                let text = try plainText(value)
                guard bytes.contains(text.utf8.count) else {
                    throw SettingRefusal(
                        "must have \(bytes.lowerBound) to \(bytes.upperBound) bytes, not"
                            + " \(text.utf8.count)", hint: "shorten it, or remove the key")
                }
                return text
            },
            show: { SettingValue.quoted($0) })
    }

    /// A path on the server, without a query.
    static var path: Self {
        ScenarioForm(
            words: "a path that begins with /, at most 256 bytes",
            parse: { (value) throws(SettingRefusal) in
                let text = try plainText(value)
                guard text.hasPrefix("/"), text.utf8.count <= 256 else {
                    throw SettingRefusal(
                        "must be a path of at most 256 bytes that begins with /, not \(value.inWords)",
                        hint: "the server's name and port come from the command line")
                }
                guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("?"),
                    !text.contains("#")
                else {
                    throw SettingRefusal(
                        "must hold no space, \"?\" or \"#\" and nothing but ASCII: \(value.inWords)",
                        hint:
                            "write such characters as %20, %3F, %23; the query is the scenario's own"
                    )
                }
                return text
            },
            show: { SettingValue.quoted($0) })
    }
}

extension ScenarioForm where Value == [String] {
    /// At least one text of ASCII without spaces.
    static func texts(count: Int, bytes: Int) -> Self {
        ScenarioForm(
            words: "a list of 1 to \(count) texts of at most \(bytes) bytes",
            parse: { (value) throws(SettingRefusal) in
                guard case .list(let values) = value else {
                    throw SettingRefusal(
                        "must be a list of texts, not \(value.inWords)",
                        hint: "write [\"…\", \"…\"]")
                }
                guard (1...count).contains(values.count) else {
                    throw SettingRefusal(
                        "must have 1 to \(count) texts, not \(values.count)",
                        hint: "leave the key out for the built-in ones")
                }
                var texts: [String] = []
                for (index, value) in values.enumerated() {
                    guard case .text(let text) = value, (1...bytes).contains(text.utf8.count),
                        text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
                    else {
                        throw SettingRefusal(
                            "must hold texts of 1 to \(bytes) bytes of ASCII without spaces, not"
                                + " \(value.inWords)", hint: "write a space as %20",
                            element: index)
                    }
                    texts.append(text)
                }
                return texts
            },
            show: { "[" + $0.map { SettingValue.quoted($0) }.joined(separator: ", ") + "]" })
    }
}

extension ScenarioForm where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static func word() -> Self {
        let words = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        return ScenarioForm(
            words: words,
            parse: { (value) throws(SettingRefusal) in
                if case .text(let text) = value, let found = Value(rawValue: text) { return found }
                var hint = "write it in quotes"
                if case .text(let text) = value {
                    let near = NearestWord.to(text, among: Value.allCases.map(\.rawValue))
                    hint = near.map { "did you mean \"\($0)\"?" } ?? "choose one of them"
                }
                throw SettingRefusal("must be \(words), not \(value.inWords)", hint: hint)
            },
            show: { SettingValue.quoted($0.rawValue) })
    }
}

private func plainText(_ value: SettingValue) throws(SettingRefusal) -> String {
    guard case .text(let text) = value else {
        throw SettingRefusal(
            "must be a text, not \(value.inWords)", hint: "put it in quotes: \"…\"")
    }
    guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
        throw SettingRefusal("must hold no control characters", hint: "write it on one line")
    }
    return text
}
