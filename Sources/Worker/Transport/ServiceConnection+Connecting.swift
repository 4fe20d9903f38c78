import Core
import Platform

/// From nothing to a way that carries calls: name, address, the proxy's tunnel, TLS's handshake.
extension ServiceConnection {
    mutating func connect() {
        nextAddress = 0
        timer.start(afterMs: limits.connectTimeoutMs)
        let hop = route.hop
        if let literal = SocketAddress(ip: hop.host, port: hop.port) {
            addresses = [literal]
            connectToNext()
            return
        }
        phase = .resolving
        // The query of a call that gave up goes on; its answer serves this one.
        if resolver.isAsking { return }
        do {
            try resolver.resolve(host: hop.host, port: hop.port)
        } catch {
            phase = .closed
            fail("\(hop.host): \(error)")
        }
    }

    mutating func didResolve(_ code: Int32) {
        guard phase == .resolving else { return }
        if code < 0 {
            phase = .closed
            fail("\(route.hop.host): \(describe(uvCode: code))")
            return
        }
        addresses = resolver.addresses
        connectToNext()
    }

    mutating func connectToNext() {
        phase = .connecting
        stream.openTCP(in: loop, owner: address, events: Self.streamEvents)
        timer.start(afterMs: limits.connectTimeoutMs)
        nextAddress += 1
        do {
            try stream.connect(to: addresses[nextAddress - 1])
        } catch {
            didConnect(failure: describe(uvCode: -error.number))
        }
    }

    mutating func didConnect(_ code: Int32) {
        guard phase == .connecting else { return }
        if code < 0 {
            didConnect(failure: describe(uvCode: code))
            return
        }
        stream.setNoDelay()
        do {
            try stream.startReading()
        } catch {
            didConnect(failure: "\(error)")
            return
        }
        if let proxy = route.proxy {
            askForTunnel(proxy)
        } else {
            secure()
        }
    }

    /// Goes on to the name's next address, if there is one.
    mutating func didConnect(failure: String) {
        close()
        if nextAddress < addresses.count {
            reconnects = true
        } else {
            fail("\(route.hopName): cannot connect: \(failure)")
        }
    }

    // MARK: Through a proxy

    private mutating func askForTunnel(_ proxy: ProxyAddress) {
        phase = .tunnelling
        response.reset(opensTunnel: true)
        var request = proxy.request(for: route.endpoint)
        let isSent = request.withUTF8 { stream.tryWrite($0.baseAddress!, $0.count) == $0.count }
        // A fresh socket takes a kilobyte whole.
        if !isSent { didConnect(failure: "the proxy does not read") }
    }

    mutating func tunnelRead(_ bytes: UnsafeRawBufferPointer) {
        switch response.consume(bytes) {
        case .more: break
        case .complete where response.status / 100 == 2: secure()
        case .complete:
            didConnect(
                failure: "the proxy answered \(response.status)\(Self.proxyRemedy(response.status))"
            )
        case .failed(let flaw): didConnect(failure: "the proxy: \(flaw.rawValue)")
        }
    }

    private static func proxyRemedy(_ status: Int) -> String {
        switch status {
        case 407: ": it wants a user and password, put them into HTTPS_PROXY"
        case 401, 403: ": it forbids this host, allow it there or except it by NO_PROXY"
        case 502...504: ": it does not reach this host"
        default: ""
        }
    }

    // MARK: TLS

    /// The way is there; what is left is to know who is at its end.
    private mutating func secure() {
        guard route.endpoint.isTLS, let context = route.tls else {
            isReady()
            return
        }
        phase = .shakingHands
        do throws(TLSFailure) {
            tls = try TLSWire(context, serverName: route.endpoint.host)
        } catch {
            distrust(error)
            return
        }
        shakeHands()
    }

    mutating func shakeHands() {
        do throws(TLSFailure) {
            let isDone = try tls!.shakeHands(over: stream)
            if isDone { isReady() }
        } catch {
            distrust(error)
        }
    }

    /// Another address of the name has the same certificate, most likely: none is tried.
    private mutating func distrust(_ failure: TLSFailure) {
        close()
        fail("\(route.endpoint.authority): \(failure)", .untrusted)
    }

    private mutating func isReady() {
        nextAddress = 0
        send()
    }
}
