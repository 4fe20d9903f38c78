import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What happens to rows when workers, folders and disks come and go.
    @Suite struct SpoolTests {
        /// Mode aws towards a port where nobody listens: hits are spooled, nothing is delivered.
        private static func dark(
            _ settings: [String] = [], after cluster: Cluster? = nil
        ) throws -> Cluster {
            let settings =
                ["delivery.mode=aws", "firehose.endpoint_url=http://127.0.0.1:\(freePort())"]
                + settings
            let keys = ["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"]
            guard let cluster else { return try Cluster(settings: settings, environment: keys) }
            return try next(cluster, settings: settings, environment: keys)
        }

        /// Starts another cluster on what one left.
        private static func next(
            _ cluster: Cluster, settings: [String], environment: [String: String] = [:],
            start: Bool = true
        ) throws -> Cluster {
            cluster.endNow()
            let next = try Cluster(settings: settings, environment: environment, start: false)
            try FileManager.default.moveItem(at: cluster.data, to: next.data)
            if start { try next.start() }
            return next
        }

        @Test func `4, then 2, then 8 workers: all is delivered, and the ledger closes`() throws {
            let four = try Self.dark(["workers=4"])
            #expect(try sendEach(300, "four", to: four) == 300)
            #expect(try four.status().shards.allSatisfy { $0.ledger.spooled > 0 })

            let two = try Self.next(four, settings: ["workers=2"])
            #expect(try sendEach(200, "two", to: two) == 200)
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
            #expect(try sendEach(400, "eight", to: eight) == 400)
            try eight.flush()
            let last = try eight.status()
            #expect(last.shards.count == 8)
            #expect(last.ledger.accepted == 900 && last.ledger.delivered == 900)
            #expect(last.ledger.closes && last.shards.allSatisfy { $0.ledger.closes })
            #expect(try eight.count("select count(distinct id) from events") == 900)
        }

        @Test func `a spool folder removed under load: nothing acknowledged is lost`() throws {
            let cluster = try Self.dark(["workers=1"])
            #expect(try sendEach(100, "before", to: cluster) == 100)
            try FileManager.default.removeItem(
                at: cluster.data.appendingPathComponent("spool/shard-0"))
            let stored = try sendEach(50, "gap", to: cluster)
            let isNoticed = try eventually(within: 5) {
                usleep(100_000)
                return cluster.logText.contains("removed or moved behind our back")
            }
            #expect(isNoticed, "\(cluster.logText)")
            #expect(try sendEach(50, "after", to: cluster) == 50)
            let verified = try cluster.hydrant("spool", "verify")
            #expect(verified.status == 0, "\(verified.stdout)")
            let next = try Self.next(cluster, settings: ["workers=1"])
            try next.flush()
            #expect(
                try next.count("select count(distinct campaign) from events") == 150 + stored)
            #expect(try next.status().ledger.closes)
        }

        @Test func `segments that are gone are told by verify, ls and status, and at the start`()
            throws
        {
            // Three segments, of three lives.
            var cluster = try Self.dark(["workers=1"])
            #expect(try sendEach(30, "a", to: cluster) == 30)
            cluster = try Self.dark(["workers=1"], after: cluster)
            #expect(try sendEach(20, "b", to: cluster) == 20)
            cluster = try Self.dark(["workers=1"], after: cluster)
            #expect(try sendEach(10, "c", to: cluster) == 10)
            try cluster.stop()
            func spool(_ words: String...) throws -> Output {
                try run(
                    binary, ["spool"] + words + cluster.finding, in: cluster.folder,
                    environment: cluster.environment)
            }
            let lane = cluster.data.appendingPathComponent("spool/shard-0/good")
            func segment(_ number: Int) -> URL {
                lane.appendingPathComponent("000000000000000\(number).segment")
            }
            #expect(try spool("verify").status == 0)
            let absent = try spool("cat", "--shard", "0", "--from", "9")
            expectClearFailure(
                absent, 1, "there is no segment 9 in shard 0's good lane", "there are: 1 to 3")
            #expect(try spool("cat", "--shard", "0", "--from", "2").lines.count == 30)

            let newest = try Data(contentsOf: segment(3))
            try FileManager.default.removeItem(at: segment(3))
            let end = try spool("verify")
            #expect(end.status == 1, "\(end.stdout)")
            #expect(
                end.stdout.contains("0000000000000002.segment: missing behind its end: 10 hits\n"),
                "\(end.stdout)")
            try newest.write(to: segment(3))
            try FileManager.default.removeItem(at: segment(1))
            let begin = try spool("verify")
            #expect(begin.status == 1, "\(begin.stdout)")
            #expect(
                begin.stdout.contains("0000000000000002.segment: missing before byte 4,096")
                    && begin.stdout.contains(": 30 hits\n"), "\(begin.stdout)")
            #expect(
                try spool("ls").stdout.contains(
                    "shard 0 good: 30 hits not delivered and in no file"))
            func expectTruth() throws {
                let ledger = try cluster.status().ledger
                #expect(ledger.closes && ledger.accepted == 60, "\(ledger)")
                #expect(ledger.dropped == 30 && ledger.spooled == 30, "\(ledger)")
            }
            try expectTruth()
            #expect(try spool("repair").stdout.contains("30 hits missing before byte 4,096"))
            #expect(try spool("verify").status == 0)
            try expectTruth()
            // Damage in a file that a start does not read: known by a repair.
            var bytes = try Data(contentsOf: segment(2))
            bytes[5000] ^= 1
            try bytes.write(to: segment(2))
            try expectTruth()
            let repaired = try spool("repair")
            #expect(repaired.stdout.contains("counted as dropped"), "\(repaired.stdout)")
            let known = try cluster.status().ledger
            #expect(known.closes && known.dropped > 30 && known.spooled == 60 - known.dropped)
            // What was in the way of a file is kept, and told.
            let cursor = cluster.data.appendingPathComponent("spool/shard-0/bad/cursor")
            try FileManager.default.removeItem(at: cursor)
            try FileManager.default.createDirectory(
                at: cursor, withIntermediateDirectories: false)
            cluster = try Self.dark(["workers=1"], after: cluster)
            let living = try cluster.status().ledger
            #expect(living.dropped == known.dropped && living.spooled == known.spooled)
            let isTold = try eventually(within: 5) {
                cluster.logText.contains("shard-0/bad/cursor is not of this spool")
                    && cluster.logText.contains("shard-0/bad/cursor.foreign-")
                    && cluster.logText.contains("hits are missing in")
            }
            #expect(isTold, "\(cluster.logText)")

            let last = try Self.next(cluster, settings: ["workers=1"])
            try last.flush()
            let after = try last.status().ledger
            #expect(after.closes && after.dropped == known.dropped && after.spooled == 0)
            #expect(try last.count("select count(*) from events") == Int(60 - known.dropped))
        }

        @Test func `spool commands on a living and on a stopped cluster`() throws {
            let cluster = try Self.dark(["workers=2"])
            #expect(try sendEach(200, "c", to: cluster) == 200)
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
            #expect(exported.stdout.hasSuffix("besides, 1 bad row: the same with --lane bad\n"))
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
