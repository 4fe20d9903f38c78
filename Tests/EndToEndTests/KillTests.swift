import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// kill -9 of whatever runs, under load: it comes back, and nothing that was answered is missing.
    @Suite struct KillTests {
        /// Sends numbered hits one after the other over a few connections; remembers which were
        /// answered 200.
        private static let sender = """
            import http.client, json, sys, threading, time
            port, seconds, name = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
            end = time.time() + seconds
            answered, other = [], {}
            lock = threading.Lock()
            def work(t):
                n, conn = 0, None
                while time.time() < end:
                    n += 1
                    tag = "%s-%d-%d" % (name, t, n)
                    try:
                        if conn is None: conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                        conn.request("GET", "/p.gif?event=kill&campaign=%s&uid=%d" % (tag, n % 50))
                        r = conn.getresponse(); r.read()
                        with lock:
                            if r.status == 200: answered.append(tag)
                            else: other[str(r.status)] = other.get(str(r.status), 0) + 1
                    except Exception as e:
                        conn = None
                        with lock: other[type(e).__name__] = other.get(type(e).__name__, 0) + 1
                        time.sleep(0.01)
            threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]
            for t in threads: t.start()
            for t in threads: t.join()
            json.dump({"answered": answered, "other": other}, open(sys.argv[4], "w"))
            """

        private struct Sent {
            let answered: Set<String>
            let other: [String: Int]
        }

        /// Runs the sender and, meanwhile, the fault.
        private func underLoad(
            _ cluster: Cluster, seconds: Double, _ name: String, _ fault: () throws -> Void
        ) throws -> Sent {
            let script = cluster.folder.appendingPathComponent("sender.py")
            try Self.sender.write(to: script, atomically: true, encoding: .utf8)
            let result = cluster.folder.appendingPathComponent("sent-\(name).json")
            let complaints = cluster.folder.appendingPathComponent("sender-\(name).log")
            let process = try SpawnedProcess(
                python, [script.path, "\(cluster.port)", "\(seconds)", name, result.path],
                errors: complaints.path)
            try fault()
            // A request may wait for its answer, 10 s at most.
            let hasEnded = process.waitUntilExit(withinSeconds: seconds + 30)
            let said = try String(contentsOf: complaints, encoding: .utf8)
            try #require(hasEnded && process.exitStatus == 0, "the sender: \(said)")
            let parsed =
                try JSONSerialization.jsonObject(with: Data(contentsOf: result)) as? [String: Any]
                ?? [:]
            return Sent(
                answered: Set(parsed["answered"] as? [String] ?? []),
                other: parsed["other"] as? [String: Int] ?? [:])
        }

        private func expectAllThere(_ cluster: Cluster, _ sent: Sent) throws {
            try cluster.flush()
            let rows = try cluster.query("select campaign, id from events")
            let there = Set(rows.compactMap { $0["campaign"] as? String })
            let missing = sent.answered.subtracting(there)
            #expect(
                missing.isEmpty, "\(missing.count) answered hits are missing: \(missing.prefix(5))")
            let status = try cluster.status()
            #expect(status.ledger.closes)
            #expect(status.ledger.spooled == 0)
            #expect(status.ledger.accepted == Set(rows.compactMap { $0["id"] as? String }).count)
        }

        @Test(
            arguments: zip(
                ["worker", "worker", "router", "local-firehose"],
                ["spooled", "fsync", "spooled", "spooled"]))
        func `a process killed under load is back, and nothing answered is missing`(
            role: String, ack: String
        ) throws {
            let cluster = try Cluster(settings: ["workers=2", "ack=\(ack)"])
            let sent = try underLoad(cluster, seconds: 5, role) {
                for _ in 0..<4 {
                    usleep(900_000)
                    let victim = try #require(try cluster.status().pids(of: role).first)
                    kill(victim, SIGKILL)
                    let isBack = try eventually(within: 5) {
                        let status = try cluster.status()
                        return status.allReady && status.pids(of: role).first != victim
                    }
                    #expect(isBack, "\(role) did not come back")
                }
            }
            #expect(sent.answered.count > 500, "\(sent.other)")
            if role == "worker" {
                #expect(sent.other.keys.allSatisfy { $0 == "503" }, "\(sent.other)")
            }
            if role == "local-firehose" { #expect(sent.other.isEmpty, "\(sent.other)") }
            try expectAllThere(cluster, sent)
            let restarts = try cluster.status().processes.filter { $0.role == role }.map(\.restarts)
            #expect(restarts.reduce(0, +) >= 4)
        }

        @Test
        func `everything killed while Firehose is unreachable: the next start delivers it all`()
            throws
        {
            // Mode aws towards a port where nobody listens: hits are spooled, nothing is delivered.
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                    "delivery.linger=200ms",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            let sent = try underLoad(cluster, seconds: 2, "dark") { usleep(1_500_000) }
            #expect(sent.answered.count > 200)
            #expect(sent.other.isEmpty, "\(sent.other)")
            let before = try cluster.status()
            #expect(before.ledger.accepted == sent.answered.count)
            #expect(before.ledger.spooled == before.ledger.accepted)
            #expect(before.shards.contains { !$0.lastError.isEmpty }, "status tells what is wrong")
            cluster.endNow()

            // The stopped cluster's ledger, read from its spool.
            let stopped = try cluster.status()
            #expect(stopped.ledger.accepted == before.ledger.accepted)

            let again = try Cluster(start: false)
            try FileManager.default.moveItem(at: cluster.data, to: again.data)
            try again.start()
            #expect(try again.status().ledger.accepted == before.ledger.accepted)
            try expectAllThere(again, sent)
            #expect(try again.count("select count(*) from events") == before.ledger.accepted)
        }
    }
}
