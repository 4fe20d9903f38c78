/// Where a Firehose is reached.
public struct FirehoseEndpoint: Equatable, Sendable {
    /// A name, or an IPv4 or IPv6 literal without brackets.
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    public enum Flaw: Error, Equatable, CustomStringConvertible {
        case https(String)
        case unreadable(String)

        public var description: String {
            switch self {
            case .https(let url):
                "\(url): https is not in this version; give an http endpoint, as "
                    + "http://127.0.0.1:8090"
            case .unreadable(let url):
                "\(url): not an endpoint; give scheme, host and port, as http://127.0.0.1:8090"
            }
        }
    }

    /// Reads "http://host[:port][/]".
    public init(url: String) throws(Flaw) {
        if url.lowercased().hasPrefix("https://") { throw .https(url) }
        guard url.lowercased().hasPrefix("http://") else { throw .unreadable(url) }
        var rest = url.dropFirst(7)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var portText: Substring = "80"
        if rest.hasPrefix("["), let close = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<close])
            let tail = rest[rest.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw .unreadable(url) }
            if !tail.isEmpty { portText = tail.dropFirst() }
        } else if let colon = rest.firstIndex(of: ":") {
            host = String(rest[..<colon])
            portText = rest[rest.index(after: colon)...]
        } else {
            host = String(rest)
        }
        let allowed = host.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && !"/?#@\\[]".utf8.contains($0)
        }
        guard allowed, !host.isEmpty, host.utf8.count <= 253, let port = UInt16(portText), port > 0,
            portText.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .unreadable(url) }
        self.port = port
    }

    /// The `Host` header: with the port unless it is http's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }
}
