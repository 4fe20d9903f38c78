import Core
import Platform

/// How the cluster fares, for `/readyz`.
extension Cluster {
    /// What a quiet shard with a long linger may take between two calls, and then some.
    private var standsMaxMs: UInt64 { 60_000 + 2 * settings.effectiveLingerMs }

    func startHealthWatch() {
        healthTimer.start(afterMs: HangWatch.lookEveryMs, repeatMs: HangWatch.lookEveryMs)
    }

    func lookAtHealth() {
        lookForHung()
        checkBoot()
        tickWaitingReload()
        lendSockets()
        // A folder that is gone is to be known as gone since now, not since somebody asked.
        _ = orphans.lines(nowMs: loop.nowMs)
        for (shard, counts) in workerCounts().enumerated() {
            if shard == progress.count { progress.append(ProgressWatch()) }
            progress[shard].look(
                ProgressWatch.Look(
                    goodWaiting: counts.goodWaiting, goodPassed: counts.goodPassed,
                    badWaiting: counts.badWaiting, badPassed: counts.badPassed,
                    goodFails: fails(.goodDeliveryState, shard),
                    badFails: fails(.badDeliveryState, shard),
                    refusedFull: book.value(.hitsRefusedFull, .worker, shard),
                    refusedFailure: book.value(.hitsRefusedFailure, .worker, shard)),
                nowMs: loop.nowMs)
        }
    }

    private func fails(_ state: Counter, _ shard: Int) -> Bool {
        switch ShardLedger.DeliveryState(rawValue: book.value(state, .worker, shard)) {
        case .backingOff, .refused: true
        case .idle, .sending, nil: false
        }
    }

    func readiness() -> Readiness {
        Readiness(
            state: stateWord, processes: children.map(healthOf),
            shards: (0..<min(settings.workers, progress.count)).map(healthOf),
            standsMaxMs: standsMaxMs)
    }

    private func healthOf(_ child: Child) -> Readiness.Process {
        var restartsInMs: UInt64?
        if case .waiting(let untilMs) = child.machine.state {
            restartsInMs = untilMs > loop.nowMs ? untilMs - loop.nowMs : 0
        }
        return Readiness.Process(
            name: child.name, shard: child.role == .worker ? child.slot : nil,
            word: child.machine.word, restartsInMs: restartsInMs,
            stillMs: stillMs(child), takesHits: child.role != .localFirehose)
    }

    private func healthOf(_ shard: Int) -> Readiness.Shard {
        let nowMs = loop.nowMs
        let watch = progress[shard]
        func lane(_ isGood: Bool, _ error: CounterText) -> Readiness.Lane {
            Readiness.Lane(
                standsMs: watch.standsMs(good: isGood, nowMs: nowMs),
                failsMs: watch.failsMs(good: isGood, nowMs: nowMs),
                error: book.text(error, .worker, shard))
        }
        let goodBytes = book.value(.goodSpoolBytes, .worker, shard)
        return Readiness.Shard(
            number: shard,
            isFull: goodBytes >= settings.spoolBytesMax || watch.refusesFull(nowMs: nowMs),
            diskFails: watch.refusesFailure(nowMs: nowMs),
            good: lane(true, .goodDeliveryError), bad: lane(false, .badDeliveryError))
    }
}
