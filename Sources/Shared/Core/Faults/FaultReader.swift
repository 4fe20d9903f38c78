/// A fault plan as it was written, whatever the notation: keys and values in the writer's order.
public struct FaultText: Sendable {
    public typealias Fields = [(key: String, value: SettingValue)]

    /// Beside the entries: `seed`.
    public var top: Fields
    public var entries: [Fields]

    public init(top: Fields, entries: [Fields]) {
        self.top = top
        self.entries = entries
    }
}

/// A fault plan's entries and the seed of its dice.
public struct FaultEntries: Equatable, Sendable {
    public static let entriesMax = 100

    public var seed: UInt64
    public var faults: [Fault]

    public init(seed: UInt64 = 1, faults: [Fault] = []) {
        self.seed = seed
        self.faults = faults
    }

    /// One thing wrong with a text.
    public struct Flaw: Equatable, Sendable {
        /// Counted from 0; nil: beside the entries.
        public var entry: Int?
        /// nil: the whole entry.
        public var key: String?
        public var message: String
        public var hint: String
    }

    /// What keeps a good plan from where it is to be used.
    public func flaw(whereTLS isTLS: Bool) -> Flaw? {
        guard !isTLS, let entry = faults.firstIndex(where: { $0.kind == .tls }) else { return nil }
        return Flaw(
            entry: entry, key: "kind",
            message:
                "\(faults[entry].name): faults of TLS, and the local Firehose speaks plain HTTP",
            hint: "set local.tls_certificate and local.tls_key, or remove the entry")
    }

    /// Reads a text. With flaws, what was read is not to be used.
    public static func read(_ text: FaultText) -> (entries: FaultEntries, flaws: [Flaw]) {
        var read = FaultEntries()
        var flaws: [Flaw] = []
        for (key, value) in text.top {
            guard key == "seed" else {
                flaws.append(
                    Flaw(
                        key: key, message: "unknown key \(key)",
                        hint: "beside [[fault]] there is only seed"))
                continue
            }
            if case .integer(let seed) = value, seed >= 0 {
                read.seed = UInt64(seed)
            } else {
                flaws.append(
                    Flaw(
                        key: key, message: "seed must be a whole number, not \(value.inWords)",
                        hint: "any number from 0 on will do"))
            }
        }
        if text.entries.count > entriesMax {
            flaws.append(
                Flaw(
                    message: "\(text.entries.count) entries", hint: "\(entriesMax) are allowed"))
        }
        for (index, fields) in text.entries.prefix(entriesMax).enumerated() {
            read.faults.append(Fault.read(fields, index: index, &flaws))
        }
        return (read, flaws)
    }
}

extension Fault {
    fileprivate static func read(
        _ fields: FaultText.Fields, index: Int, _ flaws: inout [FaultEntries.Flaw]
    ) -> Fault {
        var fault = Fault()
        let flawsBefore = flaws.count
        func report(_ key: String?, _ message: String, _ hint: String) {
            flaws.append(.init(entry: index, key: key, message: message, hint: hint))
        }
        for (name, value) in fields {
            guard let key = FaultKey.named(name) else {
                let near = NearestWord.to(name, among: FaultKey.all.map(\.key))
                report(
                    name, "unknown key \(name)",
                    near.map { "did you mean \($0)?" } ?? "docs/faults.md has every key")
                continue
            }
            do throws(SettingRefusal) {
                try key.set(value, in: &fault)
            } catch {
                report(name, "\(name) \(error.message)", error.hint)
            }
        }
        // What relates keys to each other would mislead while one of them is not read.
        guard flaws.count == flawsBefore else { return fault }
        guard fields.contains(where: { $0.key == "kind" }) else {
            report(
                nil, "an entry without a kind",
                "write kind = \"status\", or another: " + FaultKey.named("kind")!.form)
            return fault
        }
        for (name, _) in fields where !FaultKey.named(name)!.isMeant(for: fault.kind) {
            let kinds = FaultKey.named(name)!.kinds.map(\.rawValue).joined(separator: ", ")
            report(
                name, "\(name) means nothing to kind = \"\(fault.kind.rawValue)\"",
                "remove it; it belongs to \(kinds)")
        }
        if let (key, message, hint) = fault.contradiction { report(key, message, hint) }
        if fault.name.isEmpty { fault.name = "\(fault.kind.rawValue) \(index + 1)" }
        return fault
    }

    /// What does not go together, or is missing.
    private var contradiction: (key: String, message: String, hint: String)? {
        if (onMs == 0) != (offMs == 0) {
            return (
                onMs == 0 ? "off" : "on", "on and off go together",
                "write both: on = \"500ms\", off = \"500ms\""
            )
        }
        switch kind {
        case .skew where offsetSeconds == 0:
            return ("kind", "skew without an offset", "write offset = \"-10m\"")
        case .poison where text.isEmpty:
            return ("kind", "poison without a text", "write text = \"what a refused row holds\"")
        case .quota where bytesPerSecond == 0 && recordsPerSecond == 0 && callsPerSecond == 0:
            return (
                "kind", "a quota without a limit",
                "write bytes_per_second = \"1 MiB\", records_per_second or calls_per_second"
            )
        case .delay: return delayContradiction
        default: return nil
        }
    }

    private var delayContradiction: (key: String, message: String, hint: String)? {
        if (p50Ms == 0) != (p99Ms == 0) {
            return (p50Ms == 0 ? "p99" : "p50", "p50 and p99 go together", "write both")
        }
        if p50Ms > p99Ms {
            return ("p50", "p50 is more than p99", "exchange the two")
        }
        if p50Ms > 0 && (delayMs > 0 || delayMaxMs > 0) {
            return ("p50", "delay is given twice", "keep p50 and p99, or delay")
        }
        if p50Ms == 0 && delayMs == 0 && delayMaxMs == 0 {
            return ("kind", "a delay without a time", "write delay = \"100ms\", or p50 and p99")
        }
        if delayMaxMs > 0 && delayMaxMs < delayMs {
            return ("delay_max", "delay_max is less than delay", "exchange the two")
        }
        return nil
    }
}
