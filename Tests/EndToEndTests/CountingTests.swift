import Foundation
import Testing

extension EndToEnd {
    /// Foreign clients send a known number of hits; that many rows arrive, each once.
    @Suite struct CountingTests {
        private func expectRows(_ cluster: Cluster, _ sent: Int) throws {
            try cluster.flush()
            let ledger = try cluster.status().ledger
            #expect(ledger.accepted == sent)
            #expect(ledger.closes)
            #expect(try cluster.count("select count(*) from events") == sent)
            #expect(try cluster.count("select count(distinct id) from events") == sent)
        }

        @Test func `ab speaks HTTP 1.0, and its every hit is a row`() throws {
            let cluster = try Cluster()
            let plain = try run(
                "ab", ["-q", "-n", "5000", "-c", "16", cluster.pixel + "?event=ab"])
            #expect(
                plain.stdout.contains("Complete requests:      5000"),
                "\(plain.stdout)\(plain.stderr)")
            #expect(plain.stdout.contains("Failed requests:        0"))
            #expect(!plain.stdout.contains("Non-2xx"))
            let kept = try run(
                "ab", ["-q", "-k", "-n", "5000", "-c", "16", cluster.pixel + "?event=abk"])
            #expect(kept.stdout.contains("Keep-Alive requests:    5000"), "\(kept.stdout)")
            try expectRows(cluster, 10_000)
        }

        @Test func `h2load's hits are rows, pipelined or not`() throws {
            let cluster = try Cluster()
            let plain = try run(
                "h2load", ["--h1", "-n", "30000", "-c", "32", cluster.pixel + "?event=h2load"])
            #expect(plain.stdout.contains("30000 succeeded"), "\(plain.stdout)\(plain.stderr)")
            let deep = try run(
                "h2load",
                ["--h1", "-n", "30000", "-c", "8", "-m", "16", cluster.pixel + "?event=deep"])
            #expect(deep.stdout.contains("30000 succeeded"), "\(deep.stdout)\(deep.stderr)")
            try expectRows(cluster, 60_000)
        }

        /// wrk stops in the middle: what it counted is answered, and at most one pipeline a connection
        /// was answered without being counted.
        @Test(arguments: [1, 16])
        func `wrk counts no answer whose row is missing`(pipeline: Int) throws {
            let script = """
                local n = 0
                local depth = \(pipeline)
                function request()
                  local all = {}
                  for i = 1, depth do
                    n = n + 1
                    all[i] = "GET /p.gif?event=wrk&uid=" .. n % 997 .. "&cb=" .. n .. " HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"
                  end
                  return table.concat(all)
                end
                """
            let cluster = try Cluster(files: ["wrk.lua": script])
            let connections = 32
            let output = try run(
                "wrk", ["-t1", "-c\(connections)", "-d3s", "-s", "wrk.lua", cluster.pixel],
                in: cluster.folder)
            let match = try #require(output.stdout.firstMatch(of: /(\d+) requests in/))
            let counted = try #require(Int(match.1))
            #expect(counted > 1000)
            #expect(!output.stdout.contains("Non-2xx"), "\(output.stdout)")
            try cluster.flush()
            let rows = try cluster.count("select count(distinct id) from events")
            #expect(rows >= counted)
            #expect(rows <= counted + connections * pipeline)
            #expect(try cluster.count("select count(*) from events") == rows)
            #expect(try cluster.status().ledger.accepted == rows)
        }

        /// Full speed, and the memory of router and workers stays small.
        @Test func `a million hits are a million rows within 64 MB`() throws {
            let cluster = try Cluster()
            let output = try run(
                "h2load",
                [
                    "--h1", "-n", "1000000", "-c", "64", "-m", "4",
                    cluster.pixel + "?event=m&uid=7&campaign=abc",
                ],
                timeoutSeconds: 300)
            #expect(output.stdout.contains("1000000 succeeded"), "\(output.stdout)\(output.stderr)")
            let status = try cluster.status()
            try cluster.flush(timeoutSeconds: 300)
            for pid in status.pids(of: "router") + status.pids(of: "worker") {
                #expect(try peakMemoryKiB(pid) <= 64 << 10, "pid \(pid)")
            }
            try expectRows(cluster, 1_000_000)
        }

        private func peakMemoryKiB(_ pid: Int32) throws -> Int {
            let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let match = try #require(text.firstMatch(of: /VmHWM:\s+(\d+) kB/))
            return try #require(Int(match.1))
        }
    }
}
