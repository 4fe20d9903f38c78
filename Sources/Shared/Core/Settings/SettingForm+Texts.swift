/// Forms of values that are texts with a meaning.
extension SettingForm where Value == Settings.Address {
    static var address: Self {
        SettingForm(
            words: "an IP address and a port",
            parse: { (value) throws(SettingRefusal) in try parseAddress(value) },
            show: { .text($0.text) })
    }
}

extension SettingForm where Value == Settings.Address? {
    /// An address, or "off" (or "") for none.
    static var addressOrOff: Self {
        SettingForm(
            words: "an IP address and a port, or \"off\"",
            parse: { (value) throws(SettingRefusal) in
                if value == .text("off") || value == .text("") { return nil }
                return try parseAddress(value)
            },
            show: { .text($0?.text ?? "off") })
    }
}

private func parseAddress(_ value: SettingValue) throws(SettingRefusal) -> Settings.Address {
    let examples = "write \"127.0.0.1:8080\", \":8080\" (every interface) or \"[::1]:8080\""
    guard case .text(let text) = value else {
        if case .integer(let port) = value, (1...65535).contains(port) {
            throw SettingRefusal(
                "must be an address with a port, not \(port)",
                hint: "write \"127.0.0.1:\(port)\", or \":\(port)\" for every interface")
        }
        throw SettingRefusal(
            "must be an address with a port, not \(value.inWords)", hint: examples)
    }
    do throws(Settings.Address.Flaw) {
        return try Settings.Address.parse(text)
    } catch {
        switch error {
        case .portMissing:
            throw SettingRefusal("has no port: \(value.inWords)", hint: examples)
        case .port(let port):
            let shown = SettingValue.text(port).inWords
            throw SettingRefusal(
                "has a port that is not 1 to 65535: \(shown)", hint: examples)
        case .host(let host):
            throw SettingRefusal(
                "must begin with an IP address, not \(SettingValue.text(host).inWords)",
                hint: "names are not looked up; " + examples)
        case .bracketsMissing:
            throw SettingRefusal(
                "is an IPv6 address without brackets: \(value.inWords)",
                hint: "write it like \"[::1]:8080\"")
        }
    }
}

extension SettingForm where Value == String {
    /// A file or folder; made absolute by the loader.
    static var path: Self {
        SettingForm(
            words: "a path",
            parse: { (value) throws(SettingRefusal) in
                let path = try plainText(value, wanted: "a path")
                if path.isEmpty {
                    throw SettingRefusal("is empty", hint: "leave the key out for the default")
                }
                return try checkedPath(path)
            },
            show: { .text($0) })
    }

    /// Stream names, with `{shard}` and `{host}`; checked whole once they are filled.
    static var streamPattern: Self {
        SettingForm(
            words: "a name; {shard} and {host} are filled in",
            parse: { (value) throws(SettingRefusal) in
                let text = try plainText(value, wanted: "a stream's name")
                if text.isEmpty || !text.utf8.allSatisfy(isStreamPatternByte) {
                    throw SettingRefusal(
                        "is not a stream's name: \(value.inWords)",
                        hint: "letters, digits, \"_\", \".\", \"-\", and {shard} and {host}")
                }
                return text
            },
            show: { .text($0) })
    }

    static var region: Self {
        SettingForm(
            words: "a region's name",
            parse: { (value) throws(SettingRefusal) in
                let text = try plainText(value, wanted: "a region's name")
                let fine = text.utf8.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") }
                guard (1...32).contains(text.utf8.count), fine else {
                    throw SettingRefusal(
                        "is not a region's name: \(value.inWords)",
                        hint: "regions are written like \"eu-central-1\"")
                }
                return text
            },
            show: { .text($0) })
    }
}

extension SettingForm where Value == String? {
    /// A path that may be absent; "" says so.
    static var optionalPath: Self {
        SettingForm(
            words: "a path",
            parse: { (value) throws(SettingRefusal) in
                let path = try plainText(value, wanted: "a path")
                return path.isEmpty ? nil : try checkedPath(path)
            },
            show: { .text($0 ?? "") })
    }

    /// "http://host:port", or "" for none.
    static var endpoint: Self {
        SettingForm(
            words: "\"https://HOST\" or \"http://HOST:PORT\"",
            parse: { (value) throws(SettingRefusal) in
                let text = try plainText(value, wanted: "a URL")
                return text.isEmpty ? nil : try checkedEndpoint(text)
            },
            show: { .text($0 ?? "") })
    }
}

extension SettingForm where Value == Double? {
    /// An amount of money; 0 says that there is none.
    static var price: Self {
        SettingForm(
            words: "a number, 0 to 1000",
            parse: { (value) throws(SettingRefusal) in
                let amount: Double? =
                    switch value {
                    case .integer(let number): Double(number)
                    case .real(let number): number
                    default: nil
                    }
                guard let amount, (0...1000).contains(amount) else {
                    throw SettingRefusal(
                        "must be a number, 0 to 1000, not \(value.inWords)",
                        hint: "write it like 0.029, without quotes and currency")
                }
                return amount == 0 ? nil : amount
            },
            show: { .real($0 ?? 0) })
    }
}

