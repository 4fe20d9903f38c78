import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What the supervisor promises about its children's lives, and about its own.
    @Suite struct LifeTests {
        // MARK: Hung and hopeless children

        @Test func `a worker that is stopped is killed for it and replaced, the other serves on`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=2", "hang_limit=3s"])
            let sent = try underLoad(cluster, seconds: 8, "hung") {
                usleep(1_500_000)
                let victim = try #require(try cluster.status().pids(of: "worker").first)
                kill(victim, SIGSTOP)
                let isReplaced = try eventually(within: 10) {
                    let status = try cluster.status()
                    return status.allReady && status.pids(of: "worker").first != victim
                }
                #expect(isReplaced, "\(cluster.logText)")
                #expect(!isAlive(victim))
                #expect(
                    cluster.logText.contains(
                        "worker 0 (pid \(victim)) died: killed by SIGKILL (hung: no heartbeat for "),
                    "\(cluster.logText)")
            }
            #expect(sent.answered.count > 300, "\(sent.other)")
            // Late ones were answered 503; nobody was left hanging.
            #expect(sent.other.keys.allSatisfy { $0 == "503" }, "\(sent.other)")
            try expectAllThere(cluster, sent)
        }

        @Test func `a worker stopped for less than the limit goes on as if nothing had been`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=1", "hang_limit=10s"])
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            let sent = try underLoad(cluster, seconds: 3, "paused") {
                usleep(500_000)
                kill(worker, SIGSTOP)
                usleep(1_000_000)
                kill(worker, SIGCONT)
            }
            #expect(sent.other.isEmpty, "\(sent.other)")
            #expect(try cluster.status().pids(of: "worker") == [worker])
            try expectAllThere(cluster, sent)
        }

        @Test func `the whole cluster stopped for longer than the limit loses nobody`() throws {
            // Without the local Firehose, which runs only where nobody else wants to: on a busy
            // machine two seconds may pass it by.
            let cluster = try Cluster(
                settings: [
                    "workers=1", "hang_limit=2s", "delivery.mode=aws",
                    "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            let before = try cluster.status().processes.map(\.pid)
            let all = [cluster.pid] + before
            for pid in all { kill(pid, SIGSTOP) }
            usleep(4_000_000)
            // The supervisor first: it wakes to children that have said nothing for long.
            for pid in all {
                kill(pid, SIGCONT)
                usleep(100_000)
            }
            usleep(1_500_000)
            #expect(try cluster.status().processes.map(\.pid) == before, "\(cluster.logText)")
        }

        @Test func `a worker that cannot boot: the other serves, and readiness says why not`()
            throws
        {
            let cluster = try Cluster(
                settings: ["workers=2", "wait_limit=100ms"], start: false)
            let shard = try blockShard(1, of: cluster)
            try cluster.launch()
            let isServing = try eventually(within: 15) {
                (try? cluster.status())?.processes.contains {
                    $0.role == "worker" && $0.index == 0 && $0.state == "ready"
                } == true
            }
            #expect(isServing, "\(cluster.logText)")
            usleep(1_500_000)  // some deaths, and still a short back-off
            let answers = try (0..<40).map { n in
                try cluster.get("/p.gif?event=e&uid=v\(n)").stdout.prefix(12)
            }
            #expect(answers.contains("HTTP/1.1 200"), "\(answers)")
            #expect(answers.contains("HTTP/1.1 503"), "\(answers)")
            let ready = try cluster.health("/readyz")
            #expect(ready.hasPrefix("HTTP/1.1 503 "))
            #expect(
                ready.contains(#""code":"process""#) && ready.contains("worker 1 is "), "\(ready)")
            #expect(try cluster.health("/healthz").hasPrefix("HTTP/1.1 200 "))
            // The obituary repeats what the child said; a dozen starts make no dozen lines.
            let obituaries = cluster.logText.split(separator: "\n")
                .filter { $0.contains("worker 1 (pid ") }
            #expect((1...6).contains(obituaries.count), "\(cluster.logText)")
            #expect(obituaries.allSatisfy { $0.contains("never ready: ") }, "\(obituaries)")
            #expect(cluster.logText.split(separator: "\n").count < 40, "\(cluster.logText)")

            // Mended while it runs, it is there without anybody's help.
            try FileManager.default.removeItem(at: shard)
            let isBack = try eventually(within: 45) { try cluster.status().allReady }
            #expect(isBack, "\(cluster.logText)")
            #expect(try cluster.health("/readyz").hasPrefix("HTTP/1.1 200 "))
        }

        @Test func `when no worker boots the cluster leaves within 10 s with exit code 70`() throws
        {
            let cluster = try Cluster(settings: ["workers=2"], start: false)
            for shard in 0..<2 { _ = try blockShard(shard, of: cluster) }
            let start = Date()
            try cluster.launch()
            let process = try #require(cluster.process)
            #expect(process.waitUntilExit(withinSeconds: 20))
            #expect(Date().timeIntervalSince(start) < 12)
            #expect(process.exitStatus == 70)
            #expect(cluster.logText.contains("no worker can start"))
            #expect(cluster.logText.split(separator: "\n").count < 40, "\(cluster.logText)")
        }

        /// Puts a link to where nobody can write in the place of a shard's folder: its worker can
        /// never start. (A file there would be put aside.)
        private func blockShard(_ shard: Int, of cluster: Cluster) throws -> URL {
            let spool = cluster.data.appendingPathComponent("spool")
            try FileManager.default.createDirectory(at: spool, withIntermediateDirectories: true)
            let path = spool.appendingPathComponent("shard-\(shard)")
            try FileManager.default.createSymbolicLink(
                atPath: path.path, withDestinationPath: "/sys")
            return path
        }

        @Test func `a worker that gets no more memory dies of it and is replaced, nothing is lost`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=1"])
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            let page = try String(contentsOfFile: "/proc/\(worker)/statm", encoding: .utf8)
            let pages = try #require(page.split(separator: " ").first.flatMap { Int($0) })
            // What it has now and not a byte more: the first delivery asks for a batch's buffer.
            let capped = try run("prlimit", ["--pid", "\(worker)", "--as=\(pages * 4096)"])
            #expect(capped.status == 0, "\(capped.stderr)")
            let sent = try underLoad(cluster, seconds: 4, "memory") {}
            #expect(sent.other.keys.allSatisfy { $0 == "503" }, "\(sent.other)")
            try expectAllThere(cluster, sent)
            #expect(
                cluster.logText.contains("worker 0 (pid \(worker)) died: killed by SIG"),
                "\(cluster.logText)")
            #expect(try cluster.status().pids(of: "worker") != [worker])
        }

        // MARK: The supervisor's own death

        @Test func `from its first status on a cluster's totals are what its spool holds`() throws {
            let cluster = try Cluster(settings: ["workers=2"])
            for n in 0..<40 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let before = try cluster.status().ledger.accepted
            #expect(before == 40)
            cluster.endNow()
            try cluster.launch()
            var seen: [Int] = []
            let isReady = try eventually(within: 15) {
                guard let status = try? cluster.status() else { return false }
                seen.append(status.ledger.accepted)
                return status.allReady
            }
            #expect(isReady, "\(cluster.logText)")
            #expect(seen.allSatisfy { $0 == before }, "\(seen)")
        }

        @Test
        func `kill -9 of the supervisor: all leave, the next starts at once, nothing is lost`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=2"])
            for round in 0..<2 {
                var children: [Int32] = []
                let sent = try underLoad(cluster, seconds: 6, "orphaned\(round)") {
                    usleep(1_500_000)
                    children = cluster.childPids()
                    #expect(children.count == 4)
                    let routers = try cluster.status().pids(of: "router")
                    let killedAt = Date()
                    kill(cluster.pid, SIGKILL)
                    // No pause: the new one meets the old socket, lock, ports and processes.
                    try cluster.start(withinSeconds: 15)
                    let readyAfter = Date().timeIntervalSince(killedAt)
                    #expect(readyAfter < 8, "ready after \(readyAfter) s")
                    #expect(routers.allSatisfy { !isAlive($0) })
                    let areGone = eventually(within: 3) { children.allSatisfy { !isAlive($0) } }
                    #expect(areGone, "left behind: \(children.filter(isAlive))")
                }
                #expect(sent.answered.count > 200, "\(sent.other)")
                try expectAnswered(cluster, sent)
            }
            let status = try cluster.status()
            #expect(status.ledger.closes && status.ledger.spooled == 0)
            #expect(
                try cluster.count("select count(distinct id) from events") == status.ledger.accepted
            )
            #expect(try cluster.stop() == 0)
        }

        @Test func `without a successor every process leaves within 2 s and some`() throws {
            let cluster = try Cluster(settings: ["workers=2"])
            for n in 0..<50 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let children = cluster.childPids()
            let router = try #require(try cluster.status().pids(of: "router").first)
            kill(cluster.pid, SIGKILL)
            #expect(eventually(within: 1.5) { !isAlive(router) }, "the router is still there")
            let areGone = eventually(within: 2.5) { children.allSatisfy { !isAlive($0) } }
            #expect(areGone, "left behind: \(children.filter(isAlive))")
            // The stopped cluster's ledger is its spool.
            let status = try cluster.status()
            #expect(status.ledger.accepted == 50 && status.ledger.closes)
        }

        @Test func `a cluster whose socket was removed is not taken for stopped`() throws {
            let cluster = try Cluster(settings: ["workers=1"])
            try FileManager.default.removeItem(
                at: cluster.data.appendingPathComponent("control.sock"))
            for command in ["status", "stop", "reload"] {
                let output = try cluster.hydrant([command] + cluster.finding)
                expectClearFailure(
                    output, 69, "a cluster runs here (pid \(cluster.pid))", "kill \(cluster.pid)")
            }
            #expect(try cluster.stop() == 0)
        }

        @Test func `a reload does not wait for a worker that never starts`() throws {
            let cluster = try Cluster(settings: ["workers=2"], start: false)
            // Somebody else has that shard, and keeps it.
            let shard = cluster.data.appendingPathComponent("spool/shard-1")
            try FileManager.default.createDirectory(at: shard, withIntermediateDirectories: true)
            let held = open(shard.appendingPathComponent("lock").path, O_RDWR | O_CREAT, 0o600)
            try #require(held >= 0 && flock(held, LOCK_EX) == 0)
            defer { close(held) }
            try cluster.launch()
            let isThere = eventually(within: 15) {
                (try? cluster.status())?.pids(of: "router").isEmpty == false
            }
            #expect(isThere)
            let output = try cluster.hydrant(["reload"] + cluster.finding, timeoutSeconds: 60)
            #expect(output.status == 75, "\(output.stderr)")
            #expect(output.stderr.contains("worker 1 did not come back"), "\(output.stderr)")
            #expect(try cluster.stop() == 0)
        }

        private func expectAnswered(_ cluster: Cluster, _ sent: Sent) throws {
            try cluster.flush()
            let rows = try cluster.query("select campaign from events")
            let missing = sent.answered.subtracting(rows.compactMap { $0["campaign"] as? String })
            #expect(missing.isEmpty, "\(missing.count) answered hits are missing")
        }
    }
}

/// Whether a process runs: a zombie does not.
func isAlive(_ pid: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = stat.lastIndex(of: ")")
    else { return false }
    return !stat[end...].dropFirst(2).hasPrefix("Z")
}
