import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What happens to rows when workers, folders and disks come and go.
    @Suite struct SpoolTests {
        /// Mode aws towards a port where nobody listens: hits are spooled, nothing is delivered.
        private static func dark(_ settings: [String] = []) throws -> Cluster {
            try Cluster(
                settings: [
                    "delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                ] + settings,
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"])
        }

        /// GETs that many hits, one after the other; how many were answered 200.
        @discardableResult
        private static func send(
            _ count: Int, _ name: String, to cluster: Cluster
        ) throws -> Int {
            let urls = (0..<count).map {
                "\(cluster.pixel)?event=s&campaign=\(name)-\($0)&uid=u\($0)"
            }
            try urls.map { "url = \"\($0)\"\noutput = \"/dev/null\"" }.joined(separator: "\n")
                .write(
                    to: cluster.folder.appendingPathComponent("urls"), atomically: true,
                    encoding: .utf8)
            let sent = try run(
                "curl", ["-sS", "-w", "%{http_code}\\n", "-K", "urls"], in: cluster.folder)
            return sent.lines.count { $0 == "200" }
        }

        /// Starts another cluster on what one left.
        private static func next(
            _ cluster: Cluster, settings: [String], start: Bool = true
        ) throws -> Cluster {
            cluster.endNow()
            let next = try Cluster(settings: settings, start: false)
            try FileManager.default.moveItem(at: cluster.data, to: next.data)
            if start { try next.start() }
            return next
        }

        @Test func `4, then 2, then 8 workers: all is delivered, and the ledger closes`() throws {
            let four = try Self.dark(["workers=4"])
            #expect(try Self.send(300, "four", to: four) == 300)
            #expect(try four.status().shards.allSatisfy { $0.ledger.spooled > 0 })

            let two = try Self.next(four, settings: ["workers=2"])
            #expect(try Self.send(200, "two", to: two) == 200)
            let before = try two.status()
            #expect(before.shards.map(\.shard) == [0, 1, 2, 3])
            #expect(before.ledger.accepted == 500 && before.ledger.closes)
            try two.flush()
            let after = try two.status()
            #expect(after.ledger.delivered == 500 && after.ledger.spooled == 0)
            #expect(after.shards.map(\.stream) == ["0", "1", "0", "1"].map { "hydrant-\($0)" })
            #expect(try two.count("select count(distinct campaign) from events") == 500)
            #expect(try two.count("select count(*) from events") == 500)
            // Its lock is free again, its totals stay.
            let list = try two.hydrant("spool", "ls", "--set", "workers=2")
            #expect(list.stdout.contains("shard-3, not in use"), "\(list.stdout)")

            let eight = try Self.next(two, settings: ["workers=8"])
            #expect(try Self.send(400, "eight", to: eight) == 400)
            try eight.flush()
            let last = try eight.status()
            #expect(last.shards.count == 8)
            #expect(last.ledger.accepted == 900 && last.ledger.delivered == 900)
            #expect(last.ledger.closes && last.shards.allSatisfy { $0.ledger.closes })
            #expect(try eight.count("select count(distinct id) from events") == 900)
        }

        @Test func `a spool folder removed under load: nothing acknowledged is lost`() throws {
            let cluster = try Self.dark(["workers=1"])
            #expect(try Self.send(100, "before", to: cluster) == 100)
            try FileManager.default.removeItem(
                at: cluster.data.appendingPathComponent("spool/shard-0"))
            let stored = try Self.send(50, "gap", to: cluster)
            let isNoticed = try eventually(within: 5) {
                usleep(100_000)
                return cluster.logText.contains("removed or moved behind our back")
            }
            #expect(isNoticed, "\(cluster.logText)")
            #expect(try Self.send(50, "after", to: cluster) == 50)
            let verified = try cluster.hydrant("spool", "verify")
            #expect(verified.status == 0, "\(verified.stdout)")
            let next = try Self.next(cluster, settings: ["workers=1"])
            try next.flush()
            #expect(
                try next.count("select count(distinct campaign) from events") == 150 + stored)
            #expect(try next.status().ledger.closes)
        }

        @Test func `a full disk: 503, told in the status, and it goes on by itself`() throws {
            // A small file system in a mount namespace of our own, grown when it is full.
            let script = """
                set -e
                mount -t tmpfs -o size=1m none "$1"
                cd "$2"
                shift 2
                "$@" > cluster.log 2>&1 &
                pid=$!
                trap 'kill -TERM $pid; wait $pid || true' EXIT
                echo $pid > pid
                while [ ! -e grow ]; do sleep 0.1; done
                mount -o remount,size=50m none "$DISK"
                while [ ! -e done ]; do sleep 0.1; done
                """
            let cluster = try Cluster(
                settings: [
                    "workers=1", "delivery.mode=aws", "spool.dir=disk/spool",
                    "firehose.endpoint_url=http://127.0.0.1:\(freePort())",
                    "spool.segment_bytes=1MiB",
                ],
                environment: ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"],
                start: false)
            let disk = cluster.folder.appendingPathComponent("disk").path
            try FileManager.default.createDirectory(
                atPath: disk, withIntermediateDirectories: true)
            try script.write(
                toFile: cluster.folder.path + "/disk.sh", atomically: true, encoding: .utf8)
            let holder = try SpawnedProcess(
                "unshare",
                ["-rm", "bash", "disk.sh", disk, cluster.folder.path, binary, "run"]
                    + cluster.finding,
                environment: cluster.environment.merging(["DISK": disk]) { $1 },
                folder: cluster.folder.path, output: cluster.folder.path + "/disk.log",
                errors: cluster.folder.path + "/disk.log")
            defer {
                _ = FileManager.default.createFile(
                    atPath: cluster.folder.path + "/done", contents: nil)
                if !holder.waitUntilExit(withinSeconds: 15) { holder.endNow() }
            }
            let isReady = try eventually(within: 15) {
                usleep(50_000)
                return (try? cluster.status().allReady) ?? false
            }
            try #require(
                isReady,
                "\((try? String(contentsOfFile: cluster.folder.path + "/disk.log", encoding: .utf8)) ?? "")"
            )
            let padding = String(repeating: "x", count: 1500)
            var answered = 0
            var isFull = false
            for round in 0..<40 where !isFull {
                let sent = try Self.send(100, "\(padding)-\(round)", to: cluster)
                answered += sent
                isFull = sent < 100
            }
            #expect(isFull)
            let isTold = try eventually(within: 5) {
                usleep(100_000)
                return try cluster.hydrant("status", "--set", cluster.settings[0]).stdout
                    .contains("No space left on device")
            }
            #expect(isTold)
            _ = FileManager.default.createFile(
                atPath: cluster.folder.path + "/grow", contents: nil)
            let goesOn = try eventually(within: 5) {
                usleep(100_000)
                let sent = try Self.send(1, "again", to: cluster)
                answered += sent
                return sent == 1
            }
            #expect(goesOn)
            let status = try cluster.status()
            #expect(status.ledger.accepted == answered && status.ledger.closes)
        }

        @Test func `spool commands on a living and on a stopped cluster`() throws {
            let cluster = try Self.dark(["workers=2"])
            #expect(try Self.send(200, "c", to: cluster) == 200)
            _ = try cluster.get("/p.gif")
            func spool(_ words: String...) throws -> Output {
                try run(
                    binary, ["spool"] + words + cluster.finding, in: cluster.folder,
                    environment: cluster.environment)
            }
            let living = try spool("ls")
            #expect(living.status == 0 && living.stdout.contains("in use by process"))
            #expect(try spool("verify").status == 0)
            let refused = try spool("repair")
            expectClearFailure(refused, 69, "in use by process", "hydrant stop")
            #expect(try spool("cat", "--lane", "bad").lines.count == 1)
            #expect(try spool("cat").lines.count == 200)
            #expect(try spool("cat", "--limit", "7").lines.count == 7)
            let cut = try run(
                "bash",
                [
                    "-c", "\"$0\" spool cat \(cluster.finding.joined(separator: " ")) | head -1",
                    binary,
                ],
                in: cluster.folder, environment: cluster.environment)
            #expect(cut.stderr.isEmpty && cut.lines.count == 1)
            try cluster.stop()

            let exported = try spool("export", "out")
            #expect(exported.status == 0 && exported.stdout.hasPrefix("200 rows in 2 files"))
            let objects = try run("find", ["out", "-name", "*.gz"], in: cluster.folder).lines
            #expect(
                objects.allSatisfy {
                    $0.wholeMatch(
                        of:
                            #/out/hydrant-\d/\d{4}/\d\d/\d\d/\d\d/hydrant-\d-1-[\d-]{19}-[0-9a-f-]{36}\.gz/#
                    ) != nil
                }, "\(objects)")
            let rows = try objects.flatMap {
                try run("zcat", [String($0)], in: cluster.folder).lines
            }
            #expect(Set(rows).count == 200)

            let segment = cluster.data.appendingPathComponent(
                "spool/shard-0/good/0000000000000001.segment")
            var bytes = try Data(contentsOf: segment)
            bytes[5000] ^= 1
            try bytes.write(to: segment)
            let damaged = try spool("verify")
            #expect(
                damaged.status == 1 && damaged.stdout.contains("0000000000000001.segment: "))
            #expect(try spool("repair", "--dry-run").stdout.contains("would be copied"))
            #expect(try spool("verify").status == 1)
            #expect(try spool("repair").status == 0)
            let clean = try spool("verify")
            #expect(clean.status == 0, "\(clean.stdout)")
            #expect(try spool("repair").stdout == "nothing to repair\n")
            #expect(try spool("cat").lines.count < 200)

            let next = try Self.next(cluster, settings: ["workers=2"])
            try next.flush()
            let status = try next.status()
            #expect(status.ledger.closes && status.ledger.dropped > 0)
            #expect(status.ledger.delivered + status.ledger.dropped == 200)
        }
    }
}