extension SettingForm where Value == Bool {
    static var yesOrNo: Self {
        SettingForm(
            words: "true or false",
            parse: { (value) throws(SettingRefusal) in
                switch value {
                case .boolean(let flag): return flag
                case .text(let text) where text.lowercased() == "true": return true
                case .text(let text) where text.lowercased() == "false": return false
                default:
                    throw SettingRefusal(
                        "must be true or false, not \(value.inWords)", hint: "without quotes")
                }
            },
            show: { .boolean($0) })
    }
}

extension SettingForm where Value == [Settings.ShardKeyPart] {
    static var shardKey: Self {
        SettingForm(
            words: "a list of \"query:NAME\" and \"cookie:NAME\"",
            parse: { (value) throws(SettingRefusal) in try parseShardKey(value) },
            show: { parts in
                .list(
                    parts.compactMap {
                        switch $0 {
                        case .query(let name): .text("query:\(name)")
                        case .cookie(let name): .text("cookie:\(name)")
                        case .addressAndUserAgent: nil
                        }
                    })
            })
    }
}

/// One text stands for a list of its parts between commas, so that a flag can say it.
private func parseShardKey(
    _ value: SettingValue
) throws(SettingRefusal) -> [Settings.ShardKeyPart] {
    let example = "write [\"query:uid\", \"cookie:hy_uid\"]"
    let values: [SettingValue]
    switch value {
    case .list(let list): values = list
    case .text(let text): values = text.split(separator: ",").map { .text(String($0)) }
    default:
        throw SettingRefusal("must be a list, not \(value.inWords)", hint: example)
    }
    guard values.count <= 8 else {
        throw SettingRefusal("has \(values.count) parts", hint: "8 are allowed")
    }
    var parts = [Settings.ShardKeyPart]()
    for (index, value) in values.enumerated() {
        guard case .text(let text) = value, let part = shardKeyPart(text) else {
            throw SettingRefusal(
                "has a part that is not \"query:NAME\" or \"cookie:NAME\": \(value.inWords)",
                hint: "client address and User-Agent always come last by themselves; " + example,
                element: index)
        }
        if parts.contains(part) {
            throw SettingRefusal(
                "names \(value.inWords) twice", hint: "remove one of the two", element: index)
        }
        parts.append(part)
    }
    return parts + [.addressAndUserAgent]
}

private func shardKeyPart(_ text: String) -> Settings.ShardKeyPart? {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, (1...64).contains(halves[1].utf8.count),
        halves[1].utf8.allSatisfy(isNameByte)
    else { return nil }
    switch halves[0] {
    case "query": return .query(String(halves[1]))
    case "cookie": return .cookie(String(halves[1]))
    default: return nil
    }
}

private func plainText(
    _ value: SettingValue, wanted: String
) throws(SettingRefusal) -> String {
    guard case .text(let text) = value else {
        throw SettingRefusal(
            "must be \(wanted), not \(value.inWords)", hint: "write it in quotes")
    }
    if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
        throw SettingRefusal(
            "holds a control character: \(value.inWords)", hint: "remove it")
    }
    return text
}

private func checkedPath(_ path: String) throws(SettingRefusal) -> String {
    if path.hasPrefix("~") {
        throw SettingRefusal(
            "begins with \"~\", which is not expanded", hint: "write the whole path")
    }
    if path.utf8.count > 1024 {
        throw SettingRefusal("is longer than 1024 bytes", hint: "choose a shorter path")
    }
    return path
}

private func checkedEndpoint(_ text: String) throws(SettingRefusal) -> String {
    let example = "write \"https://HOST\" or \"http://127.0.0.1:5000\""
    // What stands before it may be a password.
    if text.contains("@") {
        throw SettingRefusal(
            "has a user name or a password before an \"@\"; calls are signed, and take none",
            hint: example)
    }
    let shown = SettingValue.text(text).inWords
    guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
        throw SettingRefusal("must begin with http:// or https://, not \(shown)", hint: example)
    }
    guard let endpoint = try? ServiceEndpoint(url: text) else {
        throw SettingRefusal(
            "must be http:// or https:// with a host and a port: \(shown)", hint: example)
    }
    return endpoint.url
}

private func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte)
}

/// What names of streams, parameters, cookies and hosts are made of here.
func isNameByte(_ byte: UInt8) -> Bool {
    isLowerOrDigit(byte) || (65...90).contains(byte) || byte == UInt8(ascii: "_")
        || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
}

private func isStreamPatternByte(_ byte: UInt8) -> Bool {
    isNameByte(byte) || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}")
}
