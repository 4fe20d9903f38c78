import Core
import Glibc
import Platform

/// Binds the cluster's ports. The supervisor keeps the sockets for its whole life and lends them to
/// each incarnation: a dead router's connections wait in the kernel for its successor.
struct ListeningSockets {
    /// The kernel takes the smaller of this and net.core.somaxconn.
    static let backlog: Int32 = 4096
    static let patienceMs: UInt64 = 5000

    var descriptors: [Int32]
    /// The one that was asked for, or what the kernel chose for 0.
    var port: UInt16

    /// `count` sockets on one address, listening. The first is bound without SO_REUSEPORT, so that
    /// a second cluster is refused; only then is it set, and only when others must join it.
    static func open(
        setting: String, _ address: Settings.Address, count: Int,
        patienceMs: UInt64 = patienceMs, log: (String) -> Void
    ) throws(ClusterFailure) -> ListeningSockets {
        let first = try bindPatiently(setting, address, patienceMs, log)
        var sockets = ListeningSockets(descriptors: [first], port: localPort(of: first))
        do throws(Failure) {
            if count > 1 { try setReusePort(first) }
            for _ in 1..<max(count, 1) {
                sockets.descriptors.append(
                    try bindTCP(address: address.host, port: sockets.port, reusePort: true))
            }
            for descriptor in sockets.descriptors { try listen(on: descriptor, backlog: backlog) }
        } catch {
            sockets.close()
            throw refused(setting, address, error)
        }
        return sockets
    }

    /// More sockets on the same port, for more routers. None is ever closed while the port lives:
    /// connections may wait in it.
    mutating func grow(to count: Int, address: Settings.Address) throws(ClusterFailure) {
        guard count > descriptors.count else { return }
        do throws(Failure) {
            try setReusePort(descriptors[0])
            while descriptors.count < count {
                let more = try bindTCP(address: address.host, port: port, reusePort: true)
                descriptors.append(more)
                try Platform.listen(on: more, backlog: Self.backlog)
            }
        } catch {
            throw Self.refused("listen", address, error)
        }
    }

    /// The sockets of one router of several; fewer routers than sockets have more than one each.
    func share(of slot: Int, among routers: Int) -> [Int32] {
        descriptors.indices.filter { $0 % routers == slot }.map { descriptors[$0] }
    }

    func close() { descriptors.forEach { closeDescriptor($0) } }

    private static func bindPatiently(
        _ setting: String, _ address: Settings.Address, _ patienceMs: UInt64,
        _ log: (String) -> Void
    ) throws(ClusterFailure) -> Int32 {
        let endNs = monotonicNanoseconds() + patienceMs * 1_000_000
        var hasSaid = false
        while true {
            do throws(Failure) {
                return try bindAlone(address)
            } catch {
                let isInUse = error.number == EADDRINUSE
                if !isInUse || monotonicNanoseconds() >= endNs {
                    throw refused(setting, address, error)
                }
            }
            if !hasSaid {
                hasSaid = true
                log("\(setting) = \(address.text): in use, waiting up to \(patienceMs / 1000) s")
            }
            sleepMs(100)
        }
    }

    /// Two sockets may be bound to one port as long as neither listens, so it listens at once.
    private static func bindAlone(_ address: Settings.Address) throws(Failure) -> Int32 {
        let descriptor = try bindTCP(address: address.host, port: address.port)
        do { try listen(on: descriptor, backlog: backlog) } catch {
            closeDescriptor(descriptor)
            throw error
        }
        return descriptor
    }

    private static func refused(
        _ setting: String, _ address: Settings.Address, _ failure: Failure
    ) -> ClusterFailure {
        var message = "\(setting) = \(address.text): \(failure.reason.lowercased())"
        var hint: String
        switch failure.number {
        case EADDRINUSE:
            let holder = SocketHolder.find(port: address.port)
            switch holder {
            case nil: break
            case let holder? where holder.isHydrant:
                message += "; another hydrant (pid \(holder.pid)) listens there"
            case let holder?: message += "; \(holder.name) (pid \(holder.pid)) listens there"
            }
            hint =
                "stop that process, or choose another port (--set \(setting)="
                + "\(address.host):\(address.port == .max ? 8081 : address.port + 1))"
        case EACCES:
            hint = "ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher one"
        case EADDRNOTAVAIL:
            hint = "this host has no such address; `ip address` lists those it has"
        default: hint = "an IPv4 or IPv6 literal and a port, such as 127.0.0.1:8080"
        }
        return ClusterFailure(message, hint: hint, exitCode: ClusterExit.unavailable)
    }
}
