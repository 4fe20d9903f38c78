import Core
import Platform

extension Cluster {
    /// Kills who lives and says nothing. A child that was told to leave has its own deadline.
    func lookForHung() {
        for child in children where child.machine.pid != nil {
            let beat = book.identity(child.role, child.slot, ordinal: child.ordinal)?.heartbeatMs ?? 0
            let silentMs = child.hangWatch.look(beat: beat, nowMs: loop.nowMs)
            switch child.machine.state {
            case .ready where silentMs >= settings.hangLimitMs:
                kill(child, because: "hung: no heartbeat for \(seconds(silentMs))")
            case .starting where silentMs >= settings.startLimitMs:
                kill(child, because: "hung: not ready after \(seconds(silentMs))")
            default: break
            }
        }
    }

    /// Said at once, because a process that waits for a disk cannot die before the disk answers.
    private func kill(_ child: Child, because reason: String) {
        if child.killedBecause == nil {
            options.log("\(child.name) (pid \(child.machine.pid ?? 0)) is \(reason): killing it")
        }
        child.killedBecause = reason
        handle(.hung, of: child)
    }
}
