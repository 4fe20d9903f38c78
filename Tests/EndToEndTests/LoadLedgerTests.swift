import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What was promised is there: ledgers against real clusters, and against a server that lies.
    @Suite struct LoadLedgerTests {
        private static let sent = 4000

        private func findings(_ output: Output) throws -> [String: Int] {
            let parsed = try JSONSerialization.jsonObject(with: Data(output.stdout.utf8))
            return (parsed as? [String: Any] ?? [:]).compactMapValues { $0 as? Int }
        }

        private func expectClosed(_ found: [String: Int], sent: Int) {
            func sum(_ names: String...) -> Int { names.reduce(0) { $0 + (found[$1] ?? -1) } }
            #expect(found["sent"] == sent)
            #expect(
                sum("acked", "ackedBad", "refused", "otherAnswers", "unanswered") == sent,
                "\(found)")
            #expect(
                sum("acked", "ackedBad") == sum("delivered", "spooled", "bad", "lost"), "\(found)")
        }

        @Test func `a cluster loses nothing, wherever its rows are by then`() throws {
            let cluster = try Cluster(settings: ["workers=2"])
            let bench = try LoadBench()
            // Bad hits and macros are in it.
            let options = [
                "http://127.0.0.1:\(cluster.port)", "--scenario", "adtech", "-R", "2000", "-n",
                "\(Self.sent)", "-c", "16", "--workers", "2", "-t", "2", "--quiet",
            ]
            let run = try bench.load(
                options + [
                    "--ledger", "a.ledger", "--against", cluster.data.path,
                    "--expect", "lost=0", "--expect", "duplicated=0", "--expect", "errors=0",
                    "-o", "a.json",
                ])
            #expect(run.status == 0, "\(run.stderr)\(run.stdout)")
            #expect(run.stdout.contains("lost"), "\(run.stdout)")
            let result = try LoadResult(try bench.bytes("a.json"))
            let atEnd = result.ledger.compactMapValues { $0 as? Int }
            expectClosed(atEnd, sent: Self.sent)
            #expect(atEnd["lost"] == 0 && atEnd["acked"] == result.statuses["200"])
            #expect(atEnd["ackedBad"] == result.statuses["400"])
            #expect((atEnd["ackedBad"] ?? 0) > 5, "or there were no bad hits")
            #expect(result.json["server"] is [Any], "the cluster's counters are beside")

            // A second generator, or rather two at once, each with its ledger.
            let others = ["b", "c"].map { name in
                options + ["--ledger", "\(name).ledger", "--seed", "\(name.utf8.first!)"]
            }
            let started = try others.map { try bench.start($0) }
            for process in started {
                #expect(process.waitUntilExit(withinSeconds: 30))
                #expect(process.exitStatus == 0, "\(bench.text("err"))")
            }
            try cluster.flush()
            let bad = try cluster.count("select count(*) from bad_events")
            let status = try cluster.status().ledger
            #expect(status.accepted == 3 * Self.sent && status.closes)

            let all = ["a", "b", "c"].flatMap { ["--ledger", "\($0).ledger"] }
            var seen: [[String: Int]] = []
            for place in ["", "/s3", "/warehouse.db"] {
                let output = try bench.load(
                    ["report", "--json", "--quiet"] + all + [
                        "--against", cluster.data.path + place,
                    ])
                #expect(output.status == 0, "\(place): \(output.stderr)")
                let found = try findings(output)
                expectClosed(found, sent: 3 * Self.sent)
                #expect(found["lost"] == 0 && found["spooled"] == 0, "\(place): \(found)")
                #expect(found["bad"] == bad && bad > 15, "\(place): \(found)")
                #expect(found["resent"] == 0 && found["retried"] == 0 && found["foreign"] == 0)
                #expect(found["unrecorded"] == 0)
                // How many rows were read depends on where.
                seen.append(found.filter { $0.key != "rowsRead" })
            }
            #expect(seen[0] == seen[1] && seen[1] == seen[2])

            // One ledger alone: the rows of the others are none of its.
            let alone = try findings(
                bench.load(
                    ["report", "--json", "--quiet", "--ledger", "b.ledger", "--against"]
                        + [cluster.data.path + "/s3"]))
            expectClosed(alone, sent: Self.sent)
            #expect(alone["lost"] == 0 && alone["foreign"] == 2 * Self.sent)
            // The same one twice is a mistake, or it is one.
            let twice = try bench.load(
                ["report", "--json", "--quiet", "--ledger", "b.ledger", "--ledger", "b.ledger"]
                    + ["--against", cluster.data.path + "/s3"])
            if twice.status == 0 { #expect(try findings(twice)["sent"] == Self.sent) }
        }

        @Test func `a server that answers and stores nothing is found out`() throws {
            let bench = try LoadBench()
            try FileManager.default.createDirectory(
                at: bench.folder.appendingPathComponent("rows"), withIntermediateDirectories: true)
            let server = try PlantedServer(["--status-every", "5", "503"])
            let run = try bench.load([
                server.url + "/p.gif?event=load", "-R", "1000", "-n", "500", "-c", "4", "--quiet",
                "--ledger", "l.ledger", "--against", "rows", "--expect", "lost=0", "-o", "r.json",
            ])
            #expect(run.status == 99, "\(run.stderr)")
            let found = try LoadResult(try bench.bytes("r.json")).ledger
            #expect(found["lost"] as? Int == 400 && found["acked"] as? Int == 400)
            #expect(found["refused"] as? Int == 100, "what is refused was never promised")
            let report = ["report", "--quiet", "--ledger", "l.ledger", "--against", "rows"]
            let plain = try bench.load(report + ["--lost-to", "lost.txt"])
            #expect(plain.status == 1, "\(plain.stderr)")
            #expect(plain.stdout.contains(#/ lost +400 /#), "\(plain.stdout)")
            #expect(bench.text("lost.txt").split(separator: "\n").count >= 400)
            #expect(try bench.load(report + ["--expect", "lost=0"]).status == 99)
            #expect(try bench.load(report + ["--expect", "lost<=400"]).status == 0)
        }

        @Test func `what was never answered is no promise`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--close-every", "10"])
            _ = try bench.load([
                server.url, "-R", "1000", "-n", "300", "-c", "4", "--quiet", "--ledger", "l",
            ])
            let truth = try server.stop()
            let output = try bench.load(
                ["report", "--json", "--quiet", "--ledger", "l", "--against", "."])
            let found = try findings(output)
            expectClosed(found, sent: 300)
            #expect(found["unanswered"] == truth.closed && found["lost"] == 300 - truth.closed)
        }
    }
}
