import Core
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervisor

@Suite(.serialized) struct ClusterTests {
    @Test func `it starts, links everyone with everyone, shows its ledger and stops in order`() {
        let cluster = RunningCluster(routers: 2, workers: 3)
        cluster.waitUntilReady()
        cluster.wait(for: "six links") { cluster.notes.count { $0[3] == "link" } == 6 }
        for note in cluster.notes where note[3] == "link" { #expect(note[5] == note[7]) }

        let status = cluster.status()
        #expect(status["state"] as? String == "running")
        #expect((status["processes"] as? [Any])?.count == 6)
        let ledger = status["ledger"] as? [String: Int] ?? [:]
        #expect(ledger["accepted"] == 30 && ledger["spooled"] == 30 && ledger["refused"] == 2)
        #expect((status["counters"] as? [String: Int])?["requests"] == 10)
        #expect(cluster.process("worker", 2)["state"] as? String == "ready")
        #expect(cluster.process("worker", 2)["heartbeat_age_s"] is Double)
        #expect(cluster.ask(.statusTable).first?.hasPrefix("hydrant is running") == true)

        #expect(cluster.ask(.stop) == ["done stopped: 30 rows stay in the spool"])
        #expect(cluster.waitForEnd() == 0)
        let order = cluster.notes.filter { $0[3] == "leave" }.map { String($0[0]) }
        #expect(order == ["router", "router", "worker", "worker", "worker", "local-firehose"])
        #expect(cluster.ask(.status) == [])
        #expect(!SmallFile.exists(DataFolder(path: cluster.temporary.path).controlSocket))
    }

    @Test func `a killed worker comes back with new links and its ledger`() {
        let cluster = RunningCluster()
        cluster.waitUntilReady()
        sleepMs(1000)
        let pid = cluster.process("worker", 1)["pid"] as? Int ?? 0
        #expect(sendSignal(9, to: Int32(pid)))
        cluster.wait(for: "the successor") {
            let now = cluster.process("worker", 1)
            return now["pid"] as? Int != pid && now["state"] as? String == "ready"
        }
        #expect(cluster.process("worker", 1)["restarts"] as? Int == 1)
        #expect(cluster.process("worker", 0)["restarts"] as? Int == 0)
        #expect((cluster.status()["ledger"] as? [String: Int])?["accepted"] == 30)
        cluster.wait(for: "the new link") { cluster.notes.count { $0[3] == "link" } == 3 }
        #expect(
            cluster.log.contains {
                $0.hasPrefix("worker 1 (pid \(pid)) died: killed by SIGKILL")
                    && $0.hasSuffix("restarts at once")
            })
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `while the router is dead its connections wait, and its totals stay`() throws {
        let cluster = RunningCluster()
        cluster.waitUntilReady()
        sleepMs(1000)
        let pid = cluster.process("router", 0)["pid"] as? Int ?? 0
        #expect(sendSignal(9, to: Int32(pid)))
        let port = try cluster.port
        for _ in 0..<5 { #expect(greeting(port: port).hasPrefix("hello from ")) }
        cluster.wait(for: "the successor") {
            cluster.process("router", 0)["state"] as? String == "ready"
        }
        #expect((cluster.status()["counters"] as? [String: Int])?["requests"] == 10)
        #expect((cluster.status()["counters"] as? [String: Int])?["connections_open"] == 2)
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `flush waits for delivery and loading, and names who is stuck`() {
        let cluster = RunningCluster()
        cluster.waitUntilReady()
        let done = cluster.ask(.flush(timeoutMs: 10_000)).last ?? ""
        #expect(done.hasPrefix("done everything accepted is delivered and loaded"))
        #expect((cluster.status()["ledger"] as? [String: Int])?["spooled"] == 0)
        #expect(cluster.ask(.stop) == ["done stopped: nothing stays in the spool"])
        #expect(cluster.waitForEnd() == 0)

        let damaged = RunningCluster(behaviour: "worker:loses")
        damaged.waitUntilReady()
        let told = damaged.ask(.flush(timeoutMs: 10_000)).last ?? ""
        #expect(told.contains("delivered and loaded, but for 4 dropped: hydrant status"))
        _ = damaged.ask(.stop)
        #expect(damaged.waitForEnd() == 0)

        let stuck = RunningCluster(behaviour: "worker:stuck")
        stuck.waitUntilReady()
        let answer = stuck.ask(.flush(timeoutMs: 700))
        #expect(answer.first?.hasPrefix("progress shard 0 good lane: 10 rows left") == true)
        #expect(
            answer.last?.hasPrefix("stuck shard 0 good lane: 10 rows left, idle; shard 1") == true)
        _ = stuck.ask(.stop)
        #expect(stuck.waitForEnd() == 0)

        let unloaded = RunningCluster(behaviour: "local-firehose:stuck")
        unloaded.waitUntilReady()
        #expect(
            unloaded.ask(.flush(timeoutMs: 300)).last == "stuck local-firehose 0: not yet loaded")
        _ = unloaded.ask(.stopNow)
        #expect(unloaded.waitForEnd() == 0)
    }

    @Test func `children that do not leave are killed within the deadline`() {
        let cluster = RunningCluster(
            behaviour: "router:stubborn worker:stubborn local-firehose:stubborn",
            stopTimeoutMs: 800)
        cluster.waitUntilReady()
        #expect(cluster.ask(.stop).last?.hasPrefix("done ") == true)
        #expect(cluster.waitForEnd() == 0)
        #expect(cluster.log.count { $0.contains("left: killed by SIGKILL") } == 4)
    }

    @Test func `a cluster of which no worker boots leaves with its own code`() {
        let cluster = RunningCluster(behaviour: "worker:die")
        #expect(cluster.waitForEnd() == 70)
        #expect(
            cluster.log.contains {
                $0.contains("exit code 3") && $0.contains("never ready: cannot boot;")
            })
        #expect(cluster.log.contains { $0.hasPrefix("no worker can start") })
        #expect(cluster.log.count < 20)
    }

