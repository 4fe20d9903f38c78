import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a server does wrong, counted by it and by the load generator alike.
    @Suite struct LoadFaultTests {
        private func planted(
            _ options: [String], _ load: [String], keepsRequests: Bool = false,
            path: String = "/p.gif?event=load"
        ) throws -> (LoadResult, PlantedServer.Truth, PlantedServer) {
            let bench = try LoadBench()
            let server = try PlantedServer(options, keepsRequests: keepsRequests)
            let result = try bench.result([server.url + path] + load)
            let truth = try server.stop()
            #expect(result["sent"] == truth.requests)
            #expect(result.statuses == truth.answered)
            #expect(result["sent"] == result["answered"] + result.failures)
            #expect(result["due"] == result["sent"] + result["dropped"])
            return (result, truth, server)
        }

        /// Open and closed, each with a limit by requests.
        private static let models = [["-R", "3000", "-n", "600"], ["--closed", "-n", "600"]]

        @Test(arguments: models)
        func `connections that close on a request`(model: [String]) throws {
            let (result, truth, _) = try planted(["--close-every", "7"], model + ["-c", "6"])
            #expect(truth.closed == 600 / 7)
            #expect(result["connectionBroken"] == truth.closed && result.failures == truth.closed)
            #expect(result["connectionsOpened"] + 1 == truth.connections, "one was the probe's")
        }

        @Test(arguments: models)
        func `answers that are no HTTP`(model: [String]) throws {
            let (result, truth, _) = try planted(["--garbage-every", "9"], model + ["-c", "6"])
            #expect(truth.garbage == 600 / 9)
            #expect(result["answerMalformed"] == truth.garbage)
            #expect(result.failures == truth.garbage)
        }

        @Test func `answers that never come`() throws {
            let (result, truth, _) = try planted(
                ["--silent-every", "50"],
                ["-R", "500", "-n", "500", "-c", "20", "--timeout", "500ms"])
            #expect(truth.silent == 10)
            #expect(result["timedOut"] == truth.silent && result.failures == truth.silent)
        }

        @Test(arguments: ["503", "400", "404", "204"])
        func `statuses`(status: String) throws {
            let (result, _, _) = try planted(
                ["--status-every", "4", status], ["-R", "2000", "-n", "400", "-c", "6"])
            #expect(result.statuses == ["200": 300, status: 100])
            #expect(result.failures == 0)
            #expect(Int(result.figure("refused")) == (status == "503" ? 100 : 0))
            #expect(Int(result.figure("bad")) == (status == "400" ? 100 : 0), "no error")
            #expect(
                Int(result.figure("errors")) == (["503", "404"].contains(status) ? 100 : 0))
        }

        @Test func `chunked bodies, and pipelines of them`() throws {
            let (result, truth, _) = try planted(
                ["--chunked"], ["--closed", "-n", "800", "-c", "4", "--pipeline", "16"])
            #expect(result["answered"] == 800 && result.failures == 0)
            #expect(truth.pipelined_max > 1 && truth.pipelined_max <= 16)
        }

        @Test func `an open pipeline never holds more than it may`() throws {
            let (result, truth, _) = try planted(
                ["--delay-ms", "20"], ["-R", "1500", "-n", "400", "-c", "5", "--pipeline", "4"])
            #expect(result["answered"] == 400)
            #expect(truth.pipelined_max <= 4 && truth.open_connections_max <= 6)
        }

        @Test func `a pipeline that the server breaks loses what was behind`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--close-every", "40"])
            let result = try bench.result(
                [server.url, "--closed", "-n", "2000", "-c", "4", "--pipeline", "64"])
            let truth = try server.stop()
            #expect(result["sent"] == 2000)
            #expect(result.statuses == truth.answered)
            #expect(result["connectionBroken"] == 2000 - result["answered"])
            #expect(result["connectionBroken"] >= truth.closed)
        }

        @Test(arguments: models)
        func `an answer that says it is the connection's last`(model: [String]) throws {
            let (result, truth, _) = try planted(["--goodbye-every", "10"], model + ["-c", "4"])
            #expect(truth.goodbyes == 60)
            #expect(result["answered"] == 600 && result.failures == 0)
            #expect(truth.connections >= 1 + 60)
        }

        @Test func `a connection ends after its share`() throws {
            let (result, truth, server) = try planted(
                [],
                ["-R", "1000", "-n", "300", "-c", "3", "--requests-per-connection", "5"],
                keepsRequests: true)
            #expect(result["answered"] == 300 && result.failures == 0)
            let shares = Dictionary(grouping: try server.requests(), by: \.connection)
            #expect(shares.values.allSatisfy { $0.count <= 5 })
            #expect(shares.values.filter { $0.count == 5 }.count >= 57)
            // The server may take each connection's successor before it sees the end of the one before.
            #expect(truth.open_connections_max <= 2 * 3)
        }

        @Test func `HEAD, and a body of its own`() throws {
            var (result, _, server) = try planted(
                [], ["-m", "HEAD", "-R", "1000", "-n", "100", "-c", "2"], keepsRequests: true)
            #expect(result["answered"] == 100)
            #expect(try server.requests().allSatisfy { $0.head.hasPrefix("HEAD /p.gif?") })
            (result, _, server) = try planted(
                [], ["-d", "a=1&b=2", "-H", "X-Test: yes", "-n", "50", "-c", "2"],
                keepsRequests: true)
            for request in try server.requests() {
                #expect(request.head.hasPrefix("POST /p.gif?event=load HTTP/1.1\r\n"))
                #expect(request.head.contains("\r\nContent-Length: 7\r\n"))
                #expect(request.head.contains("\r\nX-Test: yes\r\n"))
                #expect(request.body == "a=1&b=2")
            }
        }

        @Test func `batches, clicks and pixels, each well formed, each number once`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer(["--redirects"], keepsRequests: true)
            let result = try bench.result([
                server.url, "--scenario", "beacons", "-R", "1000", "-n", "1000", "-c", "8",
                "--workers", "2", "-t", "2", "--ledger", "l.ledger",
            ])
            let truth = try server.stop()
            let requests = try server.requests()
            #expect(result["sent"] == 1000 && truth.requests == 1000)
            #expect(result.statuses == truth.answered)
            #expect(truth.answered["302", default: 0] > 20, "clicks")
            #expect(requests.compactMap(\.sequence).sorted() == Array(0..<1000))
            #expect(truth.bodies > 150)
            for request in requests { try expectWellFormed(request) }
        }

        private func expectWellFormed(_ request: PlantedServer.Request) throws {
            let lines = request.head.split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.suffix(2) == ["", ""])
            let first = lines[0].split(separator: " ")
            #expect(first.count == 3 && first[2] == "HTTP/1.1", "\(lines[0])")
            // The label comes first: what a server cuts off does not hold it.
            #expect(first[1].contains(#/^[^?]+\?_hl=/#), "\(lines[0])")
            #expect(first[1].utf8.allSatisfy { (0x21...0x7E).contains($0) })
            var names: [String] = []
            for line in lines[1...].dropLast(2) {
                let found = try #require(line.wholeMatch(of: #/([A-Za-z-]+): (.*)/#), "\(line)")
                names.append(found.1.lowercased())
                if names.last == "content-length" {
                    #expect(Int(found.2) == request.body.unicodeScalars.count)
                }
            }
            #expect(names.filter { $0 == "host" }.count == 1)
            #expect(Set(names).count == names.count, "no field twice: \(names)")
            #expect((first[0] == "POST") == names.contains("content-length"))
            if !request.body.isEmpty {
                _ = try JSONSerialization.jsonObject(
                    with: Data(request.body.unicodeScalars.map { UInt8($0.value) }))
            }
        }
    }
}
