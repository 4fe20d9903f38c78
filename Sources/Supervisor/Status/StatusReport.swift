import Core

/// What `hydrant status` shows, of a running cluster or (from its spool) of a stopped one.
struct StatusReport: Equatable {
    struct Process: Equatable {
        var role: String
        var index: Int
        /// Nil when nothing lives in the slot.
        var pid: Int32?
        var state: String
        var uptimeMs: UInt64
        var restarts: Int
        /// Since the process last said "alive"; nil when it never did.
        var heartbeatAgeMs: UInt64?
        /// It is at work and has said nothing for so long that it is worth a word.
        var stillMs: UInt64?
    }

    /// "starting", "running", "degraded" (a child is missing), "stopping" or "stopped".
    var state: String
    var pid: Int32?
    var uptimeMs: UInt64
    var nowMicroseconds: UInt64
    var processes: [Process]
    /// The cluster's.
    var ledger: Ledger
    var shards: [ShardLedger]
    /// Every total and ledger counter, summed over the cluster's life.
    var counters: [(name: String, value: UInt64)]
    /// The CPU that routers and workers share; nil while they use all.
    var sharedCPU: Int?

    static func == (left: StatusReport, right: StatusReport) -> Bool { left.json == right.json }

    /// Of a cluster that does not run: its spool is its ledger.
    static func stopped(_ shards: [ShardLedger], nowMicroseconds: UInt64) -> StatusReport {
        StatusReport(
            state: "stopped", pid: nil, uptimeMs: 0, nowMicroseconds: nowMicroseconds,
            processes: [], ledger: shards.map(\.ledger).reduce(Ledger(), +), shards: shards,
            counters: [])
    }
}

// MARK: As JSON

extension StatusReport {
    /// One line.
    var json: String {
        var json = JSONText()
        json.object { json in
            json.field("state", state)
            json.key("pid")
            if let pid { json.number(Int(pid)) } else { json.null() }
            json.key("uptime_s")
            json.seconds(ms: uptimeMs)
            json.key("processes")
            json.array(processes) { $0.process($1) }
            json.key("shared_cpu")
            if let sharedCPU { json.number(sharedCPU) } else { json.null() }
            json.key("ledger")
            json.object { $0.ledger(ledger, isCluster: true) }
            json.key("billing_overhead_percent")
            if let billing = Billing(counters) {
                json.literal(billing.overheadText)
            } else {
                json.null()
            }
            json.key("shards")
            json.array(shards) { $0.shard($1, nowMicroseconds: nowMicroseconds) }
            json.key("counters")
            json.object { json in
                for counter in counters { json.field(counter.name, counter.value) }
            }
        }
        return json.text
    }
}

extension JSONText {
    fileprivate mutating func process(_ process: StatusReport.Process) {
        object { json in
            json.field("role", process.role)
            json.field("index", process.index)
            json.key("pid")
            if let pid = process.pid { json.number(Int(pid)) } else { json.null() }
            json.field("state", process.state)
            json.key("uptime_s")
            json.seconds(ms: process.uptimeMs)
            json.field("restarts", process.restarts)
            json.key("heartbeat_age_s")
            if let age = process.heartbeatAgeMs { json.seconds(ms: age) } else { json.null() }
        }
    }

    fileprivate mutating func ledger(_ ledger: Ledger, isCluster: Bool) {
        field("accepted", ledger.accepted)
        field("delivered", ledger.delivered)
        field("bad", ledger.bad)
        field("spooled", ledger.spooled)
        field("dropped", ledger.dropped)
        if isCluster { field("refused", ledger.refused) }
        field("unstored", ledger.unstored)
        field("bad_delivered", ledger.badDelivered)
        field("bad_spooled", ledger.badSpooled)
        field("bad_set_aside", ledger.badSetAside)
    }

    fileprivate mutating func shard(_ shard: ShardLedger, nowMicroseconds: UInt64) {
        object { json in
            json.field("shard", shard.shard)
            json.field("stream", shard.stream)
            json.ledger(shard.ledger, isCluster: false)
            json.key("oldest_undelivered_s")
            json.seconds(ms: shard.oldestAgeMs(nowMicroseconds: nowMicroseconds))
            json.key("adopted_by")
            if let worker = shard.adoptedBy { json.number(worker) } else { json.null() }
            json.field("spool_error", shard.spoolError.isEmpty ? nil : shard.spoolError)
            json.key("delivery")
            json.delivery(shard.good)
            json.key("bad_delivery")
            json.delivery(shard.bad)
        }
    }

    private mutating func delivery(_ delivery: ShardLedger.Delivery) {
        object { json in
            json.field("state", delivery.state.word)
            json.field("last_error", delivery.lastError.isEmpty ? nil : delivery.lastError)
            let since = delivery.sinceMicroseconds
            json.field("since", since == 0 ? nil : utcTime(microseconds: since))
        }
    }
}

extension ShardLedger {
    /// How long the oldest undelivered row has waited; 0 when none does.
    func oldestAgeMs(nowMicroseconds: UInt64) -> UInt64 {
        if oldestMicroseconds == 0 || oldestMicroseconds > nowMicroseconds { return 0 }
        return (nowMicroseconds - oldestMicroseconds) / 1000
    }
}
