/// One key of a scenario file. The reader, its messages and loadtest/scenarios/README.md are made
/// from the table of these (`ScenarioKey.all`).
public struct ScenarioKey: Sendable {
    /// As in the file: "rate", "visitors.zipf"; "events.*" stands for every key of its section.
    public let key: String
    public let help: String
    public let unit: String
    /// What may be written.
    public let form: String
    /// As it would be written; in words where it depends on other things.
    public let defaultText: String
    private let apply: @Sendable (inout Scenario, SettingValue) throws(SettingRefusal) -> Void
    private let isOpen: Bool

    init<Value>(
        _ key: String, _ place: any WritableKeyPath<Scenario, Value> & Sendable,
        _ form: ScenarioForm<Value>, unit: String = "", defaultText: String? = nil, _ help: String
    ) {
        self.key = key
        self.help = help
        self.unit = unit
        self.form = form.words
        isOpen = false
        self.defaultText = defaultText ?? form.show(Scenario(name: "")[keyPath: place])
        apply = { (scenario, value) throws(SettingRefusal) in
            scenario[keyPath: place] = try form.parse(value)
        }
    }

    /// A section whose keys are names and whose values are weights.
    init(
        weightsIn section: String,
        _ place: any WritableKeyPath<Scenario, [Scenario.Weighted]> & Sendable, _ help: String
    ) {
        key = section + ".*"
        self.help = help
        unit = "weight"
        form = ScenarioForm<Double>.weight.words
        isOpen = true
        defaultText = Scenario(name: "")[keyPath: place]
            .map { "\(bareOrQuoted($0.name)) = \(shortText($0.weight))" }.joined(separator: ", ")
        apply = { (scenario, value) throws(SettingRefusal) in
            guard case .list(let pairs) = value else { return }
            scenario[keyPath: place] = try pairs.map { (pair) throws(SettingRefusal) in
                guard case .list(let both) = pair, both.count == 2, case .text(let name) = both[0]
                else { return Scenario.Weighted("", 0) }
                return Scenario.Weighted(name, try ScenarioForm<Double>.weight.parse(both[1]))
            }
        }
    }

    /// Takes a value as it was written. A refused one leaves the scenario as it was.
    public func set(
        _ value: SettingValue, in scenario: inout Scenario
    ) throws(SettingRefusal) {
        try apply(&scenario, value)
    }

    /// Replaces the weights of a section that is one table of them.
    public func set(
        _ weights: [(name: String, weight: SettingValue)], in scenario: inout Scenario
    ) throws(SettingRefusal) {
        try apply(&scenario, .list(weights.map { .list([.text($0.name), $0.weight]) }))
    }

    /// "visitors" of "visitors.zipf"; nil at the top level.
    public var section: String? { key.firstIndex(of: ".").map { String(key[..<$0]) } }
    /// "zipf" of "visitors.zipf".
    public var name: String { section.map { String(key.dropFirst($0.count + 1)) } ?? key }
    /// Whether it stands for a whole section of names and weights.
    public var isWeights: Bool { isOpen }

    /// The sections, in the table's order.
    public static let sections: [String] = all.reduce(into: []) { sections, key in
        if let section = key.section, !sections.contains(section) { sections.append(section) }
    }

