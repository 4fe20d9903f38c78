import Core
import Platform

/// How a service is reached: where it is, through whom, and whom to believe that it is who it says.
struct ServiceRoute {
    var endpoint: ServiceEndpoint
    var proxy: ProxyAddress?
    /// The process's own; nil when no endpoint of it speaks TLS. It outlives every connection.
    var tls: UnsafePointer<TLSContext>?

    /// - Parameter tls: must be there when the endpoint speaks TLS.
    init(
        _ endpoint: ServiceEndpoint, proxy: ProxyAddress? = nil,
        tls: UnsafePointer<TLSContext>? = nil
    ) {
        precondition(!endpoint.isTLS || tls != nil)
        self.endpoint = endpoint
        self.proxy = proxy
        self.tls = tls
    }

    /// Whom the socket is connected to.
    var hop: (host: String, port: UInt16) {
        if let proxy { return (proxy.host, proxy.port) }
        return (endpoint.host, endpoint.port)
    }

    /// The same for messages.
    var hopName: String {
        guard let proxy else { return endpoint.authority }
        return "proxy \(proxy.host):\(proxy.port) (for \(endpoint.authority))"
    }
}

extension ServiceRoute {
    /// The way to Firehose that the settings and the environment's proxy say.
    static func toFirehose(_ settings: Settings) throws -> ServiceRoute {
        try to(settings.firehoseEndpoint, settings, environment: processEnvironment())
    }

    /// The way to another endpoint under the same rules.
    static func to(
        _ endpoint: ServiceEndpoint, _ settings: Settings, environment: [String: String]
    ) throws -> ServiceRoute {
        guard endpoint.isTLS else { return ServiceRoute(endpoint) }
        // The local Firehose is on this machine, whatever proxy leads out of it.
        let isLocal = settings.deliveryMode == .local && endpoint == settings.firehoseEndpoint
        let proxy =
            isLocal ? nil : try ProxyRules(environment: environment).proxy(for: endpoint)
        return ServiceRoute(endpoint, proxy: proxy, tls: try tlsContext(settings))
    }

    /// The process's own. It is never given back.
    nonisolated(unsafe) private static var context: UnsafePointer<TLSContext>?

    private static func tlsContext(_ settings: Settings) throws -> UnsafePointer<TLSContext> {
        if let context { return context }
        let made = UnsafeMutablePointer<TLSContext>.allocate(capacity: 1)
        let local = settings.deliveryMode == .local ? settings.localCertificateFile : nil
        let trust = (settings.authoritiesFile ?? local)
            .map { TLSContext.Trust.authorities(path: $0) }
        made.initialize(to: try TLSContext.client(trust: trust ?? .systemAuthorities))
        context = UnsafePointer(made)
        return UnsafePointer(made)
    }
}

/// Times that a call may take.
struct CallLimits {
    /// For the name; for each address, one after the other; and for what opens the way behind it,
    /// the proxy's tunnel and TLS's handshake.
    var connectTimeoutMs: UInt64 = 3000
    /// A call may take this long, and what its body takes at the slowest rate worth having.
    var callTimeoutBaseMs: UInt64 = 15_000
    var callBytesPerSecondMin = 128 << 10

    func callTimeoutMs(bodyByteCount: Int) -> UInt64 {
        callTimeoutBaseMs + UInt64(bodyByteCount) * 1000 / UInt64(callBytesPerSecondMin)
    }
}
