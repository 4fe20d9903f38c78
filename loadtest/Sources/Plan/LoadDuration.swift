/// A span of time as the command line takes it: "500ms", "10s", "5m", "1h", "1m30s", "1.5s".
struct LoadDuration: Equatable, Sendable, CustomStringConvertible {
    /// Four days: the clock of a ledger entry ends a day later.
    static let secondsMax = 96.0 * 3600
    static let examples = "write a number and its unit: 500ms, 10s, 5m, 1h or 1m30s"

    private static let units: [(name: Substring, seconds: Double)] = [
        ("h", 3600), ("m", 60), ("s", 1), ("ms", 0.001),
    ]

    var seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(_ text: String) {
        guard let parsed = try? Self.parse(text) else { return nil }
        self = parsed
    }

    /// Units from the longest to the shortest, each at most once. The unit is never guessed.
    static func parse(_ text: String) throws(PlanRefusal) -> LoadDuration {
        var rest = text[...]
        var milliseconds = 0.0
        var unitsLeft = units[...]
        repeat {
            guard let (value, tail) = DecimalText.prefix(of: rest) else {
                throw PlanRefusal(
                    "\(PlanRefusal.quoted(text)) is not a duration", hint: examples)
            }
            let word = tail.prefix { $0.isLetter }
            guard let place = unitsLeft.firstIndex(where: { $0.name == word }) else {
                throw PlanRefusal(refusal(of: word, in: text), hint: examples)
            }
            milliseconds += value * (unitsLeft[place].seconds * 1000)
            unitsLeft = unitsLeft[(place + 1)...]
            rest = tail[word.endIndex...]
        } while !rest.isEmpty
        guard milliseconds > 0, milliseconds <= secondsMax * 1000 else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) is \(milliseconds > 0 ? "too long" : "no time at all")",
                hint: "durations are above 0 and up to \(Int(secondsMax / 3600))h")
        }
        return LoadDuration(seconds: milliseconds / 1000)
    }

    private static func refusal(of unit: Substring, in text: String) -> String {
        let shown = PlanRefusal.quoted(text)
        if unit.isEmpty { return "\(shown) has a number without a unit" }
        if units.contains(where: { $0.name == unit }) {
            return "\(shown) has its units out of order: hours, minutes, seconds, milliseconds"
        }
        return "\(shown) has a unit that is not ms, s, m or h"
    }

    /// The shortest way to write it: "1m30s", "500ms".
    var description: String {
        var left = UInt64((seconds * 1000).rounded())
        if left == 0 { return "0s" }
        var text = ""
        for (name, milliseconds) in [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            let count = left / UInt64(milliseconds)
            if count > 0 { text += "\(count)\(name)" }
            left %= UInt64(milliseconds)
        }
        return text
    }
}
