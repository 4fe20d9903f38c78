import Foundation

/// What `hydrant status --json` says.
struct Status {
    struct ChildProcess {
        let role: String
        let index: Int
        let pid: Int32
        let state: String
        let restarts: Int
    }

    struct Shard {
        let shard: Int
        let stream: String
        let ledger: Ledger
        let deliveryState: String
        let lastError: String
    }

    struct Ledger {
        let accepted: Int
        let delivered: Int
        let bad: Int
        let spooled: Int
        let dropped: Int
        let refused: Int

        init(_ fields: [String: Any]) {
            func number(_ key: String) -> Int { fields[key] as? Int ?? -1 }
            accepted = number("accepted")
            delivered = number("delivered")
            bad = number("bad")
            spooled = number("spooled")
            dropped = number("dropped")
            refused = number("refused")
        }

        /// Promise 5: the ledger closes.
        var closes: Bool { accepted == delivered + spooled + bad + dropped }
    }

    let processes: [ChildProcess]
    let sharedCPU: Int?
    let ledger: Ledger
    let shards: [Shard]
    /// Totals over the cluster's life, by their names in docs/counters.md.
    let counters: [String: Int]
    /// What is billed beyond the rows; nil before anything was delivered.
    let billingOverheadPercent: Double?

    init(json: String) throws {
        let parsed =
            try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] ?? [:]
        sharedCPU = parsed["shared_cpu"] as? Int
        counters = parsed["counters"] as? [String: Int] ?? [:]
        billingOverheadPercent = parsed["billing_overhead_percent"] as? Double
        ledger = Ledger(parsed["ledger"] as? [String: Any] ?? [:])
        processes = (parsed["processes"] as? [[String: Any]] ?? []).map {
            ChildProcess(
                role: $0["role"] as? String ?? "?", index: $0["index"] as? Int ?? -1,
                pid: Int32($0["pid"] as? Int ?? -1), state: $0["state"] as? String ?? "?",
                restarts: $0["restarts"] as? Int ?? -1)
        }
        shards = (parsed["shards"] as? [[String: Any]] ?? []).map {
            let delivery = $0["delivery"] as? [String: Any] ?? [:]
            return Shard(
                shard: $0["shard"] as? Int ?? -1, stream: $0["stream"] as? String ?? "?",
                ledger: Ledger($0), deliveryState: delivery["state"] as? String ?? "?",
                lastError: delivery["last_error"] as? String ?? "")
        }
    }

    var allReady: Bool { !processes.isEmpty && processes.allSatisfy { $0.state == "ready" } }

    func pids(of role: String) -> [Int32] {
        processes.filter { $0.role == role }.sorted { $0.index < $1.index }.map(\.pid)
    }
}
