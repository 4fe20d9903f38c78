import Core
import Platform

/// `ack = "fsync"`: has the spool synced, and lets the acks go that waited for it.
extension Working {
    /// Before the first link is open.
    func startSyncing() {
        guard state.pointee.intake.waitsForSync else { return }
        let spool = state.pointee.spool
        report(.good, spool.pointee.good.startSyncing(), "what it holds may be delivered twice")
        report(.bad, spool.pointee.bad.startSyncing(), "what it holds may be delivered twice")
        state.pointee.sync = BackgroundSync(in: state.pointee.loop, owner: raw) {
            Working($0).syncEnded()
        }
    }

    /// Begins a sync if frames wait for one and none is under way.
    func syncSpool() {
        if state.pointee.isSettling { return }
        state.pointee.isSettling = true
        defer { state.pointee.isSettling = false }
        while true {
            switch state.pointee.intake.beginSync(nowMs: state.pointee.loop.nowMs) {
            case .none: return
            case .sync(let good, let bad):
                state.pointee.sync!.start(good, bad)
                return
            case .settled(let settled): deal(with: settled)
            }
        }
    }

    private func syncEnded() {
        let sync = state.pointee.sync!
        let settled = state.pointee.intake.finishSync(
            good: sync.firstFailure, bad: sync.secondFailure, nanoseconds: sync.nanoseconds,
            nowMs: state.pointee.loop.nowMs)
        state.pointee.isSettling = true
        // The lane wrote again what the failed sync was for; `settled` tells where that failed too.
        report(.good, sync.firstFailure, "written again to a new segment")
        report(.bad, sync.secondFailure, "written again to a new segment")
        deal(with: settled)
        state.pointee.isSettling = false
        syncSpool()
    }

    /// Lets go of the acks, and reads on where links waited. Frames that come meanwhile are for the
    /// next sync.
    private func deal(with settled: ShardIntake.Settled) {
        refuse(.good, settled.lostGood)
        refuse(.bad, settled.lostBad)
        // A copy: links may close.
        let links = state.pointee.links
        for link in links { goOn(link) }
    }

    private func refuse(_ lane: SpoolLaneName, _ loss: LaneLoss?) {
        guard let loss else { return }
        for link in state.pointee.links {
            state.pointee.intake.didRefuse(link.pointee.waiting?.pointee.refuse(lane) ?? 0)
        }
        report(lane, loss, "hits are refused for a second; check the disk")
    }

    private func report(_ lane: SpoolLaneName, _ failure: Failure?, _ consequence: String) {
        guard let failure else { return }
        state.pointee.log("\(lane) lane of the spool: \(failure); \(consequence)")
    }
}
