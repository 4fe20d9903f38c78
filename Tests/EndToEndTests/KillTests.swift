import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// kill -9 of whatever runs, under load: it comes back, and nothing that was answered is missing.
    @Suite struct KillTests {
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
