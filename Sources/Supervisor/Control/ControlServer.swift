import Core
import Platform

/// The supervisor's side of the control socket: accepts commands, a line each.
final class ControlServer {
    static let connectionsMax = 32

    unowned let cluster: Cluster
    private var listener: Listener!
    private(set) var connections: [ControlConnection] = []

    nonisolated(unsafe) private static let events = {
        let events = UnsafeMutablePointer<ListenerEvents>.allocate(capacity: 1)
        events.initialize(
            to: ListenerEvents(
                didKnock: { owner, status in
                    let server = Unmanaged<ControlServer>.fromOpaque(owner).takeUnretainedValue()
                    if status >= 0 { server.accept() }
                },
                didClose: { _ in }))
        return UnsafePointer(events)
    }()

    init(cluster: Cluster, path: String) throws {
        self.cluster = cluster
        let descriptor: Int32
        do throws(Failure) {
            descriptor = try listenUnix(at: path, backlog: 64)
        } catch {
            throw ClusterFailure.cannotWrite(path, error)
        }
        listener = try Listener.open(
            unix: descriptor, in: cluster.loop, backlog: 64,
            owner: Unmanaged.passUnretained(self).toOpaque(), events: Self.events)
    }

    func close() {
        listener.close()
        connections.forEach { $0.close() }
        cluster.loop.runNoWait()
    }

    private func accept() {
        let connection = ControlConnection(server: self)
        guard connection.accept(from: listener, .unix) else { return }
        connections.append(connection)
        if connections.count <= Self.connectionsMax { return }
        // The oldest that never asked for anything makes room; if all wait, the newest leaves.
        (connections.first { !$0.hasAsked } ?? connection).close()
    }

    func ended(_ connection: ControlConnection) {
        connections.removeAll { $0 === connection }
        cluster.stopWaiters.removeAll { $0.connection === connection }
        cluster.reloadWaiters.removeAll { $0 === connection }
        cluster.nextReloadWaiters.removeAll { $0 === connection }
    }

    func received(_ line: String, from connection: ControlConnection) {
        switch ControlRequest(line: line) {
        case .status: connection.write(cluster.report().json + "\n", andClose: true)
        case .statusTable: connection.write(cluster.report().table, andClose: true)
        case .flush(let timeoutMs): cluster.startFlush(timeoutMs: timeoutMs, for: connection)
        case .stop: stop(connection, "hydrant stop", nil)
        case .stopDeliver: stop(connection, "hydrant stop --deliver", .deliver)
        case .stopKeep: stop(connection, "hydrant stop --keep", .keep)
        case .stopNow:
            cluster.stopWaiters.append(StopWaiter(connection: connection))
            cluster.stop(because: "hydrant stop --now", immediately: true)
        case .reload: cluster.reload(because: "hydrant reload", for: connection)
        case nil:
            connection.write(
                "error unknown request; known: status, status table, flush <ms>, stop, stop now, "
                    + "stop deliver, stop keep, reload\n",
                andClose: true)
        }
    }

    /// `hydrant stop` twice is patience, not haste: only `--now` means now. What becomes of the spool
    /// may be decided anew while that is possible.
    private func stop(
        _ connection: ControlConnection, _ reason: String, _ onStop: Settings.OnStop?
    ) {
        let isStopping = cluster.stopMachine.isStopping
        if isStopping, let onStop, let why = cluster.changeStop(because: reason, to: onStop) {
            return connection.write("refused \(why)\n", andClose: true)
        }
        cluster.stopWaiters.append(StopWaiter(connection: connection, onStop: onStop))
        if !isStopping { cluster.stop(because: reason, immediately: false, onStop: onStop) }
    }
}
