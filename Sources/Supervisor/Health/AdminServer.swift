import Core
import Platform

/// The supervisor's HTTP listener for health. A few connections, each for a few seconds at most: it
/// runs in the loop that restarts children, and must never cost them anything.
final class AdminServer {
    static let connectionsMax = 64
    /// From its opening to its end, whatever the client does.
    static let connectionMsMax: UInt64 = 5000

    unowned let cluster: Cluster
    private var listener: Listener!
    private var sweepTimer: Timer!
    private(set) var connections: [AdminConnection] = []

    nonisolated(unsafe) private static let events = {
        let events = UnsafeMutablePointer<ListenerEvents>.allocate(capacity: 1)
        events.initialize(
            to: ListenerEvents(
                didKnock: { owner, status in
                    let server = Unmanaged<AdminServer>.fromOpaque(owner).takeUnretainedValue()
                    if status >= 0 { server.accept() }
                },
                didClose: { _ in }))
        return UnsafePointer(events)
    }()

    /// Takes over the listening descriptor.
    init(cluster: Cluster, descriptor: Int32) throws(Failure) {
        self.cluster = cluster
        let owner = Unmanaged.passUnretained(self).toOpaque()
        listener = try Listener.open(
            tcp: descriptor, in: cluster.loop, backlog: 64, owner: owner, events: Self.events)
        sweepTimer = Timer(in: cluster.loop, owner: owner) {
            Unmanaged<AdminServer>.fromOpaque($0).takeUnretainedValue().sweep()
        }
    }

    func close() {
        listener.close()
        sweepTimer.close()
        connections.forEach { $0.close() }
        cluster.loop.runNoWait()
    }

    private func accept() {
        let connection = AdminConnection(server: self)
        guard connection.accept(from: listener, .tcp) else { return }
        connections.append(connection)
        if !sweepTimer.isActive { sweepTimer.start(afterMs: 500, repeatMs: 500) }
        // Whoever was here longest makes room: somebody who fills the places loses them again.
        if connections.count > Self.connectionsMax { connections[0].close() }
    }

    func ended(_ connection: AdminConnection) {
        connections.removeAll { $0 === connection }
        if connections.isEmpty { sweepTimer.stop() }
    }

    private func sweep() {
        let nowMs = cluster.loop.nowMs
        for connection in connections where nowMs >= connection.openedAtMs + Self.connectionMsMax {
            connection.close()
        }
    }
}
