/// Where a service is reached: Firehose, STS, a credential source.
public struct ServiceEndpoint: Equatable, Sendable {
    public var isTLS: Bool
    /// A name, or an IPv4 or IPv6 literal without brackets.
    public var host: String
    public var port: UInt16

    public init(isTLS: Bool = false, host: String, port: UInt16) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
    }

    public enum Flaw: Error, Equatable, CustomStringConvertible {
        case unreadable(String)

        public var description: String {
            switch self {
            case .unreadable(let url):
                "\(url): not an endpoint; give scheme, host and port, as "
                    + "https://firehose.eu-west-1.amazonaws.com or http://127.0.0.1:8090"
            }
        }
    }

    /// Reads "http://host[:port][/]" or "https://host[:port][/]".
    public init(url: String) throws(Flaw) {
        let (endpoint, path) = try Self.parse(url: url)
        guard path == "" || path == "/" else { throw .unreadable(url) }
        self = endpoint
    }

    /// The same with whatever path and query follow: "" or what begins with "/".
    public static func parse(
        url: String
    ) throws(Flaw) -> (endpoint: ServiceEndpoint, path: String) {
        let scheme = url.lowercased()
        let isTLS = scheme.hasPrefix("https://")
        guard isTLS || scheme.hasPrefix("http://") else { throw .unreadable(url) }
        let rest = url.dropFirst(isTLS ? 8 : 7)
        let authority = rest.prefix { $0 != "/" }
        guard
            let (host, port) = hostAndPort(authority, defaultPort: isTLS ? 443 : 80),
            rest[authority.endIndex...].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .unreadable(url) }
        let endpoint = ServiceEndpoint(isTLS: isTLS, host: host, port: port)
        return (endpoint, String(rest[authority.endIndex...]))
    }

    /// Reads "host", "host:port", "[v6]" or "[v6]:port".
    static func hostAndPort(
        _ authority: Substring, defaultPort: UInt16
    ) -> (host: String, port: UInt16)? {
        var host = authority
        var portText: Substring?
        if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<close]
            let tail = authority[authority.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            if !tail.isEmpty { portText = tail.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
        }
        let allowed = host.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && !"/?#@\\[]".utf8.contains($0)
        }
        guard allowed, !host.isEmpty, host.utf8.count <= 253 else { return nil }
        guard let portText else { return (String(host), defaultPort) }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(portText), port > 0
        else { return nil }
        return (String(host), port)
    }

    /// The `Host` header: with the port unless it is the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    public var url: String { (isTLS ? "https://" : "http://") + authority }
}
