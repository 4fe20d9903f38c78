extension Scenario {
    /// Something wrong with values that are each in their range.
    public struct Flaw: Equatable, Sendable {
        /// Key of the value to point at, as in `ScenarioKey`: "bursts.seconds", "events.load".
        public var key: String
        /// Which element of a list is meant.
        public var element: Int?
        public var message: String
        public var hint: String

        public init(_ key: String, element: Int? = nil, _ message: String, hint: String) {
            self.key = key
            self.element = element
            self.message = message
            self.hint = hint
        }
    }

    /// Names of a weighted list: enough for any real one.
    public static let namesMax = 1000
    /// The parameters that a macro may stand in.
    public static let macroParameters = [
        "event", "uid", "campaign", "creative", "placement", "publisher", "url", "value", "ts",
        "cb", "auction", "gdpr_consent",
    ]

    /// What is wrong with it, in the order of the keys. A scenario without flaws can be sent.
    public func flaws() -> [Flaw] {
        var flaws: [Flaw] = []
        let shares = batches.share + clicks.share
        if shares > 1 {
            flaws.append(
                Flaw(
                    "clicks.share", "batches.share and clicks.share are more than 1 together",
                    hint: "they are parts of all requests; the rest are pixel requests"))
        }
        if visitors.cookieShare + visitors.anonymousShare > 1 {
            flaws.append(
                Flaw(
                    "visitors.anonymous_share",
                    "cookie_share and anonymous_share are more than 1 together",
                    hint: "they are parts of the visitors; the rest send uid"))
        }
        flaws += weightFlaws("events", events, isHost: false)
        flaws += weightFlaws("placements", placements, isHost: false)
        flaws += weightFlaws("publishers", publishers, isHost: true)
        if userAgents.sum <= 0 {
            flaws.append(
                Flaw(
                    "user_agents.desktop", "all weights of user_agents are 0",
                    hint: "give at least one of them a weight above 0"))
        }
        flaws += templateFlaws("referers.paths", referers.paths) { text in
            text.hasPrefix("/") ? nil : "begin it with /: the publisher's host comes before it"
        }
        if bad.share > 0, bad.sum <= 0 {
            flaws.append(
                Flaw(
                    "bad.share", "bad.share is above 0, and all weights of bad are 0",
                    hint: "give at least one kind a weight above 0"))
        }
        flaws += macroFlaws()
        if batches.eventsMin > batches.eventsMax {
            flaws.append(
                Flaw(
                    "batches.events_min", "batches.events_min is above batches.events_max",
                    hint: "make the least no more than the most"))
        }
        flaws += templateFlaws("clicks.targets", clicks.targets) { text in
            let isURL = text.hasPrefix("https://") || text.hasPrefix("http://")
            return isURL ? nil : "write a whole URL: https://…"
        }
        return flaws + timeFlaws()
    }

    private func weightFlaws(_ section: String, _ list: [Weighted], isHost: Bool) -> [Flaw] {
        var flaws: [Flaw] = []
        if list.isEmpty || list.allSatisfy({ $0.weight <= 0 }) {
            flaws.append(
                Flaw(
                    section, "no entry of [\(section)] has a weight above 0",
                    hint: "write name = 1 for at least one; without the section the built-in ones"
                        + " are used"))
        }
        if list.count > Self.namesMax {
            flaws.append(
                Flaw(
                    section, "[\(section)] has \(list.count) entries",
                    hint: "at most \(Self.namesMax) are taken"))
        }
        for entry in list where !Self.isName(entry.name, isHost: isHost) {
            flaws.append(
                Flaw(
                    "\(section).\(entry.name)",
                    isHost
                        ? "\"\(entry.name)\" is no host name"
                        : "\"\(entry.name)\" cannot be a name of [\(section)]",
                    hint: isHost
                        ? "use A-Z, a-z, 0-9, - and ., in quotes: \"news.example\" = 1"
                        : "1 to 64 bytes without control characters"))
        }
        return flaws
    }

    private static func isName(_ name: String, isHost: Bool) -> Bool {
        guard (1...64).contains(name.utf8.count) else { return false }
        if !isHost {
            return name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        return name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    private func templateFlaws(
        _ key: String, _ texts: [String], more: (String) -> String?
    ) -> [Flaw] {
        texts.enumerated().compactMap { index, text in
            if let hint = more(text) {
                return Flaw(key, element: index, "\(key) has \"\(text)\"", hint: hint)
            }
            if NumberTemplate(text) == nil {
                return Flaw(
                    key, element: index, "\(key) has \"\(text)\", whose braces hold no numbers",
                    hint: "{10-99} is a number from 10 to 99, at most 99999999; a brace itself is"
                        + " %7B")
            }
            return nil
        }
    }

    private func macroFlaws() -> [Flaw] {
        macros.texts.enumerated().compactMap { index, text in
            let equals = text.firstIndex(of: "=")
            let name = equals.map { String(text[..<$0]) } ?? ""
            let value = equals.map { text[text.index(after: $0)...] } ?? ""
            if equals == nil || value.isEmpty || value.contains("&") || value.contains("#") {
                return Flaw(
                    "macros.texts", element: index,
                    "macros.texts has \"\(text)\", which is not parameter=macro",
                    hint: "as in \"cb=[CACHEBUSTER]\"; & and # would end the parameter")
            }
            if !Self.macroParameters.contains(name) {
                let near = NearestWord.to(name, among: Self.macroParameters)
                return Flaw(
                    "macros.texts", element: index,
                    "macros.texts names \"\(name)\", which no hit has",
                    hint: near.map { "did you mean \"\($0)\"?" }
                        ?? "the parameters are " + Self.macroParameters.joined(separator: ", "))
            }
            return nil
        }
    }

    private func timeFlaws() -> [Flaw] {
        var flaws: [Flaw] = []
        if bursts.everySeconds > 0, bursts.everySeconds < 0.1 {
            flaws.append(
                Flaw(
                    "bursts.every_seconds", "bursts.every_seconds is below 0.1",
                    hint: "0 is no bursts; arrivals = \"poisson\" has its own unevenness"))
        }
        if bursts.everySeconds > 0, bursts.seconds >= bursts.everySeconds {
            flaws.append(
                Flaw(
                    "bursts.seconds", "a burst is as long as the time between two, or longer",
                    hint: "make bursts.seconds less than bursts.every_seconds"))
        }
        if day.seconds > 0, day.seconds < 1 {
            flaws.append(
                Flaw("day.seconds", "a day is shorter than a second", hint: "0 is no curve"))
        }
        if day.curve.count != 24 || day.curve.allSatisfy({ $0 <= 0 }) {
            flaws.append(
                Flaw(
                    "day.curve", "day.curve needs 24 numbers, and one of them above 0",
                    hint: "one for each hour; 1 is the rate itself"))
        }
        return flaws
    }
}

extension Scenario.UserAgents {
    public var sum: Double { desktop + mobile + inApp + bot + prefetch }
}

extension Scenario.BadHits {
    public var sum: Double { missingEvent + emptyEvent + misspeltEvent + noQuery }
}
