import Core
import Platform

extension Cluster {
    /// Kills who lives and says nothing. A child that was told to leave has its own deadline.
    func lookForHung() {
        for child in children where child.machine.pid != nil {
            let beat =
                book.identity(child.role, child.slot, ordinal: child.ordinal)?.heartbeatMs ?? 0
            let silentMs = child.hangWatch.look(beat: beat, nowMs: loop.nowMs)
            switch child.machine.state {
            case .ready where silentMs >= limitMs(for: child):
                kill(child, because: "hung: no heartbeat for \(seconds(silentMs))")
            case .starting where silentMs >= settings.startLimitMs:
                kill(child, because: "hung: not ready after \(seconds(silentMs))")
            default: break
            }
        }
    }

    /// The local Firehose runs only where nobody else wants to, so on a machine without any CPU to
    /// spare it may be late without being hung: two seconds were seen on one with a load of 15.
    private func limitMs(for child: Child) -> UInt64 {
        settings.hangLimitMs * patience(with: child)
    }

    private func patience(with child: Child) -> UInt64 { child.role == .localFirehose ? 4 : 1 }

    /// How long a child that is at work has said nothing, once that is worth a word; else nil.
    func stillMs(_ child: Child) -> UInt64? {
        let silentMs = child.hangWatch.silentMs
        let isStill = silentMs >= HangWatch.stillMs * patience(with: child)
        return child.machine.isReady && isStill ? silentMs : nil
    }

    /// Said at once, because a process that waits for a disk cannot die before the disk answers.
    private func kill(_ child: Child, because reason: String) {
        if child.killedBecause == nil {
            options.log(
                .error, "\(child.name) (pid \(child.machine.pid ?? 0)) is \(reason): killing it")
        }
        child.killedBecause = reason
        handle(.hung, of: child)
    }
}
