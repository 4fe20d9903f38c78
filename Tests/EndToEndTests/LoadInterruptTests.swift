import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A load that ends before its time: by a signal, by the death of one of its processes.
    @Suite struct LoadInterruptTests {
        private let bench: LoadBench

        init() throws { bench = try LoadBench() }

        private static func children(of pid: Int32) -> [Int32] {
            let path = "/proc/\(pid)/task/\(pid)/children"
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }

        private static func isGone(_ pid: Int32) -> Bool { !isAlive(pid) }

        /// A long load that has begun to send.
        private func running(
            _ server: PlantedServer, _ options: [String] = []
        ) throws -> SpawnedProcess {
            let process = try bench.start(
                [server.url, "-z", "60s", "-R", "300", "-c", "4", "-o", "r.json", "-o", "r.txt"]
                    + options)
            let hasBegun = eventually(within: 20) { bench.text("err").contains("answered ") }
            try #require(hasBegun && process.isRunning, "\(bench.text("err"))")
            return process
        }

        private func expectEnd(_ process: SpawnedProcess, _ status: Int32, within: Double = 6) {
            #expect(process.waitUntilExit(withinSeconds: within))
            #expect(process.exitStatus == status, "\(bench.text("err"))")
        }

        @Test(arguments: [SIGINT, SIGTERM])
        func `an interrupted run keeps what it has`(signal: Int32) throws {
            let server = try PlantedServer()
            let process = try running(server, ["--ledger", "l", "--workers", "2"])
            let children = Self.children(of: process.pid)
            #expect(children.count == 2)
            process.kill(signal)
            expectEnd(process, 130)
            let gone = eventually(within: 4) { children.allSatisfy(Self.isGone) }
            #expect(gone)
            let result = try LoadResult(try bench.bytes("r.json"))
            let truth = try server.stop()
            #expect(result.wasInterrupted)
            #expect(result["answered"] == truth.requests && result["answered"] > 100)
            #expect(result.json["elapsedSeconds"] as? Double ?? 0 < 30)
            #expect(bench.text("out").contains("interrupted"), "the summary is printed")
            #expect(bench.text("r.txt").contains("interrupted"))
            let report = try bench.load(
                ["report", "--json", "--quiet", "--ledger", "l", "--against", "."])
            #expect(report.stdout.contains("\"sent\" : \(truth.requests)"), "\(report.stdout)")
        }

        @Test func `a second Ctrl-C leaves at once`() throws {
            let server = try PlantedServer(["--silent-every", "200"])
            let process = try running(server)
            // Some connection waits for an answer that never comes: the first would wait a while.
            process.kill(SIGINT)
            usleep(100_000)
            process.kill(SIGINT)
            expectEnd(process, 130, within: 3)
            #expect(!bench.text("out").contains("Summary"))
        }

        /// Accepts nothing; so many connections are made for it by the kernel, and no more.
        private func mute(backlog: Int) throws -> (SpawnedProcess, String) {
            let script = """
                import socket, sys, time
                listener = socket.socket(); listener.bind(("127.0.0.1", 0))
                listener.listen(\(backlog))
                held = []
                for _ in range(\(backlog == 0 ? 8 : 0)):
                    peer = socket.socket(); peer.setblocking(False)
                    peer.connect_ex(listener.getsockname()); held.append(peer)
                time.sleep(0.2)
                print(listener.getsockname()[1], flush=True)
                time.sleep(60)
                """
            let process = try SpawnedProcess("python3", ["-c", script], output: bench.path("mute"))
            let isUp = eventually(within: 10) { bench.text("mute").hasSuffix("\n") }
            try #require(isUp && process.isRunning)
            let port = bench.text("mute").trimmingCharacters(in: .whitespacesAndNewlines)
            return (process, "http://127.0.0.1:\(port)/")
        }

        @Test(arguments: [0, 2])
        func `it can be interrupted before it sends`(backlog: Int) throws {
            // Backlog 0: while it looks whether there is a server; 2: while it connects.
            let (silent, url) = try mute(backlog: backlog)
            let process = try bench.start([url, "-c", "30", "-z", "1s", "-o", "r.json"])
            usleep(800_000)
            try #require(process.isRunning && silent.isRunning)
            let children = Self.children(of: process.pid)
            #expect(children.count == (backlog == 0 ? 0 : 1))
            process.kill(SIGINT)
            expectEnd(process, 130)
            let gone = eventually(within: 4) { children.allSatisfy(Self.isGone) }
            #expect(gone)
            if backlog > 0 {
                let result = try LoadResult(try bench.bytes("r.json"))
                #expect(result.wasInterrupted && result["sent"] == 0)
                #expect(result.json["elapsedSeconds"] as? Double == 0)
            }
        }

        @Test
        func `a generator process that dies ends the run, in a line, and what was counted is kept`()
            throws
        {
            let server = try PlantedServer()
            let process = try running(server, ["--workers", "2"])
            let children = Self.children(of: process.pid)
            kill(try #require(children.first), SIGKILL)
            expectEnd(process, 70)
            let complaints = bench.text("err").split(separator: "\n").filter {
                $0.hasPrefix("error: ")
            }
            #expect(complaints.count == 1, "\(bench.text("err"))")
            #expect(complaints[0].contains("killed by signal 9"))
            #expect(bench.text("out").contains("[200]"))
            #expect(bench.text("out").contains("killed by signal 9"))
            let gone = eventually(within: 4) { children.allSatisfy(Self.isGone) }
            #expect(gone)
        }

        @Test func `generators leave when their coordinator was killed`() throws {
            let server = try PlantedServer()
            let process = try running(server, ["--workers", "2"])
            let children = Self.children(of: process.pid)
            #expect(children.count == 2 && !children.contains(where: Self.isGone))
            process.endNow()
            let gone = eventually(within: 5) { children.allSatisfy(Self.isGone) }
            #expect(gone)
        }

        @Test(arguments: [["-R", "500"], ["--closed"]])
        func `a server that dies does not hold up a run by count`(model: [String]) throws {
            let server = try PlantedServer(["--delay-ms", "5"])
            let process = try bench.start(
                model + [
                    server.url, "-n", "1000", "-c", "2", "--timeout", "1s", "--quiet", "-o",
                    "r.json",
                ])
            _ = eventually(within: 10) { Self.children(of: process.pid).count == 1 }
            usleep(600_000)
            _ = try server.stop()
            #expect(process.waitUntilExit(withinSeconds: 20), "it waits for a server that is gone")
            #expect(process.exitStatus == 0)
            let result = try LoadResult(try bench.bytes("r.json"))
            #expect(result["answered"] > 0 && result["answered"] < 1000)
            #expect(result["connectFailed"] > 0 && !result.warnings.isEmpty)
            #expect(result["due"] == result["sent"] + result["dropped"])
            #expect(result["sent"] == result["answered"] + result.failures)
        }
    }
}
