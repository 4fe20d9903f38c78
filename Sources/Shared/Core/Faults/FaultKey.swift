/// One key of a `[[fault]]` entry. The reader and its messages are made from the table of these, and
/// a test holds docs/faults.md against it.
public struct FaultKey: Sendable {
    public let key: String
    /// What may be written.
    public let form: String
    /// The kinds that it means something to; empty: all.
    public let kinds: [Fault.Kind]
    private let apply: @Sendable (inout Fault, SettingValue) throws(SettingRefusal) -> Void

    private init<Value: Equatable & Sendable>(
        _ key: String, _ place: any WritableKeyPath<Fault, Value> & Sendable,
        _ form: SettingForm<Value>, for kinds: [Fault.Kind] = []
    ) {
        self.key = key
        self.form = form.words
        self.kinds = kinds
        apply = { (fault, value) throws(SettingRefusal) in
            fault[keyPath: place] = try form.parse(value)
        }
    }

    public func set(_ value: SettingValue, in fault: inout Fault) throws(SettingRefusal) {
        try apply(&fault, value)
    }

    public func isMeant(for kind: Fault.Kind) -> Bool { kinds.isEmpty || kinds.contains(kind) }

    private static let refusing: [Fault.Kind] = [
        .status, .throttle, .poison, .expiredToken, .unrecognizedClient, .accessDenied, .notFound,
        .partial,
    ]
    /// Kinds after which the client cannot believe that its records were taken.
    private static let unbelieved: [Fault.Kind] =
        refusing + [
            .wrongCount, .results, .notJSON, .html, .largeBody, .hang, .silence, .reset,
        ]
    private static let day: UInt64 = 86_400_000

    public static let all: [FaultKey] = [
        FaultKey("kind", \.kind, .choice()),
        FaultKey("name", \.name, .words(64)),
        FaultKey("streams", \.streams, .words(128)),
        FaultKey("calls", \.calls, .choice()),
        FaultKey("after", \.after, .count(0...1_000_000_000)),
        FaultKey("every", \.every, .count(1...1_000_000_000)),
        FaultKey("count", \.count, .count(0...1_000_000_000)),
        FaultKey("probability", \.probability, .share),
        FaultKey("start", \.startMs, .span(0...day)),
        FaultKey("for", \.forMs, .span(0...day)),
        FaultKey("on", \.onMs, .span(0...day)),
        FaultKey("off", \.offMs, .span(0...day)),
        FaultKey("stored", \.stored, .yesOrNoOrUnsaid, for: unbelieved),
        FaultKey("status", \.status, .count(400...599), for: [.status]),
        FaultKey("code", \.code, .words(128), for: refusing),
        FaultKey("message", \.message, .words(1024), for: refusing),
        FaultKey("which", \.which, .choice(), for: [.partial]),
        FaultKey("share", \.share, .share, for: [.partial]),
        FaultKey("entries", \.entries, .indices, for: [.partial]),
        FaultKey("failed_put_count", \.failedPutCount, .count(-1...1_000_000), for: [.wrongCount]),
        FaultKey("difference", \.difference, .count(-500...500), for: [.results]),
        FaultKey("at", \.at, .choice(), for: [.reset]),
        FaultKey("offset", \.offsetSeconds, .signedSpan, for: [.skew]),
        FaultKey("delay", \.delayMs, .span(0...day), for: [.delay, .close]),
        FaultKey("delay_max", \.delayMaxMs, .span(0...day), for: [.delay]),
        FaultKey("p50", \.p50Ms, .span(1...day), for: [.delay]),
        FaultKey("p99", \.p99Ms, .span(1...day), for: [.delay]),
        FaultKey(
            "size", \.sizeBytes, .size(1...64 << 20), for: [.largeHeaders, .largeBody, .chunked]),
        FaultKey("bytes_per_second", \.bytesPerSecond, .size(1...1 << 40), for: [.quota, .drip]),
        FaultKey("records_per_second", \.recordsPerSecond, .count(1...1 << 40), for: [.quota]),
        FaultKey("calls_per_second", \.callsPerSecond, .count(1...1 << 40), for: [.quota]),
        FaultKey("text", \.text, .words(1024), for: [.poison]),
        FaultKey("tls", \.tls, .choice(), for: [.tls]),
    ]

