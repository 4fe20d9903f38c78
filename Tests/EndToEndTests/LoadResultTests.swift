import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What is made of runs: the highest rate that holds, and sums.
    @Suite struct LoadResultTests {
        @Test func `the highest rate of a server is found`() throws {
            let bench = try LoadBench()
            // Four connections, 20 ms each: 200 a second, whatever the machine. Above that the
            // median grows with the backlog; a hiccup of the machine does not touch it.
            let server = try PlantedServer(["--delay-ms", "20"])
            let output = try bench.load(
                [
                    server.url, "--find-max", "p50<80ms,errors=0", "-R", "80", "-z", "1s", "-c",
                    "4",
                    "-o", "r.json",
                ], timeoutSeconds: 120)
            #expect(output.status == 0, "\(output.stderr)")
            let search = try LoadResult(try bench.bytes("r.json")).part("search")
            let rate = try #require(search["rate"] as? Double)
            #expect(rate >= 120 && rate <= 270, "\(rate)")
            let trials = try #require(search["trials"] as? [[String: Any]])
            #expect(trials.filter { $0["isRepeat"] as? Bool == true }.count >= 3)
            #expect(trials.contains { $0["isHeld"] as? Bool == false })
            #expect(trials.first?["rate"] as? Double == 80)
            #expect(output.stderr.contains("trial  80/s  held"), "\(output.stderr)")
            let (lowest, highest) = (search["lowest"] as? Double, search["highest"] as? Double)
            #expect(lowest ?? 0 > 80 && lowest ?? 0 <= highest ?? 0 && highest ?? 999 < 210)
        }

        @Test func `a condition that no rate holds is said, and 99`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--status-every", "1", "500"])
            let output = try bench.load(
                [
                    server.url, "--find-max", "errors=0", "-R", "20", "-z", "300ms", "-c", "2",
                    "-o", "r.json",
                ])
            #expect(output.status == 99, "\(output.stderr)")
            #expect(output.stdout.contains("errors=0"), "\(output.stdout)")
            let search = try LoadResult(try bench.bytes("r.json")).part("search")
            #expect(search["rate"] == nil || search["rate"] is NSNull)
            let trials = try #require(search["trials"] as? [[String: Any]])
            #expect(!trials.isEmpty && trials.allSatisfy { $0["isHeld"] as? Bool == false })
        }

        @Test func `expectations decide the exit code`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--status-every", "10", "404"])
            func status(_ expectations: String...) throws -> Output {
                try bench.load(
                    [server.url, "-n", "100", "-R", "1000", "-c", "2", "--quiet"]
                        + expectations.flatMap { ["--expect", $0] })
            }
            #expect(try status("errors<=10", "p99<60s").status == 0)
            let missed = try status("p99<60s", "errors=0")
            #expect(missed.status == 99 && missed.stdout.contains("errors=0"), "\(missed.stdout)")
            #expect(try status("p50<1us").status == 99)
        }

        @Test func `results are merged, reported again and compared`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--status-every", "3", "503"])
            for (name, count) in [("a", "300"), ("b", "150")] {
                let output = try bench.load([
                    server.url, "-n", count, "-R", "500", "-c", "3", "--quiet", "-o",
                    "\(name).json", "-o", "\(name).csv", "-o", "\(name).hgrm", "-o", "\(name).txt",
                ])
                #expect(output.status == 0)
                #expect(bench.text("\(name).txt") != "" && bench.text("\(name).csv") != "")
                #expect(bench.text("\(name).hgrm").contains("#[Mean"))
            }
            let merged = try bench.load(["merge", "a.json", "b.json", "-o", "all.json"])
            #expect(merged.status == 0, "\(merged.stderr)")
            let all = try LoadResult(try bench.bytes("all.json"))
            #expect(all["sent"] == 450 && all["answered"] == 450)
            #expect(all.statuses == ["200": 300, "503": 150])
            #expect(all.statuses == (try server.stop()).answered)
            #expect(all.json["mergedFrom"] as? Int == 2)
            // "gap count gap count …"
            let cells = try #require(all.json["response"] as? String).split(separator: " ")
            let counts = zip(0..., cells).compactMap { $0 % 2 == 1 ? Int($1) : nil }
            #expect(counts.reduce(0, +) == 450)
            #expect(merged.stdout.contains("merged from 2 results"), "\(merged.stdout)")

            let again = try bench.load(["report", "a.json"])
            #expect(again.status == 0 && again.stdout.hasPrefix("Load test of "))
            let compared = try bench.load(["report", "a.json", "b.json", "-o", "ab.html"])
            #expect(compared.status == 0 && bench.exists("ab.html"), "\(compared.stderr)")
            #expect(
                try bench.load(["report", "a.json", "--expect", "errors=0", "--quiet"]).status
                    == 99)
        }
    }
}
