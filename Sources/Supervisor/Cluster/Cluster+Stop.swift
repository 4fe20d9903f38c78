import Core
import Platform

/// A `hydrant stop` that waits for the end, and what it wants done with the rows in the spool; nil:
/// what the stop under way does.
struct StopWaiter {
    var connection: ControlConnection
    var onStop: Settings.OnStop?
}

extension Cluster {
    private static let deliveryProgressMs: UInt64 = 5000

    /// The first call leaves in order, the next at once, further ones change nothing. `onStop`
    /// takes the setting's place.
    func stop(
        because reason: String, immediately: Bool, onStop: Settings.OnStop? = nil
    ) {
        if stopMachine.isImmediate { return }
        let wasStopping = stopMachine.isStopping
        let delivers = (onStop ?? settings.onStop) == .deliver
        if wasStopping || immediately {
            options.log(.notice, "\(reason): leaving at once")
        } else {
            options.log(
                .notice,
                "\(reason): leaving within \(seconds(settings.stopTimeoutMs))"
                    + (delivers
                        ? ", and \(seconds(settings.deliverTimeoutMs)) for what is in the spool"
                        : ""))
        }
        noteStopping()
        loop.updateTime()
        let actions = stopMachine.stop(
            nowMs: loop.nowMs, timeoutMs: settings.stopTimeoutMs,
            deliverMs: delivers ? settings.deliverTimeoutMs : 0,
            immediately: immediately || wasStopping, living: living)
        perform(actions)
        if !wasStopping { stopTimer.start(afterMs: 20, repeatMs: 20) }
    }

    /// Another wish for what is in the spool, during a stop. Answers why it comes too late; nil when
    /// it is granted.
    func changeStop(because reason: String, to onStop: Settings.OnStop) -> String? {
        let delivers = onStop == .deliver
        let didDeliver = stopMachine.deliverMs > 0
        loop.updateTime()
        let isGranted = stopMachine.change(
            deliverMs: delivers ? settings.deliverTimeoutMs : 0, nowMs: loop.nowMs)
        if !isGranted {
            let rows = rowsInSpool
            if rows == 0 { return nil }
            return
                "the cluster is leaving without delivering what is in its spool, and its workers "
                + "have been told to go: \(countedRows(rows)) there"
        }
        if (stopMachine.deliverMs > 0) != didDeliver {
            options.log(
                .notice,
                "\(reason): "
                    + (delivers
                        ? "delivering what is in the spool first, within "
                            + seconds(settings.deliverTimeoutMs)
                        : "what is in the spool stays there"))
        }
        return nil
    }

    private func countedRows(_ rows: UInt64) -> String {
        "\(grouped(rows)) \(rows == 1 ? "row stays" : "rows stay")"
    }

    func tickStop() {
        perform(stopMachine.tick(nowMs: loop.nowMs, living: living))
        tellDelivery()
    }

    private var living: StopMachine.Living {
        func count(_ role: Inheritance.Role) -> Int {
            children(of: role).count { !$0.machine.isGone }
        }
        return StopMachine.Living(
            routers: count(.router), workers: count(.worker), localFirehoses: count(.localFirehose),
            rowsInSpool: rowsInSpool)
    }

    private var rowsInSpool: UInt64 { shardLedgers().reduce(0) { $0 &+ $1.ledger.rowsInSpool } }

    private func perform(_ actions: [StopMachine.Action]) {
        for action in actions {
            switch action {
            case .order(let role, let withinMs):
                for child in children(of: role) {
                    child.leaveWithinMs = withinMs
                    handle(.leave(comesBack: false), of: child)
                }
                if role == .router { closeListeners() }
            case .deliver:
                for child in children(of: .worker) {
                    child.channel?.send(ControlMessage(.flushNow))
                }
                noteWaiting()
            case .kill(let role):
                for child in children(of: role) { handle(.graceOver, of: child) }
            case .quit:
                for child in children { child.channel?.send(ControlMessage(.quit)) }
            case .killAll:
                for child in children { handle(.graceOver, of: child) }
            case .finish: finish()
            }
        }
    }

    /// The routers close theirs: were this copy open, clients would go on being taken by the kernel,
    /// wait for the whole stop, and be reset at its end. Refused, they turn to another host at once.
    private func closeListeners() {
        routerSockets.close()
        routerSockets.descriptors = []
    }

    /// Somebody waits for this host to go: how far it is.
    private func tellDelivery() {
        guard let endMs = stopMachine.deliverEndMs, loop.nowMs >= nextDeliveryLineMs else { return }
        nextDeliveryLineMs = loop.nowMs + Self.deliveryProgressMs
        let left = endMs > loop.nowMs ? endMs - loop.nowMs : 0
        let line =
            "delivering before leaving: \(grouped(rowsInSpool)) rows left, "
            + "\(seconds(left)) left" + troubles
        options.log(.notice, line)
        for waiter in stopWaiters { waiter.connection.write("progress \(line)\n", andClose: false) }
    }

    /// Why it takes so long, where a shard says so.
    private var troubles: String {
        let errors = shardLedgers().flatMap { [$0.good, $0.bad] }.map(\.lastError)
            .filter { !$0.isEmpty }
        return errors.first.map { " (\(printable($0)))" } ?? ""
    }

    private func finish() {
        stopTimer.stop()
        let rows = rowsInSpool
        let words =
            rows == 0 ? "nothing stays in the spool" : "\(countedRows(rows)) in the spool"
        options.log(.notice, "stopped: \(words)")
        endFlushes()
        // What was to be delivered and was not is the difference between this host and its disk.
        let delivers = stopMachine.deliverMs > 0
        if rows > 0 && delivers && exitCode == 0 { exitCode = ClusterExit.timedOut }
        for waiter in stopWaiters {
            let isShort = rows > 0 && (waiter.onStop.map { $0 == .deliver } ?? delivers)
            waiter.connection.write(
                "\(isShort ? "left" : "done") stopped: \(words)\n", andClose: true)
        }
        loop.stop()
    }
}
