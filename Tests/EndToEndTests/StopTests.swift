import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// How a cluster leaves: in order, in time, and saying what stays.
    @Suite struct StopTests {
        @Test func `SIGTERM under load: every request is answered, exit 0, nothing is lost`() throws
        {
            let cluster = try Cluster(settings: ["workers=2", "stop_timeout=5s"])
            let sent = try underLoad(cluster, seconds: 4, "term") {
                usleep(1_500_000)
                let start = Date()
                let code = try cluster.stop()
                #expect(code == 0)
                #expect(Date().timeIntervalSince(start) < 6)
            }
            // Once it takes nobody, clients are refused; before that nobody is cut off, but for those
            // whom the kernel took in the very moment in which the listener was closed.
            let resets = sent.other["ConnectionResetError"] ?? 0
            #expect(resets <= 4, "\(sent.other)")
            let known = ["ConnectionRefusedError", "ConnectionResetError"]
            #expect(Set(sent.other.keys).isSubset(of: known), "\(sent.other)")
            #expect(cluster.logText.contains("stopped: "))
            try cluster.start()
            try expectAllThere(cluster, sent)
        }

        @Test func `while Firehose swallows calls a stop takes no longer`() throws {
            let hole = try BlackHole()
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(hole.port)",
                    "delivery.linger=50ms", "stop_timeout=5s",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            let sent = try underLoad(cluster, seconds: 3, "hole") {
                usleep(1_500_000)
                let start = Date()
                let code = try cluster.stop()
                #expect(code == 0)
                #expect(Date().timeIntervalSince(start) < 5.5)
            }
            #expect(sent.answered.count > 100)
            let words = "stopped: \(grouped(try cluster.status().ledger.spooled)) rows stay"
            #expect(cluster.logText.contains(words), "\(words): \(cluster.logText)")
        }

        @Test func `the second signal means now, and the spool is whole`() throws {
            let hole = try BlackHole()
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(hole.port)",
                    "delivery.linger=50ms", "on_stop=deliver", "deliver_timeout=1m",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            for n in 0..<30 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let process = try #require(cluster.process)
            process.kill(SIGINT)
            #expect(!process.waitUntilExit(withinSeconds: 2.5), "it delivers")
            let ready = try cluster.health("/readyz")
            #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.contains("stopping"))
            let start = Date()
            process.kill(SIGQUIT)
            #expect(process.waitUntilExit(withinSeconds: 3))
            #expect(Date().timeIntervalSince(start) < 1.5)
            #expect(process.exitStatus == 75, "what was to be delivered stays")
            let status = try cluster.status()
            #expect(status.ledger.accepted == 30 && status.ledger.spooled == 30)
        }

        @Test func `kept rows are delivered by the next start, delivered ones before the end`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=2", "delivery.linger=1m"])
            for n in 0..<40 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let kept = try cluster.hydrant("stop", "--keep")
            #expect(kept.status == 0 && kept.stdout.contains("40 rows stay in the spool"))
            #expect(try cluster.status().ledger.spooled == 40)

            try cluster.start()
            for n in 0..<10 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let delivered = try run(
                binary, ["stop", "--deliver"] + cluster.finding, in: cluster.folder)
            #expect(delivered.status == 0, "\(delivered.stderr)")
            #expect(delivered.stdout.contains("nothing stays in the spool"))
            #expect(try cluster.status().ledger.delivered == 50)

            try cluster.start()
            try cluster.flush()
            #expect(try cluster.count("select count(distinct id) from events") == 50)
        }

        @Test func `what cannot be delivered is told with its number and exit code 75`() throws {
            let cluster = try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                    "on_stop=deliver", "deliver_timeout=1s",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            for n in 0..<5 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let process = try #require(cluster.process)
            let output = try run(binary, ["stop"] + cluster.finding, in: cluster.folder)
            #expect(output.status == 75)
            #expect(output.stderr.contains("delivering before leaving: 5 rows left"))
            #expect(output.stderr.contains("5 rows stay in the spool"), "\(output.stderr)")
            #expect(process.waitUntilExit(withinSeconds: 5))
            #expect(process.exitStatus == 75)
        }

        // MARK: Signals and streams

        @Test func `a storm of signals changes nothing`() throws {
            let cluster = try Cluster(settings: ["workers=2"])
            let before = try cluster.status().processes.map(\.pid)
            let openFiles = openFileCount(cluster.pid)
            let sent = try underLoad(cluster, seconds: 3, "storm") {
                for round in 0..<200 {
                    // SIGHUP to the supervisor is a reload: ReloadTests.
                    let signals = [SIGPIPE, SIGCHLD, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM]
                    for signal in signals { kill(cluster.pid, signal) }
                    for pid in before {
                        for signal in [SIGHUP, SIGINT, SIGQUIT] + signals { kill(pid, signal) }
                    }
                    usleep(round % 10 == 0 ? 20_000 : 8000)
                }
            }
            #expect(sent.other.isEmpty, "\(sent.other)")
            #expect(try cluster.status().processes.map(\.pid) == before, "\(cluster.logText)")
            #expect(abs(openFileCount(cluster.pid) - openFiles) <= 2)
            try expectAllThere(cluster, sent)
        }

        @Test(arguments: [
            "exec \"$@\" <&- >&- 2>&-", "\"$@\" 2>&1 | true", "exec \"$@\" >/dev/full 2>&1",
        ])
        func `with its standard streams closed or broken it serves and stops`(shell: String) throws
        {
            let cluster = try Cluster(settings: ["workers=1"], start: false)
            let process = try SpawnedProcess(
                "/bin/sh", ["-c", shell, "sh", binary, "run"] + cluster.finding,
                folder: cluster.folder.path)
            let isReady = eventually(within: 15) { (try? cluster.status())?.allReady == true }
            #expect(isReady)
            for n in 0..<20 {
                #expect(try cluster.get("/p.gif?event=e&uid=\(n)").stdout.hasPrefix("HTTP/1.1 200"))
            }
            // A death must be logged, and there is nowhere to.
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            kill(worker, SIGKILL)
            let isBack = try eventually(within: 10) {
                let status = try cluster.status()
                return status.allReady && status.pids(of: "worker").first != worker
            }
            #expect(isBack)
            #expect(try cluster.get("/p.gif?event=e&uid=x").stdout.hasPrefix("HTTP/1.1 200"))
            #expect(try run(binary, ["stop"] + cluster.finding, in: cluster.folder).status == 0)
            #expect(process.waitUntilExit(withinSeconds: 10))
            #expect(try cluster.status().ledger.accepted == 21)
        }

        private func openFileCount(_ pid: Int32) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? -1
        }

        private func grouped(_ number: Int) -> String {
            var text = String(number)
            var at = text.count - 3
            while at > 0 {
                text.insert(",", at: text.index(text.startIndex, offsetBy: at))
                at -= 3
            }
            return text
        }
    }
}

/// A server that takes connections and never says a word.
final class BlackHole {
    let port: Int
    private let process: SpawnedProcess

    init() throws {
        port = freePort()
        let script = """
            import socket, sys
            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(64)
            held = []
            while True: held.append(s.accept())
            """
        process = try SpawnedProcess(python, ["-c", script, "\(port)"])
        let isThere = try eventually(within: 10) {
            try run(
                python,
                ["-c", "import socket,sys; socket.create_connection(('127.0.0.1', \(port)), 1)"]
            ).status == 0
        }
        #expect(isThere)
    }
}
