import Core

/// The text of expectations: `metric operator value`, several of them with commas between.
extension Expectation {
    static let example = "write them like 'p99<20ms', 'errors=0' or 'p99<10ms,errors<0.1%'"
    static let listMax = 64

    /// All expectations of one text, in its order.
    static func parse(_ text: String) throws(PlanRefusal) -> [Expectation] {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= listMax else {
            throw PlanRefusal(
                "\(parts.count) expectations in one text", hint: "at most \(listMax)")
        }
        var found: [Expectation] = []
        for part in parts {
            var reader = Reader(whole: text, rest: part)
            found.append(try reader.expectation())
        }
        return found
    }

    /// Reads one expectation within a text; knows where it stands, for what it says of faults.
    private struct Reader {
        let whole: String
        var rest: Substring

        mutating func expectation() throws(PlanRefusal) -> Expectation {
            let text = trimmed(rest)
            skipBlanks()
            let start = rest.startIndex
            let word = rest.prefix { $0.isLetter || $0.isNumber || [".", "_", "-"].contains($0) }
            let metric = try metric(word, at: start)
            rest = rest[word.endIndex...]
            let comparison = try comparison()
            let (limit, unit) = try value(for: metric, named: word)
            return Expectation(
                text: String(text), name: String(word), metric: metric, comparison: comparison,
                limit: limit, unit: unit)
        }

        private func metric(
            _ word: Substring, at start: Substring.Index
        ) throws(PlanRefusal) -> Metric {
            if word.isEmpty { throw fault(at: start, "expected a metric", known) }
            if let metric = Metric(name: String(word)) { return metric }
            if let near = nearPercentile(word) ?? NearestWord.to(String(word), among: Metric.names)
            {
                throw fault(
                    at: start, "\(PlanRefusal.quoted(word)) is no metric",
                    "did you mean \(near)? \(known)")
            }
            throw fault(at: start, "\(PlanRefusal.quoted(word)) is no metric", known)
        }

        private var known: String { "metrics are \(Metric.list)" }

        /// "p999" is 99.9 for those who write it so.
        private func nearPercentile(_ word: Substring) -> String? {
            let digits = word.dropFirst()
            guard word.first == "p", (3...6).contains(digits.count), digits.hasPrefix("9"),
                digits.utf8.allSatisfy({ (48...57).contains($0) })
            else { return nil }
            return "p\(digits.prefix(2)).\(digits.dropFirst(2))"
        }

        private mutating func comparison() throws(PlanRefusal) -> Comparison {
            skipBlanks()
            if let swapped = ["=<", "=>"].first(where: { rest.hasPrefix($0) }) {
                throw fault(
                    at: rest.startIndex, "\"\(swapped)\" is no comparison",
                    "write \(swapped == "=<" ? "<=" : ">=")")
            }
            guard let found = Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) })
            else {
                throw fault(
                    at: rest.startIndex, "expected one of < <= > >= = != here", Expectation.example)
            }
            rest = rest.dropFirst(found.rawValue.count)
            return found
        }

        private mutating func value(
            for metric: Metric, named name: Substring
        ) throws(PlanRefusal) -> (Double, Unit) {
            skipBlanks()
            let start = rest.startIndex
            let wanted = metric.valueWords(named: name)
            guard let (number, tail) = DecimalText.prefix(of: rest) else {
                throw fault(at: start, "expected a number", wanted)
            }
            let word = trimmed(tail)
            guard let (limit, unit) = metric.limit(number, unit: word) else {
                let message =
                    word.isEmpty
                    ? "\(name) needs a unit" : "\(PlanRefusal.quoted(word)) is no unit of \(name)"
                throw fault(at: tail.startIndex, message, wanted)
            }
            return (limit, unit)
        }

        private mutating func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "\t" } }

        private func trimmed(_ text: Substring) -> Substring {
            var text = text.drop { $0 == " " || $0 == "\t" }
            while let last = text.last, last == " " || last == "\t" { text.removeLast() }
            return text
        }

        /// Positions count characters from 1.
        private func fault(
            at place: String.Index, _ message: String, _ hint: String
        ) -> PlanRefusal {
            let column = whole.distance(from: whole.startIndex, to: place) + 1
            return PlanRefusal(
                "\(message), at character \(column) of \(PlanRefusal.quoted(whole))", hint: hint)
        }
    }
}

extension Metric {
    /// A number with what follows it; nil when the metric has no such unit.
    fileprivate func limit(
        _ number: Double, unit: Substring
    ) -> (Double, Expectation.Unit)? {
        switch (self, unit) {
        // The letter µ has two codes: the sign of its own, and the Greek one.
        case (.latency, "us"), (.latency, "\u{B5}s"), (.latency, "\u{3BC}s"):
            return (number, .microseconds)
        case (.latency, "ms"): return (number * 1e3, .microseconds)
        case (.latency, "s"): return (number * 1e6, .microseconds)
        case (.count, "%"), (.cpu, "%"): return (number / 100, .share)
        case (.cpu, ""): return (number, .share)
        case (.count, ""), (.rate, ""): return (number, .plain)
        case (.count, "k"), (.rate, "k"): return (number * 1e3, .plain)
        case (.count, "M"), (.rate, "M"): return (number * 1e6, .plain)
        default: return nil
        }
    }

    fileprivate func valueWords(named name: Substring) -> String {
        switch self {
        case .latency: "a time with its unit, us, ms or s: \(name)<20ms"
        case .count(let count):
            "a number, or a share of what was \(count.whole): \(name)<10 or \(name)<0.1%"
        case .rate: "answers a second: \(name)>500 or \(name)>19.5k"
        case .cpu: "a share of a core: \(name)<90%"
        }
    }
}
