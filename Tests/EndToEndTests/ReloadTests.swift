import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Other settings without a stop, and without a request that fails.
    @Suite struct ReloadTests {
        private func configure(_ cluster: Cluster, _ text: String) throws {
            try text.write(
                to: cluster.folder.appendingPathComponent("hydrant.toml"), atomically: true,
                encoding: .utf8)
        }

        @Test func `five reloads under load: no request fails, and nothing is lost`() throws {
            let cluster = try Cluster(config: "workers = 2\n")
            let before = try cluster.status()
            let sent = try underLoad(cluster, seconds: 14, "reload") {
                usleep(500_000)
                for _ in 0..<5 {
                    let output = try cluster.hydrant(["reload"] + cluster.finding)
                    #expect(output.status == 0, "\(output.stderr)\(cluster.logText)")
                    #expect(output.stdout == "reloaded: 1 router, 2 workers\n")
                }
            }
            #expect(sent.other.isEmpty, "\(sent.other)\n\(cluster.logText)")
            #expect(sent.answered.count > 300)
            let after = try cluster.status()
            #expect(Set(after.processes.map(\.pid)).isDisjoint(with: workers(before)))
            #expect(after.processes.count == before.processes.count)
            // Nobody died: they were replaced.
            #expect(after.processes.allSatisfy { $0.restarts == 0 }, "\(after.processes)")
            try expectAllThere(cluster, sent)
        }

        private func workers(_ status: Status) -> Set<Int32> {
            Set(status.processes.filter { $0.role != "local-firehose" }.map(\.pid))
        }

        @Test func `workers and routers grow and shrink under load`() throws {
            let cluster = try Cluster(config: "workers = 2\nrouters = 1\n")
            let sent = try underLoad(cluster, seconds: 16, "resize") {
                usleep(500_000)
                for (workers, routers) in [(4, 2), (1, 3), (3, 1)] {
                    try configure(cluster, "workers = \(workers)\nrouters = \(routers)\n")
                    let output = try cluster.hydrant(["reload"] + cluster.finding)
                    #expect(output.status == 0, "\(output.stderr)\(cluster.logText)")
                    let status = try cluster.status()
                    #expect(status.pids(of: "worker").count == workers)
                    #expect(status.pids(of: "router").count == routers)
                    #expect(try cluster.health("/readyz").hasPrefix("HTTP/1.1 200 "))
                    #expect(status.ledger.closes)
                }
            }
            #expect(sent.other.isEmpty, "\(sent.other)\n\(cluster.logText)")
            // A reload sends to new shards what old ones have: all of it is delivered all the same.
            try cluster.stop()
            try configure(cluster, "workers = 4\n")
            try cluster.start()
            try expectAllThere(cluster, sent)
        }

        @Test func `the shards that a reload adds are delivered without a restart`() throws {
            let cluster = try Cluster(config: "workers = 1\n")
            try configure(cluster, "workers = 4\n")
            #expect(try cluster.hydrant(["reload"] + cluster.finding).status == 0)
            for n in 0..<40 { _ = try cluster.get("/p.gif?event=e&uid=v\(n)") }
            let shards = try cluster.status().shards
            #expect(shards.count == 4 && shards.allSatisfy { $0.ledger.accepted > 0 })
            try cluster.flush(timeoutSeconds: 20)
            #expect(try cluster.count("select count(*) from events") == 40)
        }

        @Test func `a broken configuration is refused with its line, and the old one goes on`()
            throws
        {
            let cluster = try Cluster(config: "workers = 1\n")
            let before = try cluster.status().processes.map(\.pid)
            try configure(cluster, "workers = 1\nwokers = 2\n")
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(output.status == 78)
            #expect(output.stderr.contains("hydrant.toml:2:1"), "\(output.stderr)")
            // The supervisor reads it too, and says the same in its log.
            kill(cluster.pid, SIGHUP)
            #expect(eventually(within: 5) { cluster.logText.contains("SIGHUP: not reloaded") })
            #expect(cluster.logText.contains("hydrant.toml:2:1"), "\(cluster.logText)")
            // Asked by somebody who has another configuration, it refuses with the hint that fits.
            let data = "data=\(cluster.data.path)"
            let refused = try run(
                binary, ["reload", "--set", data],
                in: FileManager.default.temporaryDirectory)
            #expect(refused.status == 78 && refused.stderr.contains("hydrant.toml:2:1"))
            #expect(refused.stderr.contains("hint: `hydrant check` shows"), "\(refused.stderr)")
            // Who looks at the cluster meanwhile is warned, and sees it.
            let seen = try cluster.hydrant(["status"] + cluster.finding)
            #expect(seen.status == 0 && seen.stdout.contains("worker"), "\(seen.stderr)")
            #expect(seen.stderr.contains("hydrant.toml:2:1"), "\(seen.stderr)")
            try configure(cluster, "workers = 1\n")
            #expect(try cluster.status().processes.map(\.pid) == before)
            #expect(try cluster.get("/p.gif?event=e").stdout.hasPrefix("HTTP/1.1 200"))
        }

        @Test func `what a running cluster cannot change is refused by name`() throws {
            let cluster = try Cluster(config: "workers = 1\n")
            let before = try cluster.status().processes.map(\.pid)
            try configure(cluster, "workers = 2\n[local]\nsink = \"objects\"\n")
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(output.status == 78)
            #expect(output.stderr.contains("local.sink cannot change"), "\(output.stderr)")
            #expect(output.stderr.contains("hint: change it back, or stop"), "\(output.stderr)")
            // `check` finds nothing wrong with it.
            #expect(!output.stderr.contains("hydrant check"), "\(output.stderr)")
            #expect(try cluster.status().processes.map(\.pid) == before)
        }

        @Test func `a reload during a stop is refused as such`() throws {
            let cluster = try Cluster(
                settings: [
                    "workers=1", "delivery.mode=aws", "delivery.linger=50ms", "on_stop=deliver",
                    "firehose.endpoint_url=http://127.0.0.1:\(freePort())", "deliver_timeout=1m",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
            _ = try cluster.get("/p.gif?event=e")
            kill(cluster.pid, SIGTERM)
            #expect(
                eventually(within: 10) { cluster.logText.contains("delivering before leaving") })
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            expectClearFailure(output, 69, "not reloaded: the cluster is stopping", "hydrant stop")
            #expect(!output.stderr.contains("hydrant check"), "\(output.stderr)")
            // And whoever does not want to wait for that Firehose need not.
            let kept = try cluster.hydrant(["stop", "--keep"] + cluster.finding)
            #expect(kept.status == 0 && kept.stdout.contains("1 row stays in the spool"))
            #expect(cluster.process?.waitUntilExit(withinSeconds: 5) == true)
            #expect(cluster.process?.exitStatus == 0)
        }

        @Test func `a changed schema is in force after a reload`() throws {
            let cluster = try Cluster(config: "workers = 1\n")
            let schema = try cluster.hydrant("schema", "show").stdout
            try configure(cluster, "workers = 1\nschema = \"mine.toml\"\non_invalid = \"accept\"\n")
            try schema.write(
                to: cluster.folder.appendingPathComponent("mine.toml"), atomically: true,
                encoding: .utf8)
            #expect(try cluster.get("/p.gif").stdout.hasPrefix("HTTP/1.1 400"))
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(output.status == 0, "\(output.stderr)")
            #expect(try cluster.get("/p.gif").stdout.hasPrefix("HTTP/1.1 200"))
        }

        @Test func `a storm of signals is a few reloads, and the cluster is whole after it`()
            throws
        {
            let cluster = try Cluster(config: "workers = 1\n")
            let sent = try underLoad(cluster, seconds: 8, "storm") {
                usleep(500_000)
                for _ in 0..<300 {
                    for signal in [SIGHUP, SIGUSR1, SIGWINCH, SIGPIPE, SIGCHLD] {
                        kill(cluster.pid, signal)
                    }
                    usleep(10_000)
                }
            }
            #expect(sent.other.isEmpty, "\(sent.other)\n\(cluster.logText)")
            let isWhole = try eventually(within: 20) {
                let status = try cluster.status()
                return status.allReady && status.processes.count == 3
            }
            #expect(isWhole, "\(cluster.logText)")
            try expectAllThere(cluster, sent)
            #expect(try cluster.stop() == 0)
        }

        /// Long after the start: then one death of every slot was once taken for a cluster that cannot
        /// boot.
        @Test func `when all routers die in the middle of a reload others come`() throws {
            let cluster = try Cluster(config: "workers = 1\n")
            usleep(8_500_000)
            let old = try #require(try cluster.status().pids(of: "router").first)
            let reload = try SpawnedProcess(
                binary, ["reload"] + cluster.finding, environment: cluster.environment,
                folder: cluster.folder.path)
            func isRouter(_ pid: Int32) -> Bool {
                let words = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
                return words?.contains("router") == true
            }
            var fresh: Int32?
            #expect(
                eventually(within: 10) {
                    fresh = cluster.childPids().first { $0 != old && isRouter($0) }
                    return fresh != nil
                })
            kill(old, SIGKILL)
            kill(try #require(fresh), SIGKILL)
            #expect(
                eventually(within: 10) {
                    (try? cluster.get("/p.gif?event=e").stdout.hasPrefix("HTTP/1.1 200")) == true
                }, "\(cluster.logText)")
            #expect(reload.waitUntilExit(withinSeconds: 20))
            #expect(eventually(within: 20) { (try? cluster.status().allReady) == true })
            #expect(try cluster.stop() == 0)
        }

        @Test func `a run folder that somebody removed is made again`() throws {
            let cluster = try Cluster(config: "workers = 1\n")
            func removeRun() throws {
                try FileManager.default.removeItem(at: cluster.data.appendingPathComponent("run"))
            }
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            try removeRun()
            kill(worker, SIGKILL)
            let isBack = eventually(within: 10) {
                guard let status = try? cluster.status() else { return false }
                return status.allReady && status.pids(of: "worker") != [worker]
            }
            #expect(isBack, "\(cluster.logText)")
            #expect(
                cluster.logText.contains("settings.toml, or its schema, was removed: written again")
            )
            try removeRun()
            try configure(cluster, "workers = 2\n")
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(output.status == 0, "\(output.stderr)\(cluster.logText)")
            #expect(try cluster.status().pids(of: "worker").count == 2)
        }

        @Test func `without a cluster it says so`() throws {
            let cluster = try Cluster(start: false)
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(output.status == 69)
            #expect(output.stderr.contains("hydrant run"), "\(output.stderr)")
        }
    }
}
