import Core
import Platform

/// One `flush` that somebody waits for.
struct Flush {
    var machine: FlushMachine
    /// Repeated by the local Firehose in `flushed`.
    var number: UInt64
    var connection: ControlConnection
    var startedAtMs: UInt64
    var nextProgressMs: UInt64
}

extension Cluster {
    private static let flushTickMs: UInt64 = 20
    private static let progressMs: UInt64 = 500

    func startFlush(timeoutMs: UInt64, for connection: ControlConnection) {
        if stopMachine.isStopping {
            return connection.write(
                "stopping not delivered: the cluster is stopping\n", andClose: true)
        }
        loop.updateTime()
        flushCount += 1
        flushes.append(
            Flush(
                machine: FlushMachine(
                    counts: ledgerCounts(), awaitsLocal: localSockets != nil, nowMs: loop.nowMs,
                    timeoutMs: timeoutMs),
                number: flushCount, connection: connection, startedAtMs: loop.nowMs,
                nextProgressMs: loop.nowMs + Self.progressMs))
        flushTimer.start(afterMs: 0, repeatMs: Self.flushTickMs)
    }

    func tickFlushes() {
        let counts = ledgerCounts()
        var going: [Flush] = []
        for var flush in flushes where !flush.connection.isClosed {
            if tick(&flush, counts) { going.append(flush) }
        }
        flushes = going
        if flushes.isEmpty { flushTimer.stop() }
    }

    /// False when this flush is over.
    private func tick(_ flush: inout Flush, _ counts: [LedgerCounts]) -> Bool {
        let nowMs = loop.nowMs
        switch flush.machine.tick(counts: counts, nowMs: nowMs) {
        case .none: break
        case .flushWorkers(let shards, let cutsWaits):
            for worker in Set(shards.map { shard(at: $0).worker }) {
                child(.worker, worker)?.channel?.send(
                    ControlMessage(cutsWaits ? .flushNow : .flush, number: flush.number))
            }
            noteWaiting()
        case .flushLocal:
            child(.localFirehose, 0)?.channel?.send(ControlMessage(.flush, number: flush.number))
            noteWaiting()
        case .done:
            flush.connection.write(
                "done \(outcome(counts)) (\(seconds(nowMs - flush.startedAtMs)))\n", andClose: true)
            return false
        case .timedOut:
            flush.connection.write("stuck \(describe(flush.machine))\n", andClose: true)
            return false
        }
        if nowMs >= flush.nextProgressMs {
            flush.nextProgressMs = nowMs + Self.progressMs
            flush.connection.write("progress \(describe(flush.machine))\n", andClose: false)
        }
        return true
    }

    /// What a flush that is over may say: hits that are gone for good do not become delivered by it.
    private func outcome(_ counts: [LedgerCounts]) -> String {
        let words = "everything accepted is delivered\(localSockets == nil ? "" : " and loaded")"
        let dropped = counts.reduce(0) { $0 + $1.goodDropped + $1.badDropped }
        return dropped == 0
            ? words : "\(words), but for \(grouped(dropped)) dropped: hydrant status names shards"
    }

    /// What a flush still waits for, with the reason where one is known.
    private func describe(_ machine: FlushMachine) -> String {
        if machine.waiting.isEmpty { return "local-firehose 0: not yet loaded" }
        return machine.waiting.map { waiting in
            let state: Counter = waiting.lane == .good ? .goodDeliveryState : .badDeliveryState
            let text: CounterText = waiting.lane == .good ? .goodDeliveryError : .badDeliveryError
            let (number, worker) = shard(at: waiting.shard)
            var words =
                "shard \(number) \(waiting.lane.rawValue) lane: "
                + "\(grouped(waiting.rows)) rows left"
            let rawState = book.value(state, .worker, worker)
            if let state = ShardLedger.DeliveryState(rawValue: rawState) {
                words += ", \(state.word)"
            }
            let error = printable(book.text(text, .worker, worker))
            return error.isEmpty ? words : words + " (\(error))"
        }.joined(separator: "; ")
    }

    func localLoaded(_ number: UInt64) {
        for index in flushes.indices where flushes[index].number == number {
            flushes[index].machine.localLoaded()
        }
    }

    func localDied() {
        for index in flushes.indices { flushes[index].machine.localDied() }
    }

    /// The cluster leaves: whoever waits is told.
    func endFlushes() {
        for flush in flushes {
            flush.connection.write(
                "stopping not delivered, the cluster stopped: \(describe(flush.machine))\n",
                andClose: true)
        }
        flushes = []
        flushTimer.stop()
    }
}
