import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A server stalls for a second. Whoever waits for answers before sending again hardly notices;
    /// visitors do.
    @Suite struct LoadStallTests {
        private static let rate = 400
        private static let seconds = 5

        /// The 99th percentile, in ms, of how long each request had to wait at least: those due
        /// during the stall until its end, the others not at all.
        private func truth(_ stall: PlantedServer.Truth.Stall, first: UInt64) -> Double {
            let waits = (0..<Self.rate * Self.seconds).map { number in
                let due = first + UInt64(number) * 1_000_000_000 / UInt64(Self.rate)
                return (stall.begin_ns...stall.end_ns).contains(due) ? stall.end_ns - due : 0
            }.sorted()
            let rank = Int((Double(waits.count) * 0.99).rounded(.up)) - 1
            return Double(waits[rank]) / 1e6
        }

        @Test func `a stall of a second is in p99 as it was, and in what was late`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--stall-at", "2", "--stall-for", "1"])
            // Fewer connections than 1 % of the requests: what waits within the server is beyond
            // the 99th percentile, what waits for a connection is not.
            let output = try bench.load([
                server.url + "/p.gif", "-R", "\(Self.rate)", "-z", "\(Self.seconds)s", "-c", "8",
                "-o", "open.json",
            ])
            #expect(output.status == 0, "\(output.stderr)")
            let result = try LoadResult(try bench.bytes("open.json"))
            let served = try server.stop()
            let stall = try #require(served.stalls.first)
            let expected = truth(stall, first: try #require(served.first_request_ns))
            let measured = result.milliseconds("response", "p99")
            #expect(expected > 900)
            #expect(abs(measured - expected) <= 0.05 * expected, "\(measured) for \(expected)")
            #expect(result["due"] == Self.rate * Self.seconds && result["dropped"] == 0)
            #expect(result["answered"] == Self.rate * Self.seconds)
            // Due in the stall, but for the eight that were in flight; and it takes a moment after
            // it until all of them have left.
            let dueInStall = Double(stall.end_ns - stall.begin_ns) / 1e9 * Double(Self.rate)
            #expect(Double(result["late"]) >= dueInStall - 8 - 8, "\(result["late"])")
            // A busy machine makes some others late, not nearly all.
            #expect(result["late"] < Self.rate * Self.seconds * 3 / 4, "\(result["late"])")
            // What the answers alone took: the same server, as a naive tool sees it.
            #expect(result.milliseconds("service", "p99") < expected / 4)
            #expect(result.milliseconds("service", "max") > 0.9 * expected)
            #expect(output.stdout.contains(#/Late: +\d+ +sent more than 1 ms after/#))
            // The first request is at the start: as many of the run's seconds say so too.
            let seconds = try #require(result.json["seconds"] as? [[String: Any]])
            let lates = seconds.map { ($0["counters"] as? [String: Int])?["late"] ?? 0 }
            #expect(lates.reduce(0, +) == result["late"], "\(lates)")
            #expect(lates.suffix(4).max() == lates.max(), "not in the first: \(lates)")
        }

        @Test func `the closed model beside it shows the naive figure`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(
                ["--stall-at", "1", "--stall-for", "1", "--delay-ms", "5"])
            let result = try bench.result([server.url, "--closed", "-c", "8", "-z", "3s"])
            #expect(try server.stop().stalls.count == 1)
            #expect(result["answered"] > 800, "or eight would be 1 % of them")
            #expect(result.milliseconds("response", "p99") < 250)
            #expect(result.milliseconds("response", "max") > 900)
            #expect(result["late"] == 0)
        }

        @Test func `what the backlog has no room for is dropped, and said`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--stall-at", "0.5", "--stall-for", "1"])
            let output = try bench.load([
                server.url, "-R", "500", "-z", "2s", "-c", "5", "--backlog", "100", "-o", "r.json",
            ])
            let stall = try #require(try server.stop().stalls.first)
            let result = try LoadResult(try bench.bytes("r.json"))
            let due = Double(stall.end_ns - stall.begin_ns) / 1e9 * 500
            #expect(abs(Double(result["dropped"]) - (due - 105)) < 30, "\(result["dropped"])")
            #expect(result["due"] == 1000)
            #expect(result["sent"] + result["dropped"] == result["due"])
            #expect(output.stdout.contains(#/Dropped: +\d+ +due, but never sent/#))
            #expect(result.warnings.contains { $0.contains("due and never sent") })
        }

        /// More than any generator sends: what it never got to is dropped, not forgotten.
        @Test func `a rate beyond the generator's own is told, to the last request`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer()
            let result = try bench.result([server.url, "-R", "5M", "-z", "200ms", "-c", "2"])
            #expect(result["due"] == 1_000_000)
            #expect(result["sent"] + result["dropped"] == result["due"])
            #expect(result["sent"] == result["answered"])
            #expect(try server.stop().requests == result["sent"])
            #expect(result.warnings.contains { $0.contains("never sent") })
        }
    }
}
