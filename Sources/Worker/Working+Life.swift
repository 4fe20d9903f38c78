import Core
import Platform

/// What time and the supervisor demand.
extension Working {
    static let tickMs: UInt64 = 250

    /// Puts the lanes' state where others can read it.
    func tick() {
        publish()
        goOnStopping()
    }

    func publish() {
        let counters = state.pointee.counters
        let good = state.pointee.good
        let bad = state.pointee.bad
        counters.set(.goodHits, to: good.pointee.cumulativeHits)
        counters.set(.goodDelivered, to: good.pointee.delivered)
        counters.set(.goodSetAside, to: good.pointee.setAside)
        counters.set(.goodDropped, to: good.pointee.dropped)
        counters.set(.goodSpoolBytes, to: good.pointee.byteCount)
        counters.set(.oldestGoodMicroseconds, to: good.pointee.oldestUndeliveredMicroseconds)
        counters.set(.badHits, to: bad.pointee.cumulativeHits)
        counters.set(.badMoved, to: bad.pointee.cumulativeMoved)
        counters.set(.badDelivered, to: bad.pointee.delivered)
        counters.set(.badDropped, to: bad.pointee.dropped)
        counters.set(.badSpoolBytes, to: bad.pointee.byteCount)
        counters.set(.oldestBadMicroseconds, to: bad.pointee.oldestUndeliveredMicroseconds)
        counters.set(.tornTails, to: good.pointee.tornTails + bad.pointee.tornTails)
        counters.set(
            .recordsUnreadable, to: good.pointee.recordsUnreadable + bad.pointee.recordsUnreadable)
    }

    func flush() {
        state.pointee.goodDelivery.flushNow()
        state.pointee.badDelivery.flushNow()
    }

    // MARK: Stopping

    /// Reads the links to their end (their routers are gone or going), starts no new call, and
    /// awaits the one in flight.
    func stop(withinMs: UInt64) {
        if state.pointee.stop != nil { return }
        state.pointee.stop = WorkerState.StopState(
            deadlineAtMs: state.pointee.loop.nowMs + withinMs)
        goOnStopping()
    }

    func goOnStopping() {
        guard let stop = state.pointee.stop, stop.isDelivering else { return }
        let nowMs = state.pointee.loop.nowMs
        let graceMs: UInt64 = 500
        if state.pointee.openLinks > 0 && nowMs + graceMs < stop.deadlineAtMs { return }
        state.pointee.stop?.isDelivering = false
        let callMs = min(2000, max(graceMs, stop.deadlineAtMs &- nowMs))
        state.pointee.goodDelivery.stop(withinMs: callMs) { self.delivered() }
        state.pointee.badDelivery.stop(withinMs: callMs) { self.delivered() }
    }

    private func delivered() {
        guard state.pointee.goodDelivery.isStopped, state.pointee.badDelivery.isStopped else {
            return
        }
        publish()
        state.pointee.good.pointee.close()
        state.pointee.bad.pointee.close()
        state.pointee.didStop()
    }
}
