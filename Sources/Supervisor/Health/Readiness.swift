/// Whether this host should get hits, and if not, why not. A pure value; `/readyz` shows it.
///
/// A *reason* makes it not ready: hits sent here now would be answered 503, or soon. A *warning*
/// does not: rows that wait because Firehose is away are safe in the spool, and a load balancer that
/// took every host out of service for that would turn an outage of the sink into lost traffic.
/// `/readyz?strict` counts warnings as reasons, for alarms.
struct Readiness: Equatable {
    struct Item: Equatable {
        /// For programs: "starting", "stopping", "process", "still", "spool_full", "disk",
        /// "delivery", "backlog".
        var code: String
        /// For people.
        var text: String
    }

    struct Process: Equatable {
        /// "worker 1".
        var name: String
        /// Whose hits it takes; nil for others than workers.
        var shard: Int?
        /// As the status shows it: "ready", "down" …
        var word: String
        /// Until its next start; nil when none is planned.
        var restartsInMs: UInt64?
        /// It is at work and has said nothing for so long; nil when it is well.
        var stillMs: UInt64?
        /// The local Firehose takes no hits: without it they wait in the spool.
        var takesHits: Bool
    }

    /// A lane's way to Firehose.
    struct Lane: Equatable {
        /// How long it has had rows and delivered none.
        var standsMs: UInt64 = 0
        /// How long its calls have failed; 0 when they do not.
        var failsMs: UInt64 = 0
        /// Names the stream and the remedy.
        var error = ""
    }

    struct Shard: Equatable {
        var number: Int
        /// The good lane is at its byte cap, or a lane has refused hits for that just now.
        var isFull: Bool
        var diskFails: Bool
        var good = Lane()
        var bad = Lane()
    }

    /// Calls that fail are worth a word after so long: one that the next try makes good is not.
    static let failsMs: UInt64 = 2000

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
        var item: Item
        if let stillMs = process.stillMs {
            item = Item(
                code: "still", text: "\(process.name) has stood still for \(seconds(stillMs))")
            if let shard = process.shard { item.text += ": hits of shard \(shard) wait" }
        } else if process.word == "ready" {
            return
        } else {
            item = Item(code: "process", text: "\(process.name) is \(process.word)")
            if let ms = process.restartsInMs { item.text += ", restarts in \(seconds(ms))" }
        }
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
        look(at: shard.good, "shard \(shard.number) good lane", standsMaxMs)
        look(at: shard.bad, "shard \(shard.number) bad lane", standsMaxMs)
    }

    private mutating func look(at lane: Lane, _ name: String, _ standsMaxMs: UInt64) {
        func warn(_ code: String, _ words: String, _ ms: UInt64) {
            let why = lane.error.isEmpty ? "" : ": \(printable(lane.error))"
            warnings.append(Item(code: code, text: "\(name): \(words) for \(seconds(ms))\(why)"))
        }
        if lane.failsMs >= Self.failsMs { warn("delivery", "calls have failed", lane.failsMs) }
        if lane.standsMs >= standsMaxMs { warn("backlog", "nothing delivered", lane.standsMs) }
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