    @Test func `a child that says nothing for too long is killed and replaced`() {
        let cluster = RunningCluster(workers: 1, behaviour: "worker:silent") {
            $0.hangLimitMs = 1500
        }
        cluster.waitUntilReady()
        cluster.wait(for: "the obituary") {
            cluster.log.contains {
                $0.hasPrefix("worker 0")
                    && $0.contains("died: killed by SIGKILL (hung: no heartbeat")
                    && $0.hasSuffix("restarts at once")
            }
        }
        cluster.wait(for: "the successor") {
            (cluster.process("worker", 0)["restarts"] as? Int ?? 0) >= 1
        }
        #expect(cluster.process("router", 0)["restarts"] as? Int == 0)
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `a child that is never ready is killed, too, and that is no readiness`() throws {
        let cluster = RunningCluster(behaviour: "router:unready") { $0.startLimitMs = 1000 }
        cluster.wait(for: "the obituary") {
            cluster.log.contains {
                $0.contains("router 0") && $0.contains("(hung: not ready after")
                    && $0.contains("never ready")
            }
        }
        #expect(try cluster.get("/readyz").hasPrefix("HTTP/1.1 503 "))
        _ = cluster.ask(.stopNow)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `health is answered over HTTP, from the start to the end`() throws {
        let cluster = RunningCluster(
            workers: 1, behaviour: "router:stubborn", stopTimeoutMs: 2000)
        cluster.waitUntilReady()
        #expect(try cluster.get("/healthz").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(try cluster.get("/healthz").hasSuffix("\r\n\r\nok\n"))
        #expect(
            try cluster.get("/readyz").hasSuffix(
                #"{"ready":true,"state":"running","reasons":[],"warnings":[]}"# + "\n"))
        #expect(try cluster.get("/").hasPrefix("HTTP/1.1 404 "))
        let posted = try cluster.admin(
            "POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        #expect(posted.hasPrefix("HTTP/1.1 405 "))
        // A whole second request behind the first is not answered.
        let two = try cluster.admin(
            String(repeating: "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", count: 2))
        #expect(two.ranges(of: "HTTP/1.1 ").count == 1)

        Thread { _ = cluster.ask(.stop) }.start()
        cluster.wait(for: "the stop") { cluster.log.contains { $0.hasPrefix("hydrant stop: ") } }
        let leaving = try cluster.get("/readyz")
        #expect(leaving.hasPrefix("HTTP/1.1 503 "))
        #expect(leaving.contains(#""code":"stopping""#))
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `connections that say nothing lose their place, and are closed in time`() throws {
        let cluster = RunningCluster(workers: 1)
        cluster.waitUntilReady()
        let port = try cluster.adminPort
        let idle = (0..<100).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { idle.forEach { closeDescriptor($0) } }
        for descriptor in idle { #expect(connectLoopback(descriptor, port: port) == 0) }
        #expect(try cluster.get("/healthz").hasPrefix("HTTP/1.1 200 "))
        #expect(try readSome(idle[99]) == [])
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `with admin off nothing listens`() throws {
        let cluster = RunningCluster(workers: 1) { $0.admin = nil }
        cluster.waitUntilReady()
        #expect(try cluster.adminPort == 0)
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `on_stop = deliver empties the spool before it leaves`() {
        let cluster = RunningCluster { $0.onStop = .deliver }
        cluster.waitUntilReady()
        #expect(cluster.ask(.stop).last == "done stopped: nothing stays in the spool")
        #expect(cluster.waitForEnd() == 0)
        let words = cluster.notes.map { "\($0[0]) \($0[3])" }
        let flushed = words.firstIndex(of: "worker flushed") ?? .max
        #expect((words.firstIndex(of: "router leave") ?? .max) < flushed)
        #expect(flushed < (words.firstIndex(of: "worker leave") ?? 0))
    }

    @Test func `what cannot be delivered in time stays, and the exit code says so`() {
        let cluster = RunningCluster(behaviour: "worker:stuck") { $0.deliverTimeoutMs = 600 }
        cluster.waitUntilReady()
        let said = cluster.ask(.stopDeliver)
        #expect(said.first?.hasPrefix("progress delivering before leaving: 20 rows left") == true)
        #expect(said.last == "left stopped: 20 rows stay in the spool")
        #expect(cluster.waitForEnd() == 75)

        let kept = RunningCluster(workers: 1) { $0.onStop = .deliver }
        kept.waitUntilReady()
        #expect(kept.ask(.stopKeep) == ["done stopped: 10 rows stay in the spool"])
        #expect(kept.waitForEnd() == 0)
    }

    @Test func `a second stop may ask for delivery while there is somebody to do it`() {
        let cluster = RunningCluster(behaviour: "router:stubborn", stopTimeoutMs: 6000)
        cluster.waitUntilReady()
        let kept = Mutex<[String]?>(nil)
        Thread { kept.withLock { $0 = cluster.ask(.stopKeep) } }.start()
        cluster.wait(for: "the stop") {
            cluster.log.contains { $0.hasPrefix("hydrant stop --keep: ") }
        }
        #expect(cluster.ask(.stopDeliver).last == "done stopped: nothing stays in the spool")
        #expect(cluster.waitForEnd() == 0)
        #expect(
            cluster.log.contains {
                $0.hasPrefix("hydrant stop --deliver: delivering what is in the spool first")
            })
        cluster.wait(for: "the first one's answer") { kept.withLock { $0 != nil } }
        #expect(kept.withLock { $0 }?.last == "done stopped: nothing stays in the spool")
    }

    @Test func `a second stop that comes too late to deliver is told so`() {
        let cluster = RunningCluster(behaviour: "worker:stubborn", stopTimeoutMs: 6000)
        cluster.waitUntilReady()
        Thread { _ = cluster.ask(.stopKeep) }.start()
        cluster.wait(for: "the order") {
            cluster.notes.contains { $0[0] == "worker" && $0[3] == "leave" }
        }
        let said = cluster.ask(.stopDeliver)
        #expect(said.count == 1 && said[0].hasPrefix("refused the cluster is leaving without"))
        #expect(said[0].hasSuffix(": 20 rows stay there"), "\(said)")
        #expect(cluster.ask(.stopNow).last == "done stopped: 20 rows stay in the spool")
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `a second stop may waive what the first wanted delivered, who is told`() {
        let cluster = RunningCluster(behaviour: "worker:stuck")
        cluster.waitUntilReady()
        let delivered = Mutex<[String]?>(nil)
        Thread { delivered.withLock { $0 = cluster.ask(.stopDeliver) } }.start()
        cluster.wait(for: "delivery") {
            cluster.log.contains { $0.hasPrefix("delivering before leaving") }
        }
        #expect(cluster.ask(.stopKeep).last == "done stopped: 20 rows stay in the spool")
        #expect(cluster.waitForEnd() == 0)
        cluster.wait(for: "the first one's answer") { delivered.withLock { $0 != nil } }
        #expect(delivered.withLock { $0 }?.last == "left stopped: 20 rows stay in the spool")
    }

    @Test func `a worker that stands still makes the host unready long before it is killed`() throws
    {
        let cluster = RunningCluster(behaviour: "worker:silent")
        cluster.waitUntilReady()
        #expect(try cluster.get("/readyz").hasPrefix("HTTP/1.1 200 "))
        sleepMs(UInt32(HangWatch.stillMs) + 750)
        let answer = try cluster.get("/readyz")
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(
            answer.contains(#"{"code":"still","text":"worker 1 has stood still for "#), "\(answer)")
        #expect(answer.contains("hits of shard 1 wait") && !answer.contains("router 0"))
        #expect(cluster.ask(.statusTable).contains { $0.hasPrefix("worker 1 has stood still") })
        #expect(!cluster.log.contains { $0.contains("hung") })
        _ = cluster.ask(.stopNow)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `strangers on the control socket get an error, or nothing`() throws {
        let cluster = RunningCluster(workers: 1)
        cluster.waitUntilReady()
        let path = cluster.folder.controlSocket
        let strange = try connectUnix(to: path)
        try SmallFile.writeAll(Array("GET / HTTP/1.1\r\n\r\n".utf8), to: strange)
        #expect(String(decoding: try readSome(strange), as: UTF8.self).hasPrefix("error "))
        closeDescriptor(strange)
        let long = try connectUnix(to: path)
        try SmallFile.writeAll([UInt8](repeating: 65, count: 1000), to: long)
        #expect(try readSome(long) == [])
        closeDescriptor(long)
        // More idle ones than there is room for: the next command is still answered.
        let idle = try (0..<80).map { _ in try connectUnix(to: path) }
        #expect(cluster.ask(.status).count == 1)
        idle.forEach { closeDescriptor($0) }
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    @Test func `a second cluster in the folder is refused and harms nobody`() {
        let cluster = RunningCluster(workers: 1)
        cluster.waitUntilReady()
        var settings = Settings()
        settings.dataFolder = cluster.temporary.path
        settings.listen.port = 0
        settings.localListen.port = 0
        settings.admin?.port = 0
        let failure = #expect(throws: ClusterFailure.self) {
            _ = try Cluster(ClusterSettings(settings: settings) { _, _ in })
        }
        #expect(failure?.message.contains("already runs here (pid \(ownPid))") == true)
        #expect(cluster.ask(.status).count == 1)
        _ = cluster.ask(.stop)
        #expect(cluster.waitForEnd() == 0)
    }

    /// Connects and reads until the end.
    private func greeting(port: UInt16) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { closeDescriptor(descriptor) }
        if connectLoopback(descriptor, port: port) < 0 { return "refused" }
        return String(decoding: (try? readSome(descriptor)) ?? [], as: UTF8.self)
    }
}
