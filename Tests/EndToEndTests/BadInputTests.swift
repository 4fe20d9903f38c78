import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// What a person does wrong is said clearly, with its remedy.
    @Suite struct BadInputTests {
        /// Runs `hydrant run` to its end.
        private func failedStart(_ cluster: Cluster, _ arguments: [String] = []) throws -> Output {
            try run(
                binary, ["run"] + arguments + cluster.finding, in: cluster.folder,
                environment: cluster.environment, timeoutSeconds: 30)
        }

        @Test func `a taken port is named, with its holder's address`() throws {
            let first = try Cluster()
            let second = try Cluster(
                settings: ["listen=127.0.0.1:\(first.port)"], start: false)
            let output = try failedStart(second)
            #expect(output.status != 0)
            #expect(output.stderr.contains("127.0.0.1:\(first.port)"), "\(output.stderr)")
            #expect(output.stderr.contains("in use"))
            #expect(output.stderr.contains("hint:"))
            #expect(try first.status().allReady, "the first goes on")
        }

        @Test
        func `a proxy that cannot be used is refused by check and by run, without its password`()
            throws
        {
            let cluster = try Cluster(
                settings: ["delivery.mode=aws", "firehose.region=eu-west-1"],
                environment: [
                    "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
                    "HTTPS_PROXY": "socks5://me:secret@proxy:1080",
                ], start: false)
            let check = try cluster.hydrant(["check"] + cluster.finding)
            for output in [check, try failedStart(cluster)] {
                #expect(output.status == 78, "\(output.stderr)")
                #expect(output.stderr.contains("HTTPS_PROXY"), "\(output.stderr)")
                #expect(output.stderr.contains("write http://host:port"), "\(output.stderr)")
                #expect(!output.stderr.contains("secret"), "\(output.stderr)")
            }
        }

        @Test func `a limit of a file's size that leaves no room for the counters is named`() throws
        {
            let cluster = try Cluster(start: false)
            let output = try run(
                "bash", ["-c", "ulimit -f 200; exec \"$0\" run \"$@\"", binary] + cluster.finding,
                in: cluster.folder, environment: cluster.environment, timeoutSeconds: 30)
            expectClearFailure(output, 73, "the counters cannot have their", "ulimit -f unlimited")
        }

        @Test func `a data folder that cannot be written is named`() throws {
            let cluster = try Cluster(start: false)
            try "a file".write(to: cluster.data, atomically: true, encoding: .utf8)
            let output = try failedStart(cluster)
            #expect(output.status != 0)
            #expect(output.stderr.contains("/var"), "\(output.stderr)")
            #expect(output.stderr.contains("hint:"))
        }

        @Test func `a wrong config is told with file, line and column, all at once, exit 78`()
            throws
        {
            let cluster = try Cluster(
                config: "worker = 2\n[local]\nsink = \"disk\"\n[spool]\nmax_bytes = \"many\"\n",
                start: false)
            for command in ["run", "check"] {
                let output = try run(
                    binary, [command] + cluster.finding, in: cluster.folder, timeoutSeconds: 30)
                #expect(output.status == 78, "\(command)")
                #expect(output.stderr.contains("hydrant.toml:1:1"), "\(output.stderr)")
                #expect(output.stderr.contains("workers"), "a suggestion: \(output.stderr)")
                #expect(output.stderr.contains("hydrant.toml:3:"))
                #expect(output.stderr.contains("hydrant.toml:5:"))
            }
        }

        @Test
        func `Firehose out of reach is no reason not to start: hits are spooled, status says so`()
            throws
        {
            let dark = freePort()
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(dark)",
                    "delivery.linger=100ms",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            for n in 0..<20 {
                #expect(try cluster.get("/p.gif?event=e&uid=\(n)").stdout.hasPrefix("HTTP/1.1 200"))
            }
            let told = try eventually(within: 10) {
                let status = try cluster.status()
                return status.shards.contains {
                    $0.lastError.contains("\(dark)") || $0.lastError.contains("refused")
                }
            }
            #expect(told)
            #expect(try cluster.status().ledger.spooled == 20)
            let table = try run(binary, ["status"] + cluster.finding, in: cluster.folder)
            #expect(table.stdout.contains("refused"), "\(table.stdout)")
            #expect(try cluster.stop() == 0)
            #expect(cluster.logText.contains("20 rows stay in the spool"), "\(cluster.logText)")
        }

        /// Bytes as a hostile client sends them: never a crash, never a 5xx.
        @Test func `a query of any bytes is answered and never earns a 5xx`() throws {
            let cluster = try Cluster()
            let script = """
                import random, socket, sys
                rng = random.Random(20260101)
                port = int(sys.argv[1])
                seen = {}
                def ask(raw):
                    s = socket.create_connection(("127.0.0.1", port), timeout=5)
                    s.sendall(raw)
                    s.shutdown(socket.SHUT_WR)
                    data = b""
                    while True:
                        part = s.recv(65536)
                        if not part: break
                        data += part
                    s.close()
                    status = data[9:12].decode() if data.startswith(b"HTTP/1.1 ") else "none:" + repr(data[:20])
                    seen[status] = seen.get(status, 0) + 1
                    return status
                for n in range(3000):
                    length = rng.choice([0, 1, 5, 50, 500, 5000, 15000])
                    kind = n % 4
                    if kind == 0: q = bytes(rng.randrange(256) for _ in range(length))
                    elif kind == 1: q = bytes(rng.choice(b"%%%0123456789abcdefXZ&=+&=event") for _ in range(length))
                    elif kind == 2: q = b"event=" + bytes(rng.randrange(0x21, 256) for _ in range(length))
                    else: q = b"event=x&" + b"&".join(rng.choice([b"a", b"event", b"%00", b"\\xff\\xfe", b"[EVENT]", b"=", b"a=%"]) + b"=" + bytes([rng.randrange(128, 256)]) for _ in range(length // 8))
                    ask(b"GET /p.gif?" + q + b" HTTP/1.1\\r\\nHost: a\\r\\nUser-Agent: " + bytes(rng.choice([9, 32, 65, 200, 255]) for _ in range(20)) + b"\\r\\n\\r\\n")
                print(seen)
                assert all(not s.startswith("5") for s in seen), seen
                assert set(seen) <= {"200", "400", "404", "414", "431"}, seen
                """
            try script.write(
                to: cluster.folder.appendingPathComponent("fuzz.py"), atomically: true,
                encoding: .utf8)
            let output = try run(python, ["fuzz.py", "\(cluster.port)"], in: cluster.folder)
            #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
            let status = try cluster.status()
            #expect(status.processes.allSatisfy { $0.restarts == 0 }, "nobody crashed")
            try cluster.flush()
            let ledger = try cluster.status().ledger
            #expect(ledger.closes)
            #expect(try cluster.count("select count(*) from events") == ledger.delivered)
            #expect(try cluster.count("select count(*) from bad_events") == ledger.bad)
        }
    }
}
