import Core
import Platform

/// Puts routers and workers onto one CPU and takes them off it again, as `CoreSharing` decides.
/// The local Firehose stays out of it: it runs where nobody else wants to.
extension Cluster {
    /// Nothing to do with one CPU, or where the settings say so.
    func startSharingCores() {
        guard settings.cores == .pack, let allowed = CPUSet.allowed(), allowed.count > 1 else {
            return
        }
        cores = Cores(allowed: allowed, lookedAtNs: monotonicNanoseconds())
        coresTimer.start(
            afterMs: CoreSharing.lookEveryMs, repeatMs: CoreSharing.lookEveryMs)
    }

    func lookAtCores() {
        let nowNs = monotonicNanoseconds()
        let hits = book.sum(.requests, .router)
        let refused = book.sum(.hitsRefusedWindow, .router) &+ book.sum(.hitsRefusedLate, .router)
        let wanted = cores.sharing.decide(
            CoreSharing.Look(
                nowMs: nowNs / 1_000_000, elapsedNs: nowNs - cores.lookedAtNs,
                uses: children.compactMap(usedSinceLastLook), hits: hits &- cores.hits,
                refused: refused &- cores.refused))
        cores.lookedAtNs = nowNs
        (cores.hits, cores.refused) = (hits, refused)
        switch wanted {
        case .spread: cores.sharedCPU = nil
        case .shared: cores.sharedCPU = cores.sharedCPU ?? busiestCPU()
        }
        do throws(Failure) {
            for child in children { try put(child) }
        } catch {
            giveUpSharing(because: error)
        }
    }

    /// A process begins on every CPU it is allowed, as this one has them.
    private func put(_ child: Child) throws(Failure) {
        guard let seen = child.scheduling, seen.sharedCPU != cores.sharedCPU else { return }
        let cpus = cores.sharedCPU.flatMap { CPUSet(only: $0) } ?? cores.allowed
        do {
            try place(pid: seen.pid, on: cpus)
        } catch  where child.machine.pid == seen.pid && SchedulerTimes(of: seen.pid) != nil {
            throw error
        } catch {}  // it has just ended
        child.scheduling?.sharedCPU = cores.sharedCPU
    }

    /// Nil for a process that was not there at the last look.
    private func usedSinceLastLook(_ child: Child) -> CoreSharing.Use? {
        guard child.role != .localFirehose, let pid = child.machine.pid,
            let times = SchedulerTimes(of: pid)
        else {
            child.scheduling = nil
            return nil
        }
        guard let last = child.scheduling, last.pid == pid else {
            child.scheduling = Child.Scheduling(pid: pid, times: times, sharedCPU: nil)
            return nil
        }
        child.scheduling?.times = times
        return CoreSharing.Use(
            ranNs: times.ranNanoseconds &- last.times.ranNanoseconds,
            waitedNs: times.waitedNanoseconds &- last.times.waitedNanoseconds)
    }

    /// Where the first router ran last: the kernel's balancer has found it a good place.
    private func busiestCPU() -> Int? {
        guard let pid = child(.router, 0)?.machine.pid, let cpu = lastCPU(of: pid),
            cores.allowed.contains(cpu)
        else { return nil }
        return cpu
    }

    private func giveUpSharing(because failure: Failure) {
        coresTimer.stop()
        options.log(
            .warning, "cannot choose CPUs for routers and workers, so the kernel does: \(failure)")
        cores.sharedCPU = nil
        for child in children {
            if let seen = child.scheduling { try? place(pid: seen.pid, on: cores.allowed) }
        }
    }

    /// What the supervisor knows of CPUs.
    struct Cores {
        let allowed: CPUSet
        var lookedAtNs: UInt64
        /// Totals at the last look.
        var hits: UInt64 = 0
        var refused: UInt64 = 0
        var sharing = CoreSharing()
        /// Where routers and workers are together; nil while they are spread.
        var sharedCPU: Int?
    }
}
