import Core
import Platform

/// One supervised slot: its machine, and what belongs to the incarnation that lives there.
final class Child {
    let role: Inheritance.Role
    let slot: Int
    unowned let cluster: Cluster
    var machine = ChildMachine()

    /// A router of before a reload: it drains, or will, and does not come back.
    var isOld = false
    /// The settings that its living incarnation was started with.
    var generation = 0
    /// Restarts of those who had the slot before it: a reload gives routers successors.
    var restartsBefore = 0
    var restarts: Int { restartsBefore + machine.restarts }
    /// It leaves for a successor, not with the cluster.
    var isReplaced = false
    /// Its listening sockets were lent to another router, because it is down.
    var hasLentSockets = false

    /// Of the living incarnation.
    var channel: ControlChannel?
    var incarnation: UInt64 = 0
    var ordinal = 0
    var spawnedAtMs: UInt64 = 0
    var hasSaidReady = false
    var hangWatch = HangWatch(nowMs: 0)
    /// Why the supervisor killed it; nil while it did not.
    var killedBecause: String?
    /// What the kernel's scheduler was last seen to do with it. Nil before the first look.
    var scheduling: Scheduling?
    /// The time it is given when it is told to leave.
    var leaveWithinMs: UInt64 = 0

    private(set) var restartTimer: Timer!
    private(set) var graceTimer: Timer!

    init(role: Inheritance.Role, slot: Int, cluster: Cluster) {
        self.role = role
        self.slot = slot
        self.cluster = cluster
        let owner = Unmanaged.passUnretained(self).toOpaque()
        restartTimer = Timer(in: cluster.loop, owner: owner) {
            let child = Child.at($0)
            child.cluster.handle(.timeCame, of: child)
        }
        graceTimer = Timer(in: cluster.loop, owner: owner) {
            let child = Child.at($0)
            child.cluster.handle(.graceOver, of: child)
        }
    }

    /// Nothing calls it any more: it may be forgotten.
    func closeTimers() {
        restartTimer.close()
        graceTimer.close()
    }

    static func at(_ owner: UnsafeMutableRawPointer) -> Child {
        Unmanaged<Child>.fromOpaque(owner).takeUnretainedValue()
    }

    var end: LinkPlan.End { LinkPlan.End(role: role, slot: slot, incarnation: incarnation) }
    var name: String { "\(role.rawValue) \(slot)" }

    struct Scheduling {
        let pid: Int32
        var times: SchedulerTimes
        /// The CPU it was put on; nil where it may use all.
        var sharedCPU: Int?
    }

    /// What this role is told when it is to leave.
    var leaveOrder: ControlMessage {
        let kind: ControlMessage.Kind =
            switch role {
            case .router: .drain
            case .worker: isReplaced ? .replace : .stop
            case .localFirehose: .stop
            }
        // A router or worker leaves by itself a little before it would be killed, and more than one
        // of its ticks: what it could not do is counted then, and told.
        let margin = min(leaveWithinMs / 2, max(150, min(leaveWithinMs / 8, 500)))
        return ControlMessage(kind, number: leaveWithinMs - margin)
    }
}
