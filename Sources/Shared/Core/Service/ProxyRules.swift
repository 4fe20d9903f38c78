import CBytes

/// An HTTP proxy that is asked for a tunnel (RFC 9110, 9.3.6).
public struct ProxyAddress: Equatable, Sendable {
    public var host: String
    public var port: UInt16
    /// "user:password", as it is before base64; nil when the proxy wants none.
    public var userInfo: String?

    public init(host: String, port: UInt16, userInfo: String? = nil) {
        self.host = host
        self.port = port
        self.userInfo = userInfo
    }

    /// What asks it for a way to an endpoint.
    public func request(for endpoint: ServiceEndpoint) -> String {
        let name = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        let target = "\(name):\(endpoint.port)"
        var text = "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\nUser-Agent: hydrant\r\n"
        if let userInfo {
            text += "Proxy-Authorization: Basic \(base64(Array(userInfo.utf8)))\r\n"
        }
        return text + "\r\n"
    }
}

/// Which calls go through a proxy: HTTPS_PROXY and NO_PROXY of the environment, in either case, as
/// curl and the AWS tools read them. Endpoints without TLS are called directly: they are local ones.
public struct ProxyRules: Equatable, Sendable {
    public enum Flaw: Error, Equatable, CustomStringConvertible {
        case unreadable(String)
        case tls(String)

        public var description: String {
            switch self {
            case .unreadable(let text):
                "HTTPS_PROXY (\(text)) is not a proxy's address; \(remedy)"
            case .tls(let text):
                "HTTPS_PROXY (\(text)) is a proxy that is itself spoken to over TLS, which is not "
                    + "supported; \(remedy)"
            }
        }

        public var remedy: String {
            switch self {
            case .unreadable: "write http://host:port or http://user:password@host:port"
            case .tls: "give its http:// address: what goes through it is encrypted anyway"
            }
        }

        /// What is wrong, without the remedy.
        public var reason: String {
            switch self {
            case .unreadable(let text): "\(text) is not an HTTP proxy's address"
            case .tls(let text):
                "\(text) is a proxy that is itself spoken to over TLS, which is not supported"
            }
        }
    }

    private let proxy: ProxyAddress?
    /// Lower case, without a leading dot or star; "*" alone excepts everything.
    private let exceptions: [String]

    public init(environment: [String: String]) throws(Flaw) {
        func value(_ name: String) -> String? {
            for key in [name.lowercased(), name] {
                if let text = environment[key], !text.isEmpty { return text }
            }
            return nil
        }
        let exceptions = (value("NO_PROXY") ?? "").split(whereSeparator: { $0 == "," || $0 == " " })
            .map { $0 == "*" ? "*" : Self.bare($0.lowercased()) }
        self.exceptions = exceptions
        // With everything excepted nobody asks what it says.
        proxy =
            exceptions.contains("*")
            ? nil : try value("HTTPS_PROXY").map { (text) throws(Flaw) in try Self.address(text) }
    }

    /// The proxy on the way to an endpoint; nil when it is called directly.
    public func proxy(for endpoint: ServiceEndpoint) -> ProxyAddress? {
        guard let proxy, endpoint.isTLS else { return nil }
        let host = endpoint.host.lowercased()
        let isExcepted = exceptions.contains { entry in
            if entry == "*" || entry == host { return true }
            if entry == "\(host):\(endpoint.port)" { return true }
            return !entry.isEmpty && host.hasSuffix("." + entry)
        }
        return isExcepted ? nil : proxy
    }

    private static func bare(_ entry: String) -> String {
        var entry = entry[...]
        if entry.hasPrefix("*.") { entry = entry.dropFirst(2) }
        if entry.hasPrefix(".") { entry = entry.dropFirst() }
        if entry.hasPrefix("["), entry.hasSuffix("]") { entry = entry.dropFirst().dropLast() }
        return String(entry)
    }

    private static func address(_ text: String) throws(Flaw) -> ProxyAddress {
        let scheme = text.lowercased()
        var rest = text[...]
        if scheme.hasPrefix("http://") {
            rest = rest.dropFirst(7)
        } else if scheme.hasPrefix("https://") {
            throw .tls(withoutPassword(text))
        } else if scheme.contains("://") {
            throw .unreadable(withoutPassword(text))
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        var userInfo: String?
        if let at = rest.lastIndex(of: "@") {
            userInfo = String(decoding: SigV4.decoded(rest[..<at]), as: UTF8.self)
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = ServiceEndpoint.hostAndPort(rest, defaultPort: 80) else {
            throw .unreadable(withoutPassword(text))
        }
        return ProxyAddress(host: host, port: port, userInfo: userInfo)
    }

    /// Errors are logged; passwords are not.
    private static func withoutPassword(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return text }
        return "…" + text[at...]
    }
}

/// RFC 4648, with padding.
func base64(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { room in
        bytes.withUnsafeBufferPointer {
            $0.isEmpty ? 0 : cbytes_base64_encode($0.baseAddress!, $0.count, room.baseAddress!)
        }
    }
}
