import Core
import Platform

/// What time and the supervisor demand.
extension Working {
    static let tickMs: UInt64 = 250

    /// Puts the lanes' state where others can read it.
    func tick() {
        lookAfterOrphans()
        lookAfterSpool()
        publish()
        publishErrors()
        if hasLeavingFiles { state.pointee.release?.start() }
        state.pointee.intake.tick(nowMs: state.pointee.loop.nowMs)
        syncSpool()
        goOnStopping()
    }

    private var hasLeavingFiles: Bool {
        let spool = state.pointee.spool
        return !spool.pointee.good.leaving.isEmpty || !spool.pointee.bad.leaving.isEmpty
            || state.pointee.adoption.adopted.map {
                !$0.pointee.good.leaving.isEmpty || !$0.pointee.bad.leaving.isEmpty
            } ?? false
    }

    /// A little of the disk space that delivered segments still have.
    func releaseSome() {
        let spool = state.pointee.spool
        spool.pointee.good.leaving.freeSome()
        spool.pointee.bad.leaving.freeSome()
        if let adopted = state.pointee.adoption.adopted {
            adopted.pointee.good.leaving.freeSome()
            adopted.pointee.bad.leaving.freeSome()
        }
        if !hasLeavingFiles { state.pointee.release?.stop() }
    }

    func publish() {
        let counters = state.pointee.counters
        let good = state.pointee.spool.pointee.good.ledger
        let bad = state.pointee.spool.pointee.bad.ledger
        counters.set(.goodHits, to: good.cumulativeHits)
        counters.set(.goodDelivered, to: good.delivered)
        counters.set(.goodSetAside, to: good.setAside)
        counters.set(.goodDropped, to: good.dropped)
        counters.set(.goodSpoolBytes, to: good.byteCount)
        counters.set(.oldestGoodMicroseconds, to: good.oldestUndeliveredMicroseconds)
        counters.set(.badHits, to: bad.cumulativeHits)
        counters.set(.badMoved, to: bad.cumulativeMoved)
        counters.set(.badDelivered, to: bad.delivered)
        counters.set(.badDropped, to: bad.dropped)
        counters.set(.badSetAside, to: bad.setAside)
        counters.set(.badSpoolBytes, to: bad.byteCount)
        counters.set(.oldestBadMicroseconds, to: bad.oldestUndeliveredMicroseconds)
        let spool = state.pointee.spool
        counters.set(
            .tornTails, to: spool.pointee.good.tornTails + spool.pointee.bad.tornTails)
        let damage = state.pointee.adoption.damage
        counters.set(
            .recordsUnreadable,
            to: spool.pointee.good.recordsUnreadable + spool.pointee.bad.recordsUnreadable
                + damage.recordsUnreadable)
        counters.set(
            .quarantinedBytes,
            to: spool.pointee.good.quarantinedBytes + spool.pointee.bad.quarantinedBytes
                + damage.quarantinedBytes)
    }

    /// Why a lane is not delivering, in words; "" once it is.
    private func publishErrors() {
        let counters = state.pointee.counters
        let good = state.pointee.goodDelivery.pointee.lastError ?? ""
        let bad = state.pointee.badDelivery.pointee.lastError ?? ""
        if good != counters.text(.goodDeliveryError) { counters.write(.goodDeliveryError, good) }
        if bad != counters.text(.badDeliveryError) { counters.write(.badDeliveryError, bad) }
        let spool = state.pointee.spoolWatch.trouble
        if spool != counters.text(.spoolError) { counters.write(.spoolError, spool) }
    }

    /// Rows that Firehose refuses came from the good lane into the bad one.
    func didSetAside(_ load: RowLoad) {
        publish()
        if load.bytes > 0 { state.pointee.badDelivery.pointee.appended(load) }
    }

    /// - Parameter cutsWaits: what waits after a failure is tried at once.
    func flush(cutsWaits: Bool) {
        lookAfterOrphans()
        state.pointee.goodDelivery.pointee.flushNow(cutsWaits: cutsWaits)
        state.pointee.badDelivery.pointee.flushNow(cutsWaits: cutsWaits)
    }

    // MARK: Stopping

    /// Reads the links to their end (their routers are gone or going), starts no new call, and
    /// awaits the one in flight. For a successor the links are not read to their end: hits are taken
    /// as long as the calls last, and what is not acknowledged then is sent to the successor.
    func stop(withinMs: UInt64, readsLinksToEnd: Bool = true) {
        if state.pointee.stop != nil { return }
        state.pointee.stop = WorkerState.StopState(
            deadlineAtMs: state.pointee.loop.nowMs + withinMs, readsLinksToEnd: readsLinksToEnd)
        goOnStopping()
    }

    func goOnStopping() {
        guard let stop = state.pointee.stop, stop.isDelivering else { return }
        let nowMs = state.pointee.loop.nowMs
        let graceMs: UInt64 = 500
        let hasLinks = stop.readsLinksToEnd && !state.pointee.links.isEmpty
        if hasLinks && nowMs + graceMs < stop.deadlineAtMs { return }
        state.pointee.stop?.isDelivering = false
        stopProvidingCredentials()
        let callMs = min(2000, stop.deadlineAtMs > nowMs ? stop.deadlineAtMs - nowMs : 0)
        LaneDelivery.stop(state.pointee.goodDelivery, deadlineMs: callMs) { self.delivered() }
        LaneDelivery.stop(state.pointee.badDelivery, deadlineMs: callMs) { self.delivered() }
    }

    /// A call in flight ends with what it was signed with.
    private func stopProvidingCredentials() {
        guard let credentials = state.pointee.credentials else { return }
        state.pointee.goodDelivery.pointee.wantsCredentials = nil
        state.pointee.badDelivery.pointee.wantsCredentials = nil
        CredentialProvider.shutDown(credentials)
        state.pointee.credentials = nil
    }

    private func delivered() {
        state.pointee.deliveries -= 1
        if state.pointee.deliveries > 0 { return }
        publish()
        state.pointee.adoption.close()
        state.pointee.spool.pointee.close()
        state.pointee.didStop()
    }
}
