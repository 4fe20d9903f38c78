import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A hit that kills its worker (`HYDRANT_TEST_CRASH_EVENT`), and shards that are down.
    @Suite struct PoisonTests {
        /// Sends numbered requests down one connection at once and prints their statuses in order.
        private static let pipeliner = """
            import re, socket, sys
            port, events = int(sys.argv[1]), sys.argv[2].split(",")
            s = socket.create_connection(("127.0.0.1", port)); s.settimeout(60)
            s.sendall(b"".join(b"GET /p.gif?event=%s&campaign=%d HTTP/1.1\\r\\nHost: t\\r\\n\\r\\n"
                      % (e.encode(), n) for n, e in enumerate(events)))
            got = b""
            while len(re.findall(rb"HTTP/1.1 (\\d+)", got)) < len(events) or not got.endswith(b";"):
                more = s.recv(65536)
                if not more: break
                got += more
            print(" ".join(m.decode() for m in re.findall(rb"HTTP/1.1 (\\d+)", got)))
            """

        private func statuses(_ cluster: Cluster, _ events: [String]) throws -> [String] {
            let sent = try run(
                python, ["-c", Self.pipeliner, "\(cluster.port)", events.joined(separator: ",")])
            #expect(sent.status == 0, "\(sent.stderr)")
            return sent.stdout.split(whereSeparator: \.isWhitespace).map(String.init)
        }

        @Test
        func `a hit that kills its worker is a bad row, and its neighbours are rows, once each`()
            throws
        {
            let cluster = try Cluster(
                settings: ["workers=1", "wait_limit=50s"],
                environment: ["HYDRANT_TEST_CRASH_EVENT": "event=poison"])
            var events = [String](repeating: "load", count: 20)
            events[7] = "poison"
            let got = try statuses(cluster, events)
            #expect(got.count == 20)
            #expect(got.enumerated().allSatisfy { $1 == ($0 == 7 ? "400" : "200") }, "\(got)")
            #expect(try statuses(cluster, ["load", "load"]) == ["200", "200"])
            try cluster.flush()
            let campaigns = try cluster.query("select campaign from events where campaign <> '7'")
            #expect(campaigns.count == 21)
            #expect(try cluster.count("select count(*) from events") == 21)
            let bad = try cluster.query("select * from bad_events")
            let row = try #require(bad.first)
            #expect(bad.count == 1 && row["reason"] as? String == "crashed_worker")
            #expect((row["id"] as? String)?.count == 36)
            let raw = try #require(Data(base64Encoded: row["raw"] as? String ?? ""))
            #expect(String(decoding: raw, as: UTF8.self).contains("/p.gif?event=poison&campaign=7"))
            let status = try cluster.status()
            #expect(status.ledger.closes && status.ledger.accepted == 22 && status.ledger.bad == 1)
            #expect(status.processes.filter { $0.role == "worker" }.map(\.restarts) == [4])
            #expect(
                cluster.logText.contains("HYDRANT_TEST_CRASH_EVENT: warning: makes workers crash"))
        }

        @Test func `with reroute a stopped shard's hits go to the other`() throws {
            let cluster = try Cluster(
                settings: ["workers=2", "on_shard_down=reroute", "wait_limit=300ms"])
            let stopped = try #require(try cluster.status().pids(of: "worker").first)
            kill(stopped, SIGSTOP)
            defer { kill(stopped, SIGCONT) }
            let hits = (0..<20).map { "/p.gif?event=load&uid=\($0)" }
            var refused = 0
            for hit in hits where try !cluster.get(hit).stdout.hasPrefix("HTTP/1.1 200") {
                refused += 1
            }
            #expect(refused == 1, "the one by which it was found out")
            kill(stopped, SIGCONT)
            try cluster.flush()
            #expect(try cluster.count("select count(*) from events") == 20)
        }

        @Test func `with ack received a killed worker's hits are answered and stored all the same`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=1", "ack=received"])
            let killed = try #require(try cluster.status().pids(of: "worker").first)
            kill(killed, SIGKILL)
            let got = try statuses(
                cluster, [String](repeating: "load", count: 30) + ["load&event=x"])
            #expect(got == [String](repeating: "200", count: 31))
            let isBack = try eventually(within: 10) {
                try cluster.status().ledger.accepted == 31
            }
            #expect(isBack)
        }
    }
}
