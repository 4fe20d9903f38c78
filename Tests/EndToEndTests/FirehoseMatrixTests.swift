import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// The faults a Firehose can show, one row of the matrix after the other, under load: whatever it
    /// is, every answered hit arrives. docs/faults.md says where the rows are that are not here.
    @Suite struct FirehoseMatrixTests {
        struct Passed {
            let cluster: Cluster
            let counters: [String: Int]
            let rows: Int
            let distinctRows: Int

            func counter(_ name: String) -> Int { counters[name] ?? -1 }
            /// Rows that came more than once, each as often.
            var duplicates: Int { rows - distinctRows }
        }

        /// A cluster under load with that plan, from which the faults go away in the end. `others`:
        /// what clients got besides 200.
        private func pass(
            _ faults: [String], settings: [String] = [], seconds: Double = 2,
            others: Set<String> = [], _ meanwhile: (Cluster) throws -> Void = { _ in }
        ) throws -> Passed {
            let cluster = try Cluster(settings: ["workers=1", "delivery.linger=50ms"] + settings)
            try faults.map { "[[fault]]\n\($0)\n" }.joined().write(
                to: cluster.folder.appendingPathComponent("f.toml"), atomically: true,
                encoding: .utf8)
            let set = try cluster.hydrant(["faults", "set", "f.toml"] + cluster.finding)
            try #require(set.status == 0, "\(set.stderr)")
            let sent = try underLoad(cluster, seconds: seconds, "f") { try meanwhile(cluster) }
            #expect(sent.answered.count > 100 && Set(sent.other.keys) == others, "\(sent.other)")
            _ = try cluster.hydrant(["faults", "clear"] + cluster.finding)
            try expectAllThere(cluster, sent)
            return Passed(
                cluster: cluster, counters: try cluster.status().counters,
                rows: try cluster.count("select count(*) from events"),
                distinctRows: try cluster.count("select count(distinct id) from events"))
        }

        private func waitForTrouble(_ cluster: Cluster, _ state: String, _ words: String) throws {
            var last = ""
            let came = try eventually(within: 10) {
                let shard = try cluster.status().shards[0]
                last = "\(shard.deliveryState): \(shard.lastError)"
                return shard.deliveryState == state && shard.lastError.contains(words)
            }
            #expect(came, "\(last)")
        }

        @Test func `F1: while the service is unavailable rows wait, and it is asked rarely`() throws
        {
            let passed = try pass(["kind = \"status\""], seconds: 4) {
                try waitForTrouble($0, "backing_off", "ServiceUnavailableException")
                let spooled = try $0.status().ledger.spooled
                #expect(spooled > 0)
            }
            #expect(passed.duplicates == 0)
            #expect((2...40).contains(passed.counter("firehose_calls_failed")))
        }

        @Test func `F2: throttled calls are made again`() throws {
            let passed = try pass(["kind = \"throttle\""], settings: ["firehose.quota=1 MiB"]) {
                try waitForTrouble($0, "backing_off", "ThrottlingException")
            }
            #expect(passed.duplicates == 0)
            #expect((1...10).contains(passed.counter("firehose_calls_failed")))
        }

        @Test func `F2: a lane that knows its stream's quota is not throttled`() throws {
            let passed = try pass(
                ["kind = \"quota\"\nbytes_per_second = 393216"],
                settings: ["firehose.quota=384 KiB"])
            #expect(passed.counter("local_records_refused") == 0)
            #expect(passed.counter("firehose_calls_failed") == 0)
            #expect(passed.duplicates == 0)
        }

        @Test(arguments: [
            "which = \"first\"", "which = \"last\"", "which = \"all\"",
            "which = \"random\"\nshare = 0.5",
        ])
        func `F3: of a call that failed in part only the rest is sent again`(which: String) throws {
            let passed = try pass(
                ["kind = \"partial\"\n\(which)\nevery = 2\ncount = 12"],
                settings: ["firehose.max_rows_per_record=10"])
            #expect(passed.duplicates == 0)
            #expect(passed.counter("firehose_calls_failed") > 0)
            #expect(passed.counter("firehose_calls_ambiguous") == 0)
        }

        @Test func `F3: 500 records that all fail come all again, one row each`() throws {
            let passed = try pass(
                ["kind = \"partial\"\nwhich = \"all\"\ncount = 3"],
                settings: ["firehose.records=one-per-row", "delivery.linger=500ms"])
            #expect(passed.duplicates == 0)
            #expect(passed.counter("firehose_calls_failed") == 3)
            #expect(passed.counter("firehose_records") == passed.rows)
            // Each row is billed as 5,120 bytes.
            #expect(passed.counter("firehose_billed_bytes") == 5120 * passed.rows)
            let status = try passed.cluster.status()
            let overhead = try #require(status.billingOverheadPercent)
            let rowBytes = Double(passed.counter("firehose_row_bytes"))
            #expect(abs(overhead - (Double(5120 * passed.rows) / rowBytes - 1) * 100) < 0.01)
            let table = try passed.cluster.hydrant(["status"] + passed.cluster.finding).stdout
            #expect(table.contains("billing overhead "), "\(table)")
        }

        @Test(arguments: [
            "kind = \"wrong_count\"", "kind = \"results\"\ndifference = -1",
            "kind = \"results\"\ndifference = 1", "kind = \"not_json\"", "kind = \"html\"",
        ])
        func `F4: an answer that contradicts itself is no answer`(fault: String) throws {
            let passed = try pass([fault + "\ncount = 1"])
            #expect(passed.counter("firehose_calls_failed") == 1)
            #expect(passed.counter("firehose_calls_ambiguous") == 1)
            // The service had kept the rows all the same.
            #expect(passed.duplicates > 0 && passed.counter("local_records_untold") > 0)
        }

        @Test func `F5: silence and a trickle end a call, whose rows come again`() throws {
            let passed = try pass(
                [
                    "kind = \"hang\"\nstored = true\nstreams = \"hydrant-0\"\ncount = 1",
                    "kind = \"drip\"\nstreams = \"hydrant-1\"\ncount = 1",
                ], settings: ["workers=2"])
            #expect(passed.counter("firehose_calls_ambiguous") == 2)
            #expect(passed.duplicates > 0)
        }

        @Test func `F6: resets, closed connections and strange framing lose nothing`() throws {
            let kinds = [
                "kind = \"reset\"", "kind = \"reset\"\nat = \"request\"", "kind = \"close\"",
                "kind = \"chunked\"", "kind = \"large_headers\"",
            ]
            // A call that succeeds after each, or waiting would grow.
            let faults = kinds.map { $0 + "\nevery = 2\ncount = 2" }
            let passed = try pass(faults, seconds: 6) { cluster in
                let allCame = try eventually(within: 20) {
                    try cluster.status().counters["local_faults"] == 10
                }
                #expect(allCame)
            }
            #expect(passed.counter("local_faults") == 10)
        }

        @Test(arguments: [
            ("expired_token", "ExpiredTokenException"), ("access_denied", "AccessDeniedException"),
            ("unrecognized_client", "UnrecognizedClientException"),
        ])
        func `F9: refused credentials are told with a remedy, and tried again slowly`(
            kind: String, code: String
        ) throws {
            let passed = try pass(["kind = \"\(kind)\""]) {
                try waitForTrouble($0, "refused", code)
            }
            #expect(passed.duplicates == 0)
            #expect((1...3).contains(passed.counter("firehose_calls_failed")))
        }

        @Test(arguments: ["1h", "-1h", "10m", "-10m"])
        func `F10: a clock that is off is corrected by the answer, and rows go on`(
            offset: String
        ) throws {
            let passed = try pass(["kind = \"skew\"\noffset = \"\(offset)\""]) { cluster in
                let goesOn = try eventually(within: 5) {
                    try cluster.status().ledger.delivered > 100
                }
                #expect(goesOn)
            }
            #expect(passed.duplicates == 0)
            // Once when it came, once when it went.
            #expect(passed.counter("firehose_calls_failed") <= 2)
        }

        /// Three rows among thousands, and one that comes when the first are found.
        @Test(arguments: [false, true])
        func `F12: rows that are refused whenever they come go aside, and all others pass`(
            killsWorker: Bool
        ) throws {
            let poison: Set<String> = ["f-0-5", "f-3-40", "f-7-41", "late"]
            let cluster = try Cluster(settings: ["workers=1", "delivery.linger=50ms"])
            try poison.map {
                "[[fault]]\nkind = \"poison\"\ntext = '\"campaign\":\"\($0)\"'\n"
            }.joined().write(
                to: cluster.folder.appendingPathComponent("f.toml"), atomically: true,
                encoding: .utf8)
            let set = try cluster.hydrant(["faults", "set", "f.toml"] + cluster.finding)
            try #require(set.status == 0, "\(set.stderr)")
            let sent = try underLoad(cluster, seconds: 3, "f") {
                if killsWorker {
                    usleep(500_000)
                    kill(try cluster.status().pids(of: "worker")[0], SIGKILL)
                }
            }
            #expect(sent.answered.count > 400 && sent.other.isEmpty, "\(sent.other)")
            let late = try cluster.get("/p.gif?event=kill&campaign=late&uid=1")
            #expect(late.stdout.hasPrefix("HTTP/1.1 200"))
            // A row alone is only given up beside one that is taken.
            let fine = try cluster.get("/p.gif?event=kill&campaign=fine&uid=1")
            #expect(fine.stdout.hasPrefix("HTTP/1.1 200"))
            let areAside = try eventually(within: 20) {
                try cluster.status().ledger.bad == poison.count
            }
            #expect(areAside, "\(cluster.logText.suffix(2000))")
            try cluster.flush()

            let rows = try cluster.query("select campaign, id from events")
            let there = rows.compactMap { $0["campaign"] as? String }
            let answered = sent.answered.union(["late", "fine"])
            #expect(answered.isSuperset(of: poison))
            #expect(Set(there) == answered.subtracting(poison))
            let ids = Set(rows.compactMap { $0["id"] as? String })
            // What a death repeats is what was taken of a call that was being searched, at the most.
            #expect(killsWorker || ids.count == rows.count)
            let aside = try cluster.query(
                "select raw from bad_events where reason = 'refused_by_firehose'")
            let raw = aside.compactMap {
                ($0["raw"] as? String).flatMap { Data(base64Encoded: $0) }
            }
            #expect(raw.count == poison.count)
            for name in poison {
                let words = Data("\"campaign\":\"\(name)\"".utf8)
                #expect(raw.count { $0.range(of: words) != nil } == 1, "\(name)")
            }
            let ledger = try cluster.status().ledger
            #expect(ledger.closes && ledger.spooled == 0 && ledger.dropped == 0)
            #expect(ledger.accepted == ids.count + poison.count && ledger.bad == poison.count)
        }

        @Test
        func `F13: an outage longer than the spool is wide: 503 at its cap, and then all arrives`()
            throws
        {
            let passed = try pass(
                ["kind = \"status\""],
                settings: ["workers=2", "spool.max_bytes=1MiB", "spool.segment_bytes=1MiB"],
                seconds: 6, others: ["503"])
            #expect(passed.duplicates == 0)
            let fresh = try passed.cluster.get("/p.gif?event=fresh&uid=1")
            #expect(fresh.stdout.hasPrefix("HTTP/1.1 200"))
        }

        @Test func `F14: a service that flaps loses nothing`() throws {
            let passed = try pass(
                ["kind = \"status\"\non = \"500ms\"\noff = \"500ms\""], seconds: 5)
            #expect(passed.duplicates == 0)
            #expect(passed.counter("firehose_calls_failed") > 2)
        }
    }
}
