import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Real disks that are full, slow, or refuse, under real processes.
    @Suite struct DiskTests {
        private static let nowhere = [
            "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
        ]

        @Test(.enabled(if: SmallDisk.isPossible, "this machine lets nobody mount"))
        func `a full disk: 503, told in the status, and it goes on by itself`() throws {
            let disk = try SmallDisk(
                "size=1m",
                settings: [
                    "workers=1", "delivery.mode=aws", "spool.segment_bytes=1MiB",
                    "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                ], environment: Self.nowhere)
            let cluster = disk.cluster
            let padding = String(repeating: "x", count: 1500)
            var answered = 0
            var isFull = false
            for round in 0..<40 where !isFull {
                let sent = try sendEach(100, "\(padding)-\(round)", to: cluster)
                answered += sent
                isFull = sent < 100
            }
            #expect(isFull)
            try expectTold("No space left on device", by: cluster)
            try disk.remount("size=50m")
            answered += try expectGoesOn(cluster)
            let status = try cluster.status()
            #expect(status.ledger.accepted == answered && status.ledger.closes)
        }

        /// All of `var` on it: not a block is left for what a start writes.
        @Test(.enabled(if: SmallDisk.isPossible, "this machine lets nobody mount"))
        func `a disk that the spool itself has filled takes hits again once they are delivered`()
            throws
        {
            let disk = try SmallDisk(
                "size=2m", settings: ["workers=1", "delivery.linger=50ms"], environment: [:])
            let cluster = disk.cluster
            try "[[fault]]\nkind = \"status\"\n".write(
                to: cluster.folder.appendingPathComponent("f.toml"), atomically: true,
                encoding: .utf8)
            #expect(try cluster.hydrant(["faults", "set", "f.toml"] + cluster.finding).status == 0)
            let padding = String(repeating: "x", count: 1500)
            var (answered, isFull) = (0, false)
            for round in 0..<120 where !isFull {
                let sent = try sendEach(100, "\(padding)-\(round)", to: cluster)
                answered += sent
                isFull = sent < 100
            }
            #expect(isFull && answered > 500)
            #expect(try cluster.hydrant(["faults", "clear"] + cluster.finding).status == 0)
            try cluster.flush()
            let takesHits = try eventually(within: 5) {
                try sendEach(1, "again", to: cluster) == 1
            }
            #expect(takesHits, "\(cluster.logText.suffix(1000))")
            #expect(try sendEach(100, "on", to: cluster) == 100)
            try cluster.flush()
            #expect(try cluster.count("select count(distinct id) from events") >= answered + 101)
        }

        @Test(.enabled(if: SmallDisk.isPossible, "this machine lets nobody mount"))
        func `a cluster on a disk that is full to the last block starts again`() throws {
            let cluster = try Cluster(
                settings: [
                    "workers=1", "delivery.mode=aws", "spool.segment_bytes=1MiB",
                    "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                ], environment: Self.nowhere, start: false)
            let script = """
                mkdir var && mount -t tmpfs -o size=2m none var || exit 9
                ready() {
                    for _ in $(seq 150); do "$0" status "$@" 2>&1 | grep -q "is running" && return; sleep 0.1; done
                    exit 8
                }
                "$0" run "$@" > log 2>&1 & first=$!
                ready "$@"
                cat /dev/zero > var/filler
                kill -9 $first; wait $first
                sleep 2.5
                "$0" run "$@" > log 2>&1 & second=$!
                ready "$@"
                "$0" stop "$@" || exit 7
                wait $second
                """
            let output = try run(
                "unshare", ["-rm", "bash", "-c", script, binary] + cluster.finding,
                in: cluster.folder, environment: cluster.environment, timeoutSeconds: 60)
            #expect(output.status == 0, "\(output.stdout)\(output.stderr)\(cluster.logText)")
        }

        /// What `strace` makes of writes to the spool: sockets are written to by other calls.
        @Test(
            .enabled(if: InjectedFault.isPossible, "this machine lets nobody attach"),
            arguments: ["EIO", "EROFS", "EDQUOT"])
        func `a disk that takes no writes: 503, told in the status, and it goes on by itself`(
            error: String
        ) throws {
            let cluster = try Cluster(settings: ["workers=1"])
            var answered = try sendEach(20, "before", to: cluster)
            #expect(answered == 20)
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            let fault = try InjectedFault(
                into: worker, "pwrite64:error=\(error)", folder: cluster.folder)
            #expect(try sendEach(20, "refused", to: cluster) == 0)
            let words = ["EIO": "Input/output error", "EROFS": "Read-only file system"]
            try expectTold(words[error] ?? "Disk quota exceeded", by: cluster)
            #expect(fault.count >= 20)
            fault.end()
            answered += try expectGoesOn(cluster)
            answered += try sendEach(20, "after", to: cluster)
            try cluster.flush()
            let status = try cluster.status()
            #expect(status.pids(of: "worker") == [worker], "\(cluster.logText)")
            #expect(status.ledger.accepted == answered && status.ledger.delivered == answered)
            #expect(try cluster.count("select count(distinct campaign) from events") == answered)
        }

        @Test(.enabled(if: InjectedFault.isPossible, "this machine lets nobody attach"))
        func `every third sync fails under load: what was answered is there, once`() throws {
            let cluster = try Cluster(settings: ["workers=1", "ack=fsync"])
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            let fault = try InjectedFault(
                into: worker, "fdatasync:error=EIO:when=2+3", folder: cluster.folder)
            let sent = try underLoad(cluster, seconds: 3, "syncs") {}
            fault.end()
            #expect(fault.count > 0 && sent.answered.count > 20, "\(fault.count), \(sent.other)")
            // The copy needs a sync of its own; where that fails too the answer is 503.
            #expect(sent.other.keys.allSatisfy { $0 == "503" }, "\(sent.other)")
            #expect(try cluster.status().pids(of: "worker") == [worker], "\(cluster.logText)")
            try expectAllThere(cluster, sent)
        }

        @Test(.enabled(if: InjectedFault.isPossible, "this machine lets nobody attach"))
        func `a slow disk of one shard holds up its own hits, and nobody else's`() throws {
            let cluster = try Cluster(
                settings: ["workers=2", "ack=fsync", "wait_limit=20s"])
            var visitors: [Int: String] = [:]
            for number in 0..<40 where visitors.count < 2 {
                let before = try cluster.status().shards.map(\.ledger.accepted)
                _ = try cluster.get("/p.gif?event=e&uid=v\(number)")
                let after = try cluster.status().shards.map(\.ledger.accepted)
                let shard = try #require(zip(before, after).map { $1 - $0 }.firstIndex(of: 1))
                visitors[shard] = "v\(number)"
            }
            let slow = try #require(visitors[0])
            let other = try #require(visitors[1])
            let worker = try #require(try cluster.status().pids(of: "worker").first)
            let fault = try InjectedFault(
                into: worker, "fdatasync:delay_enter=4000000", folder: cluster.folder)
            let waiting = try SpawnedProcess(
                "curl", ["-sSf", "-o", "/dev/null", cluster.pixel + "?event=e&uid=\(slow)"])
            for _ in 0..<20 {
                let answer = try cluster.get("/p.gif?event=e&uid=\(other)").stdout
                #expect(answer.hasPrefix("HTTP/1.1 200"))
            }
            #expect(waiting.isRunning, "the slow disk's hit was answered before the others")
            #expect(waiting.waitUntilExit(withinSeconds: 15) && waiting.exitStatus == 0)
            #expect(fault.count > 0)
            fault.end()
            #expect(try cluster.status().pids(of: "worker").first == worker, "\(cluster.logText)")
        }

        private func expectTold(_ words: String, by cluster: Cluster) throws {
            let isTold = try eventually(within: 5) {
                usleep(100_000)
                return try cluster.hydrant(["status"] + cluster.finding).stdout.contains(words)
            }
            #expect(isTold, "\(cluster.logText)")
        }

        /// Within five seconds; how many hits that took.
        private func expectGoesOn(_ cluster: Cluster) throws -> Int {
            var answered = 0
            let goesOn = try eventually(within: 5) {
                usleep(100_000)
                answered += try sendEach(1, "again", to: cluster)
                return answered == 1
            }
            #expect(goesOn, "\(cluster.logText)")
            return answered
        }
    }
}
