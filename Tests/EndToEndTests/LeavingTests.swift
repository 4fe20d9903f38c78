import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What is in a router's way when it is to leave.
    @Suite struct LeavingTests {
        /// Clients that began a request and say no more.
        private func halfAsk(_ cluster: Cluster, count: Int) throws -> SpawnedProcess {
            let script = """
                import socket, sys, time
                all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(int(sys.argv[2]))]
                for one in all: one.sendall(b"GET /p.gif?ev")
                print("asked", flush=True)
                time.sleep(60)
                """
            let said = cluster.folder.appendingPathComponent("half.log").path
            let process = try SpawnedProcess(
                python, ["-c", script, "\(cluster.port)", "\(count)"], environment: [:],
                folder: cluster.folder.path, output: said, errors: said)
            #expect(
                eventually(within: 10) {
                    (try? String(contentsOfFile: said, encoding: .utf8)) == "asked\n"
                })
            return process
        }

        @Test func `half-sent requests hold up neither a reload nor a stop, and nobody is killed`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=1", "stop_timeout=10s"])
            let clients = try halfAsk(cluster, count: 10)
            defer { clients.endNow() }
            var start = Date()
            let output = try cluster.hydrant(["reload"] + cluster.finding)
            #expect(output.status == 0, "\(output.stderr)")
            #expect(Date().timeIntervalSince(start) < 7)
            let others = try halfAsk(cluster, count: 10)
            defer { others.endNow() }
            start = Date()
            #expect(try cluster.stop() == 0)
            #expect(Date().timeIntervalSince(start) < 5)
            #expect(!cluster.logText.contains("SIGKILL"), "\(cluster.logText)")
        }

        @Test
        func `hits that received had answered and a standing worker did not take are told of`()
            throws
        {
            let cluster = try Cluster(settings: ["workers=1", "ack=received", "stop_timeout=4s"])
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            kill(worker, SIGSTOP)
            for n in 0..<20 {
                #expect(
                    try cluster.get("/p.gif?event=e&uid=v\(n)").stdout.hasPrefix("HTTP/1.1 200"))
            }
            #expect(try cluster.stop() == 0)
            let words =
                "20 hits leave with this router: ack = \"received\" had answered them, and worker 0 "
                + "did not acknowledge them in time"
            #expect(cluster.logText.contains(words), "\(cluster.logText)")
            let killed = cluster.logText.split(separator: "\n").filter {
                $0.contains(" router 0 (pid ") && $0.contains("killed by")
            }
            #expect(killed.isEmpty, "\(cluster.logText)")
            #expect(cluster.logText.contains(" worker 0 (pid "), "its own end is told")
        }
    }
}
