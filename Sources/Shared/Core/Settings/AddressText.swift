/// "127.0.0.1:8080", "[::1]:8080", ":8080": a listening address as people write it.
extension Settings.Address {
    public enum Flaw: Error, Equatable {
        case portMissing
        case port(String)
        case host(String)
        case bracketsMissing
    }

    /// Reads an address. ":8080" is every IPv4 interface; "localhost" is 127.0.0.1; other names are
    /// refused, because a name may mean several addresses, or none at the next start.
    public static func parse(_ text: String) throws(Flaw) -> Settings.Address {
        guard let colon = text.lastIndex(of: ":") else { throw .portMissing }
        let portText = text[text.index(after: colon)...]
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard IPLiteral.isV6(host) else { throw .host(host) }
        } else if host.contains(":") {
            throw IPLiteral.isV6(text) || IPLiteral.isV6(host) ? .bracketsMissing : .host(host)
        } else if host.isEmpty {
            host = "0.0.0.0"
        } else if host == "localhost" {
            host = "127.0.0.1"
        } else if !IPLiteral.isV4(host) {
            throw .host(host)
        }
        let digitsOnly = !portText.isEmpty && portText.utf8.allSatisfy { (48...57).contains($0) }
        guard digitsOnly, let port = UInt16(portText), port > 0 else {
            throw .port(String(portText))
        }
        return Settings.Address(host: host, port: port)
    }

    /// As it is written: IPv6 in brackets.
    public var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    public var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" }
    /// What a client on this machine connects to: "every interface" is no address to call.
    public var reachable: Settings.Address {
        guard isWildcard else { return self }
        return Settings.Address(host: host == "::" ? "::1" : "127.0.0.1", port: port)
    }

    var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    /// Whether two listeners there could not both live.
    func collides(with other: Settings.Address) -> Bool {
        port == other.port && (host == other.host || isWildcard || other.isWildcard)
    }
}

/// IP addresses in text. Strict: no leading zeros, no zone, nothing around them.
public enum IPLiteral {
    public static func isV4(_ text: some StringProtocol) -> Bool { isV4(Array(text.utf8)[...]) }

    private static func isV4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy(isOctet)
    }

    public static func isV6(_ text: some StringProtocol) -> Bool {
        let utf8 = Array(text.utf8)
        var gapAt: Int?
        for index in utf8.indices.dropLast()
        where utf8[index] == UInt8(ascii: ":") && utf8[index + 1] == UInt8(ascii: ":") {
            if gapAt != nil { return false }
            gapAt = index
        }
        guard let gapAt else { return groups(utf8[...], tailMayBeV4: true) == 8 }
        guard let before = groups(utf8[..<gapAt], tailMayBeV4: false),
            let after = groups(utf8[(gapAt + 2)...], tailMayBeV4: true)
        else { return false }
        return before + after <= 7
    }

    /// How many 16-bit groups these bytes spell; nil when they spell something else.
    private static func groups(_ bytes: ArraySlice<UInt8>, tailMayBeV4: Bool) -> Int? {
        if bytes.isEmpty { return 0 }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var count = 0
        for (index, part) in parts.enumerated() {
            if tailMayBeV4, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard isV4(part) else { return nil }
                count += 2
            } else {
                guard (1...4).contains(part.count), part.allSatisfy(isHexDigit) else { return nil }
                count += 1
            }
        }
        return count
    }

    private static func isOctet(_ digits: ArraySlice<UInt8>) -> Bool {
        guard (1...3).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }),
            digits.count == 1 || digits.first != 48
        else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1) - 48 } <= 255
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
