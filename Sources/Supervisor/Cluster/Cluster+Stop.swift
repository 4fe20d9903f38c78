import Core
import Platform

extension Cluster {
    /// The first call leaves in order, the next at once, further ones change nothing.
    func stop(because reason: String, immediately: Bool) {
        if stopMachine.isImmediate { return }
        let wasStopping = stopMachine.isStopping
        options.log(
            wasStopping || immediately
                ? "\(reason): leaving at once"
                : "\(reason): leaving within \(seconds(settings.stopTimeoutMs))")
        noteStopping()
        loop.updateTime()
        let actions = stopMachine.stop(
            nowMs: loop.nowMs, timeoutMs: settings.stopTimeoutMs,
            immediately: immediately || wasStopping, living: living)
        perform(actions)
        if !wasStopping { stopTimer.start(afterMs: 20, repeatMs: 20) }
    }

    func tickStop() {
        perform(stopMachine.tick(nowMs: loop.nowMs, living: living))
    }

    private var living: StopMachine.Living {
        func count(_ role: Inheritance.Role) -> Int {
            children(of: role).count { !$0.machine.isGone }
        }
        return StopMachine.Living(
            routers: count(.router), workers: count(.worker), localFirehoses: count(.localFirehose))
    }

    private func perform(_ actions: [StopMachine.Action]) {
        for action in actions {
            switch action {
            case .order(let role, let withinMs):
                for child in children(of: role) {
                    child.leaveWithinMs = withinMs
                    handle(.leave(comesBack: false), of: child)
                }
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

    private func finish() {
        stopTimer.stop()
        let rows = shardLedgers().reduce(0) { $0 &+ $1.ledger.rowsInSpool }
        let words =
            rows == 0 ? "nothing stays in the spool" : "\(grouped(rows)) rows stay in the spool"
        options.log("stopped: \(words)")
        endFlushes()
        for waiter in stopWaiters { waiter.write("done stopped: \(words)\n", andClose: true) }
        loop.stop()
    }
}
