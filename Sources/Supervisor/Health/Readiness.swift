/// Whether this host should get hits, and if not, why not. A pure value; `/readyz` shows it.
///
/// A *reason* makes it not ready: hits sent here now would be answered 503, or soon. A *warning*
/// does not: rows that wait because Firehose is away are safe in the spool, and a load balancer that
/// took every host out of service for that would turn an outage of the sink into lost traffic.
/// `/readyz?strict` counts warnings as reasons, for alarms.
struct Readiness: Equatable {
    struct Item: Equatable {
        /// For programs: "starting", "stopping", "process", "spool_full", "disk", "backlog".
        var code: String
        /// For people.
        var text: String
    }

    struct Process: Equatable {
        /// "worker 1".
        var name: String
        /// As the status shows it: "ready", "down" …
        var word: String
        /// Until its next start; nil when none is planned.
        var restartsInMs: UInt64?
        /// The local Firehose takes no hits: without it they wait in the spool.
        var takesHits: Bool
    }

    struct Shard: Equatable {
        var number: Int
        /// The good lane is at its byte cap, or a lane has refused hits for that just now.
        var isFull: Bool
        var diskFails: Bool
        /// How long each lane has had rows and delivered none.
        var goodStandsMs: UInt64 = 0
        var badStandsMs: UInt64 = 0
        var goodError = ""
        var badError = ""
    }

    /// The cluster's word: "starting", "running", "degraded", "stopping".
    var state: String
    var reasons: [Item]
    var warnings: [Item]

    /// `standsMaxMs`: rows may wait so long before that is worth a word.
    init(state: String, processes: [Process], shards: [Shard], standsMaxMs: UInt64) {
        self.state = state
        reasons = []
        warnings = []
        if state == "starting" || state == "stopping" {
            reasons.append(Item(code: state, text: "the cluster is \(state)"))
        }
        if state != "stopping" { processes.forEach { look(at: $0) } }
        shards.forEach { look(at: $0, standsMaxMs) }
    }

    private mutating func look(at process: Process) {
        if process.word == "ready" { return }
        var text = "\(process.name) is \(process.word)"
        if let ms = process.restartsInMs { text += ", restarts in \(seconds(ms))" }
        let item = Item(code: "process", text: text)
        if process.takesHits { reasons.append(item) } else { warnings.append(item) }
    }

    private mutating func look(at shard: Shard, _ standsMaxMs: UInt64) {
        if shard.isFull {
            reasons.append(
                Item(code: "spool_full", text: "shard \(shard.number): its spool is full"))
        }
        if shard.diskFails {
            reasons.append(
                Item(code: "disk", text: "shard \(shard.number): its spool cannot be written"))
        }
        for (lane, standsMs, error) in [
            ("good", shard.goodStandsMs, shard.goodError),
            ("bad", shard.badStandsMs, shard.badError),
        ] where standsMs >= standsMaxMs {
            var text =
                "shard \(shard.number) \(lane) lane: nothing delivered for \(seconds(standsMs))"
            if !error.isEmpty { text += ": \(printable(error))" }
            warnings.append(Item(code: "backlog", text: text))
        }
    }

    func isReady(strict: Bool) -> Bool { reasons.isEmpty && (!strict || warnings.isEmpty) }

    /// One line of JSON and its end.
    func json(strict: Bool) -> String {
        var json = JSONText()
        json.object { json in
            json.key("ready")
            json.bool(isReady(strict: strict))
            json.field("state", state)
            json.key("reasons")
            json.items(strict ? reasons + warnings : reasons)
            json.key("warnings")
            json.items(strict ? [] : warnings)
        }
        return json.text + "\n"
    }
}

extension JSONText {
    fileprivate mutating func items(_ items: [Readiness.Item]) {
        array(items) { json, item in
            json.object { json in
                json.field("code", item.code)
                json.field("text", item.text)
            }
        }
    }
}