    public static func named(_ key: String) -> FaultKey? { all.first { $0.key == key } }
}

extension SettingForm where Value == String {
    fileprivate static func words(_ byteCountMax: Int) -> Self {
        SettingForm(
            words: "a text of at most \(byteCountMax) bytes",
            parse: { (value) throws(SettingRefusal) in
                guard case .text(let text) = value else {
                    throw SettingRefusal(
                        "must be a text, not \(value.inWords)", hint: "write it in quotes")
                }
                guard (1...byteCountMax).contains(text.utf8.count) else {
                    throw SettingRefusal(
                        "must have 1 to \(byteCountMax) bytes, not \(text.utf8.count)",
                        hint: "shorten it, or leave the key out")
                }
                guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                    throw SettingRefusal("holds a control character", hint: "remove it")
                }
                return text
            },
            show: { .text($0) })
    }
}

extension SettingForm where Value == Double {
    fileprivate static var share: Self {
        SettingForm(
            words: "a number, 0 to 1",
            parse: { (value) throws(SettingRefusal) in
                let number: Double? =
                    switch value {
                    case .integer(let whole): Double(whole)
                    case .real(let real): real
                    default: nil
                    }
                guard let number, (0...1).contains(number) else {
                    throw SettingRefusal(
                        "must be a number, 0 to 1, not \(value.inWords)",
                        hint: "it is a part of 1: for 5 % write 0.05")
                }
                return number
            },
            show: { .real($0) })
    }
}

extension SettingForm where Value == Bool? {
    fileprivate static var yesOrNoOrUnsaid: Self {
        SettingForm(
            words: "true or false",
            parse: { (value) throws(SettingRefusal) in
                try SettingForm<Bool>.yesOrNo.parse(value)
            },
            show: { $0.map { .boolean($0) } ?? .other("nothing") })
    }
}

extension SettingForm where Value == [Int] {
    fileprivate static var indices: Self {
        SettingForm(
            words: "a list of indices, 0 to 499",
            parse: { (value) throws(SettingRefusal) in
                let hint = "write [0, 3]: records of the call, counted from 0"
                guard case .list(let values) = value, (1...500).contains(values.count) else {
                    throw SettingRefusal(
                        "must be a list of indices, not \(value.inWords)", hint: hint)
                }
                var indices: [Int] = []
                for (at, value) in values.enumerated() {
                    guard case .integer(let number) = value, (0...499).contains(number) else {
                        throw SettingRefusal(
                            "has an index that is not 0 to 499: \(value.inWords)", hint: hint,
                            element: at)
                    }
                    indices.append(Int(number))
                }
                return indices
            },
            show: { .list($0.map { .integer(Int64($0)) }) })
    }
}

extension SettingForm where Value == Int64 {
    /// A duration in whole seconds that may begin with "-" or "+".
    fileprivate static var signedSpan: Self {
        SettingForm(
            words: "a duration, \"-24h\" to \"24h\"",
            parse: { (value) throws(SettingRefusal) in
                guard case .text(let text) = value, let first = text.first else {
                    throw SettingRefusal(
                        "must be a duration, not \(value.inWords)",
                        hint: "write it in quotes with its unit: \"-10m\" or \"1h\"")
                }
                let bare = first == "-" || first == "+" ? String(text.dropFirst()) : text
                let milliseconds = try SettingForm<UInt64>.span(0...86_400_000).parse(.text(bare))
                let seconds = Int64(milliseconds / 1000)
                return first == "-" ? -seconds : seconds
            },
            show: { .text("\($0)s") })
    }
}
