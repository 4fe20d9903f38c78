import Core
import Platform

/// Rows of shards that have no worker any more.
extension Working {
    /// Adopts the next one, or lets go of one that is delivered.
    func lookAfterOrphans() {
        guard state.pointee.stop == nil else { return }
        let event = state.pointee.adoption.tick(
            nowMs: state.pointee.loop.nowMs, good: &state.pointee.goodQueue.pointee,
            bad: &state.pointee.badQueue.pointee)
        switch event {
        case .none: tellDeliveries(onlyIfResting: true)
        case .adopted(let shard):
            state.pointee.log(
                "shard \(shard) has no worker any more: delivering what it holds to this one's stream"
            )
            tellDeliveries(onlyIfResting: false)
        case .finished(let shard, let hits):
            state.pointee.log("shard \(shard), which has no worker, is delivered: \(hits) hits")
        case .failed(let shard, let reason):
            state.pointee.log("shard \(shard) has no worker and cannot be taken in yet: \(reason)")
        }
    }

    /// The deliveries know of their own shard's appends only. One that rests though there is
    /// something to read (it could not be read before) is told again.
    private func tellDeliveries(onlyIfResting: Bool) {
        guard let orphan = state.pointee.adoption.adopted else { return }
        func tell(_ delivery: LaneDelivery.Pointer, _ load: RowLoad) {
            guard load.bytes > 0, delivery.pointee.isCaughtUp || !onlyIfResting else { return }
            delivery.pointee.appended(load)
        }
        let good = orphan.pointee.good.loadToDeliver
        let bad = orphan.pointee.bad.loadToDeliver
        tell(state.pointee.goodDelivery, good)
        tell(state.pointee.badDelivery, bad)
    }
}
