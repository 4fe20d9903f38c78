import Core
import Platform

/// Which worker a hit goes to.
extension Routing {
    /// What the shard of a hit is computed from. Not worth it where there is one shard only.
    func shardKey(_ head: RequestHead, _ address: UnsafePointer<UInt8>) -> UInt64 {
        if state.pointee.workers == 1 { return 0 }
        return state.pointee.shardKey.hash(
            target: head.target, cookie: head.cookie, address: address,
            userAgent: head.userAgent)
    }

    /// A place for a hit of `count` bytes: in the window of its shard, or, with `on_shard_down =
    /// "reroute"`, of the one that stands in for it. `worker` is whose window was looked at last;
    /// without room there the hit is refused.
    func room(
        for key: UInt64, _ count: Int
    ) -> (worker: Int, room: UnsafeMutableRawPointer?) {
        let shard = jumpHash(key, buckets: state.pointee.workers)
        let nowMs = state.pointee.loop.nowMs
        if !state.pointee.reroutes || !isDown(shard) {
            let room = (state.pointee.windows + shard).pointee.reserve(count, nowMs: nowMs)
            if room != nil || !state.pointee.reroutes { return (shard, room) }
            sendSealed(to: shard)
        }
        let worker = standIn(for: key, of: shard)
        let room = (state.pointee.windows + worker).pointee.reserve(count, nowMs: nowMs)
        if room != nil && worker != shard { state.pointee.counters.add(to: .hitsRerouted) }
        return (worker, room)
    }

    /// No link, or hits in its window that were refused already because it says nothing.
    private func isDown(_ worker: Int) -> Bool {
        let isLinked = (state.pointee.links + worker).pointee.isOpen
        let firstFrame = (state.pointee.windows + worker).pointee.firstFrame
        return !isLinked || state.pointee.expired[worker] > firstFrame
    }

    /// Another shard, living; the same one when none is.
    @inline(never)
    private func standIn(for key: UInt64, of shard: Int) -> Int {
        var living = ShardSet()
        for worker in 0..<state.pointee.workers where worker != shard && !isDown(worker) {
            living.insert(worker)
        }
        return living.standIn(for: key) ?? shard
    }
}