    public static let all: [ScenarioKey] = [
        ScenarioKey(
            "name", \.name, .text(1...64), defaultText: "the file's name", "What reports call it."),
        ScenarioKey("description", \.description, .text(0...400), "One sentence for `--help`."),
        ScenarioKey(
            "path", \.path, .path,
            "The pixel. A URL on the command line that has a path of its own is used instead."),
        ScenarioKey(
            "rate", \.rate, .number(0.01...10_000_000), unit: "requests/s",
            "The load when the command line has no `--rate`; bursts and the day's curve multiply it."
        ),
        ScenarioKey(
            "connections", \.connections, .count(1...1_000_000),
            "Open at a time, over all threads, when the command line has no `-c`."),
        ScenarioKey(
            "pipeline", \.pipeline, .count(1...64),
            "Requests in flight on one connection. Browsers do 1."),
        ScenarioKey(
            "arrivals", \.arrivals, .word(),
            "`poisson`: independent visitors; `even`: equal gaps."),
        ScenarioKey(
            "head_share", \.headShare, .share, unit: "of the pixel requests",
            "Sent as HEAD: link checkers and mail scanners."),
        ScenarioKey(
            "connection.requests", \.connection.requests, .number(0...1e9), unit: "requests",
            "Mean number of requests after which a connection closes and a new one opens. 0: never."
        ),
        ScenarioKey(
            "connection.spread", \.connection.spread, .word(),
            "`geometric`: most are short, some long; `fixed`: all alike."),
        ScenarioKey(
            "visitors.population", \.visitors.population, .count(1...1_000_000_000),
            "How many visitors there are. The same in every run, whatever the seed."),
        ScenarioKey(
            "visitors.zipf", \.visitors.zipf, .number(0...4), unit: "exponent",
            "How much more often the frequent ones come: the k-th with weight 1/k^exponent. 0: all"
                + " alike."),
        ScenarioKey(
            "visitors.cookie_share", \.visitors.cookieShare, .share, unit: "of the visitors",
            "Known by the cookie `hy_uid` instead of the parameter `uid`."),
        ScenarioKey(
            "visitors.anonymous_share", \.visitors.anonymousShare, .share, unit: "of the visitors",
            "Known by neither. Bots are not known either."),
        ScenarioKey(
            "campaigns.population", \.campaigns.population, .count(1...10_000_000),
            "How many campaigns run."),
        ScenarioKey(
            "campaigns.zipf", \.campaigns.zipf, .number(0...4), unit: "exponent",
            "As `visitors.zipf`, over campaigns."),
        ScenarioKey(
            "campaigns.creatives", \.campaigns.creatives, .count(1...1000),
            "Creatives of each campaign, equally often."),
        ScenarioKey(weightsIn: "events", \.events, "Values of `event`, with their weights."),
        ScenarioKey(
            weightsIn: "placements", \.placements, "Values of `placement`, with their weights."),
        ScenarioKey(
            weightsIn: "publishers", \.publishers,
            "Values of `publisher`, with their weights: host names, which Referer and `url` have too."
        ),
        ScenarioKey(
            "user_agents.desktop", \.userAgents.desktop, .weight, unit: "weight",
            "Visitors with desktop browsers. A visitor keeps the same browser."),
        ScenarioKey(
            "user_agents.mobile", \.userAgents.mobile, .weight, unit: "weight",
            "Visitors with mobile browsers."),
        ScenarioKey(
            "user_agents.in_app", \.userAgents.inApp, .weight, unit: "weight",
            "Visitors with the web view of an app."),
        ScenarioKey(
            "user_agents.bot", \.userAgents.bot, .weight, unit: "weight",
            "Requests of crawlers, previews and monitors."),
        ScenarioKey(
            "user_agents.prefetch", \.userAgents.prefetch, .weight, unit: "weight",
            "Requests of a visitor's browser ahead of need: `Purpose` and `Sec-Purpose: prefetch`."),
        ScenarioKey(
            "referers.share", \.referers.share, .share, unit: "of browsers' requests",
            "Requests with a Referer. Bots send none."),
        ScenarioKey(
            "referers.paths", \.referers.paths, .texts(count: 64, bytes: 256),
            "Pages of the publisher, for Referer and `url`. `{10-99}` is a number from 10 to 99."),
        ScenarioKey(
            "parameters.url", \.parameters.url, .share, unit: "of the hits", "Hits with `url`."),
        ScenarioKey(
            "parameters.viewable", \.parameters.viewable, .share, unit: "of the hits",
            "Hits with `viewable`."),
        ScenarioKey(
            "parameters.position", \.parameters.position, .share, unit: "of the hits",
            "Hits with `position`."),
        ScenarioKey(
            "parameters.value", \.parameters.value, .share, unit: "of the hits",
            "Hits with `value` and `currency`."),
        ScenarioKey(
            "parameters.sent_at", \.parameters.sentAt, .share, unit: "of the hits",
            "Hits with `ts`, milliseconds since 1970 within the year 2026."),
        ScenarioKey(
            "parameters.consent", \.parameters.consent, .share, unit: "of the hits",
            "Hits with `gdpr`, and where it is 1 a TC string in `gdpr_consent`."),
        ScenarioKey(
            "bad.share", \.bad.share, .share, unit: "of the pixel requests",
            "Hits that the default schema refuses: stored as bad rows, answered 400."),
        ScenarioKey(
            "bad.missing_event", \.bad.missingEvent, .weight, unit: "weight",
            "Of them: no parameter `event`."),
        ScenarioKey(
            "bad.empty_event", \.bad.emptyEvent, .weight, unit: "weight", "Of them: `event=`."),
        ScenarioKey(
            "bad.misspelt_event", \.bad.misspeltEvent, .weight, unit: "weight",
            "Of them: `evnt=…` or `Event=…`."),
        ScenarioKey(
            "bad.no_query", \.bad.noQuery, .weight, unit: "weight",
            "Of them: the bare path (with a ledger, nothing but `_hl`)."),
        ScenarioKey(
            "macros.share", \.macros.share, .share, unit: "of the good pixel requests",
            "Hits in which one macro was not expanded. They are good: kept and answered 200."),
        ScenarioKey(
            "macros.texts", \.macros.texts, .texts(count: 64, bytes: 128),
            "`parameter=macro`, equally often. Sent as they stand, brackets and percent signs too."),
        ScenarioKey(
            "batches.share", \.batches.share, .share, unit: "of the requests",
            "POSTs of a JSON array of events. 0 until the server takes them."),
        ScenarioKey("batches.path", \.batches.path, .path, "Where they go."),
        ScenarioKey(
            "batches.events_min", \.batches.eventsMin, .count(1...100),
            "Fewest events of a batch."),
        ScenarioKey(
            "batches.events_max", \.batches.eventsMax, .count(1...100), "Most events of a batch."),
        ScenarioKey(
            "clicks.share", \.clicks.share, .share, unit: "of the requests",
            "Clicks, answered with a redirect. 0 until the server takes them."),
        ScenarioKey("clicks.path", \.clicks.path, .path, "Where they go; `to` has the target."),
        ScenarioKey(
            "clicks.targets", \.clicks.targets, .texts(count: 64, bytes: 256),
            "URLs in `to`, equally often. `{10-99}` is a number from 10 to 99."),
        ScenarioKey(
            "bursts.every_seconds", \.bursts.everySeconds, .number(0...86_400), unit: "s",
            "A burst begins after so many seconds, and again. 0: none."),
        ScenarioKey(
            "bursts.seconds", \.bursts.seconds, .number(0.01...86_400), unit: "s",
            "How long a burst is."),
        ScenarioKey(
            "bursts.factor", \.bursts.factor, .number(0...1000), unit: "× rate",
            "The rate during a burst."),
        ScenarioKey(
            "day.seconds", \.day.seconds, .number(0...604_800), unit: "s",
            "How long the day of `day.curve` is: 86400 is a real one. 0: the curve is not used."),
        ScenarioKey(
            "day.start_hour", \.day.startHour, .number(0...24), unit: "h",
            "The hour at which a run begins."),
        ScenarioKey(
            "day.curve", \.day.curve, .numbers(count: 24, 0...1000), unit: "× rate",
            "A factor for each full hour from 0 to 23; straight lines between them."),
    ]
}

/// Bare where TOML allows it.
func bareOrQuoted(_ name: String) -> String {
    let isBare = name.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
    return isBare && !name.isEmpty ? name : SettingValue.quoted(name)
}

/// Whole numbers without a point.
func shortText(_ number: Double) -> String {
    Int64(exactly: number).map(String.init) ?? String(number)
}
