/// Where the load goes: a URL, taken apart.
struct LoadTarget: Codable, Equatable, Sendable {
    var isTLS: Bool
    /// A name, or an address without brackets.
    var host: String
    var port: UInt16
    /// Path and query, beginning with "/".
    var path: String

    /// As the Host header has it.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}
