import Core
import Platform

extension Cluster {
    func report() -> StatusReport {
        let nowMs = monotonicNanoseconds() / 1_000_000
        loop.updateTime()
        let shards = shardLedgers()
        var ledger = shards.map(\.ledger).reduce(Ledger(), +)
        ledger.refused = book.sum(.answers503, .router)
        return StatusReport(
            state: stateWord, pid: ownPid,
            uptimeMs: loop.nowMs - startedAtMs, nowMicroseconds: realtimeMicroseconds(),
            processes: children.map { process($0, nowMs: nowMs) }, ledger: ledger, shards: shards,
            counters: counters(), sharedCPU: cores?.sharedCPU)
    }

    var stateWord: String {
        if stopMachine.isStopping { return "stopping" }
        if !children(of: .router).isEmpty, children.allSatisfy({ $0.machine.isReady }) {
            return "running"
        }
        return hasSaidReady ? "degraded" : "starting"
    }

    /// The raw counts a flush waits for, shard by shard: the workers', then the orphans'. A reload
    /// never changes what comes first.
    func ledgerCounts() -> [LedgerCounts] {
        workerCounts() + orphans.lines(nowMs: loop.nowMs).map(\.counts)
    }

    /// The shard that is at that place in `ledgerCounts`, and the worker that delivers it.
    func shard(at index: Int) -> (number: Int, worker: Int) {
        if index < ownedShards { return (index, index) }
        let number = orphans.numbers[index - ownedShards]
        return (number, orphans.adopter(of: number))
    }

    func workerCounts() -> [LedgerCounts] {
        (0..<ownedShards).map { shard in
            // A worker that has never been at work in this cluster's life has told nothing yet.
            book.knowsLedger(.worker, shard)
                ? LedgerCounts { book.value($0, .worker, shard) }
                : spoolLook.line(of: shard, settings, nowMs: loop.nowMs).counts
        }
    }

    func shardLedgers() -> [ShardLedger] { workerLedgers() + orphanLedgers() }

    private func orphanLedgers() -> [ShardLedger] {
        orphans.lines(nowMs: loop.nowMs).map { line in
            let adopter = orphans.adopter(of: line.shard)
            return ShardLedger(
                shard: line.shard, stream: settings.streamName(shard: adopter, host: hostName()),
                ledger: Ledger(line.counts), oldestMicroseconds: line.oldestMicroseconds,
                adoptedBy: adopter)
        }
    }

    private func workerLedgers() -> [ShardLedger] {
        workerCounts().enumerated().map { shard, counts in
            func value(_ counter: Counter) -> UInt64 { book.value(counter, .worker, shard) }
            let oldest = [value(.oldestGoodMicroseconds), value(.oldestBadMicroseconds)]
            var line = ShardLedger(
                shard: shard,
                stream: settings.streamName(shard: shard, host: hostName()),
                ledger: Ledger(
                    counts, unstored: value(.hitsRefusedFull) &+ value(.hitsRefusedFailure)),
                oldestMicroseconds: oldest.filter { $0 > 0 }.min() ?? 0,
                good: delivery(
                    shard, .goodDeliveryState, .goodDeliverySinceMicroseconds, .goodDeliveryError),
                bad: delivery(
                    shard, .badDeliveryState, .badDeliverySinceMicroseconds, .badDeliveryError))
            line.spoolError = book.text(.spoolError, .worker, shard)
            return line
        }
    }

    private func delivery(
        _ shard: Int, _ state: Counter, _ since: Counter, _ text: CounterText
    ) -> ShardLedger.Delivery {
        ShardLedger.Delivery(
            state: ShardLedger.DeliveryState(rawValue: book.value(state, .worker, shard)) ?? .idle,
            lastError: book.text(text, .worker, shard),
            sinceMicroseconds: book.value(since, .worker, shard))
    }

    private func process(_ child: Child, nowMs: UInt64) -> StatusReport.Process {
        let pid = child.machine.pid
        let heartbeatMs =
            book.identity(child.role, child.slot, ordinal: child.ordinal)?.heartbeatMs ?? 0
        return StatusReport.Process(
            role: child.role.rawValue, index: child.slot, pid: pid, state: child.machine.word,
            uptimeMs: pid == nil ? 0 : loop.nowMs - child.spawnedAtMs,
            restarts: child.restarts,
            heartbeatAgeMs: pid == nil || heartbeatMs == 0 || heartbeatMs > nowMs
                ? nil : nowMs - heartbeatMs,
            stillMs: stillMs(child))
    }

    /// Every counter that can be added up, and of durations the longest of each kind of process.
    private func counters() -> [(name: String, value: UInt64)] {
        Counter.allCases.compactMap { counter in
            let slots = Inheritance.Role.allCases.flatMap { role in
                (0..<book.slotsUsed(of: role)).map { book.value(counter, role, $0) }
            }
            switch counter {
            case .oldestGoodMicroseconds, .oldestBadMicroseconds, .goodDeliveryState,
                .badDeliveryState, .goodDeliverySinceMicroseconds, .badDeliverySinceMicroseconds:
                return nil  // they are in the shards' lines
            case .routerLongestCallbackNanoseconds, .workerLongestCallbackNanoseconds,
                .spoolSyncNanosecondsMedian, .spoolSyncNanosecondsLongest:
                return (counter.snakeCaseName, slots.max() ?? 0)
            default:
                return (counter.snakeCaseName, slots.reduce(0, &+))
            }
        }
    }
}
