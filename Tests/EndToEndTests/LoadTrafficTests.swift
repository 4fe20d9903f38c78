import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What is sent: the same for the same seed, as many as asked for, and what a log says.
    @Suite struct LoadTrafficTests {
        private func sent(_ arguments: [String]) throws -> [PlantedServer.Request] {
            let bench = try LoadBench()
            let server = try PlantedServer(keepsRequests: true)
            _ = try bench.result([server.url] + arguments)
            _ = try server.stop()
            // The port is of the server, not of the traffic.
            return try server.requests()
        }

        private func comparable(_ requests: [PlantedServer.Request]) -> Set<String> {
            Set(requests.map { $0.headWithoutRun.replacing(#/127\.0\.0\.1:\d+/#, with: "") })
        }

        @Test func `the same seed sends the same requests, another one others`() throws {
            let options = [
                "--scenario", "adtech", "-R", "1000", "-n", "400", "-c", "8", "-t", "2",
            ]
            let first = try comparable(sent(options + ["--seed", "7", "--ledger", "a"]))
            let again = try comparable(sent(options + ["--seed", "7", "--ledger", "b"]))
            let other = try comparable(sent(options + ["--seed", "8", "--ledger", "c"]))
            #expect(first.count == 400 && first == again)
            #expect(other.count == 400 && other.intersection(first).count < 4)
        }

        @Test func `-n sends so many, whatever the model and the threads`() throws {
            let bench = try LoadBench()
            for model in [["--closed"], ["-R", "5k"]] {
                for (count, threads, connections) in [(1, 1, 1), (1, 4, 50), (777, 3, 10)] {
                    let server = try PlantedServer()
                    let result = try bench.result(
                        [server.url] + model
                            + ["-n", "\(count)", "-t", "\(threads)", "-c", "\(connections)"])
                    #expect(result["answered"] == count, "\(model) \(count) \(threads)")
                    #expect(try server.stop().requests == count)
                }
            }
        }

        @Test func `a dry run sends nothing, and prints what would be sent`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer()
            for extra in [[], ["--scenario", "adtech", "--ledger", "l"], ["--closed"]] {
                let output = try bench.load(
                    [server.url + "/p.gif", "-n", "100", "-c", "4", "--dry-run", "-o", "r.html"]
                        + extra)
                #expect(output.status == 0 && output.stderr.isEmpty, "\(output.stderr)")
                #expect(output.stdout.contains("nothing is sent"))
                for number in 0..<3 { #expect(output.stdout.contains("\nRequest \(number)\n")) }
                #expect(!output.stdout.contains("Request 3"))
                #expect(output.stdout.contains(#/\n  (GET|HEAD) \/p\.gif/#))
            }
            #expect(!bench.exists("l") && !bench.exists("r.html"))
            #expect(try server.stop().connections == 0)
        }

        @Test func `a built-in scenario is printed as a file that loads`() throws {
            let bench = try LoadBench()
            let listed = try bench.load(["scenarios"]).lines.map { $0.split(separator: " ")[0] }
            #expect(listed.contains("adtech") && listed.contains("beacons"))
            for name in listed {
                let text = try bench.load(["scenarios", "\(name)"])
                #expect(text.status == 0 && text.stdout.contains("rate = "))
                try bench.write(text.stdout, "mine.toml")
                let shared = [
                    "127.0.0.1:1", "--dry-run", "--seed", "3", "-n", "10", "--scenario",
                ]
                let mine = try bench.load(shared + ["mine.toml"])
                let builtIn = try bench.load(shared + ["\(name)"])
                #expect(mine.status == 0, "\(mine.stderr)")
                func requests(_ output: Output) -> Substring? {
                    output.stdout.firstRange(of: "Request 0").map {
                        output.stdout[$0.lowerBound...]
                    }
                }
                #expect(requests(mine) != nil && requests(mine) == requests(builtIn))
            }
        }

        // MARK: Replay

        /// Ten hits a second apart by tenths, of two visitors.
        private static let log =
            (0..<20).map { number in
                #"10.0.0.\#(number % 2 + 1) - - [23/Nov/2026:07:30:0\#(number / 10) +0000] "#
                    + #""GET /p.gif?event=load&uid=\#(number) HTTP/1.1" 200 43 "#
                    + #""https://news.example/" "Agent \#(number % 2)""#
            }.joined(separator: "\n") + "\n"

        @Test func `a log is replayed at a rate`() throws {
            let bench = try LoadBench()
            let path = try bench.write(Self.log, "access.log")
            let requests = try sent(["--replay", path, "-R", "100", "-n", "20", "-c", "2"])
            #expect(
                requests.map { "\($0.target)" }.sorted()
                    == (0..<20).map { "/p.gif?event=load&uid=\($0)" }.sorted())
            for request in requests {
                #expect(request.head.contains("\r\nReferer: https://news.example/\r\n"))
                #expect(request.head.contains(#/\r\nUser-Agent: Agent [01]\r\n/#))
            }
            // 100 a second: 0.2 s in all.
            let span = Double(requests.last!.at_ns - requests.first!.at_ns) / 1e9
            #expect(span > 0.15 && span < 2)
        }

        @Test func `a log is replayed at its own pace, or a multiple of it`() throws {
            let pace = 2.0
            let bench = try LoadBench()
            let path = try bench.write(Self.log, "access.log")
            let requests = try sent(
                ["--replay", path, "--pace", "\(pace)", "-n", "20", "-c", "2"])
            #expect(requests.count == 20)
            let span = Double(requests.last!.at_ns - requests.first!.at_ns) / 1e9
            // From the first to the last: more than a second of the log, less than two.
            #expect(span > 0.9 / pace && span < 2 / pace + 0.5, "\(span)")
        }
    }
}
