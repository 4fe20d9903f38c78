import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct LoadTLSTests {
        private let bench: LoadBench
        private let certificates: TestCertificates

        init() throws {
            bench = try LoadBench()
            certificates = try TestCertificates()
        }

        private let short = ["-R", "500", "-n", "200", "-c", "4"]

        @Test func `a trusted certificate, or any if so wanted`() throws {
            for trust in [
                ["--cacert", certificates.authority.certificate], ["--insecure"], ["-k"],
            ] {
                let server = try PlantedServer(
                    keepsRequests: true, tls: try certificates.server("s\(trust.count)\(trust[0])"))
                let result = try bench.result([server.url + "/p.gif?event=load"] + short + trust)
                #expect(result["answered"] == 200 && result.failures == 0)
                let truth = try server.stop()
                #expect(truth.requests == 200)
                #expect(try server.requests().allSatisfy { $0.target == "/p.gif?event=load" })
            }
        }

        @Test func `closed, pipelined, over new connections`() throws {
            let server = try PlantedServer(tls: try certificates.server())
            let result = try bench.result([
                server.url, "--closed", "-n", "600", "-c", "4", "--pipeline", "8",
                "--requests-per-connection", "20", "--insecure",
            ])
            #expect(result["answered"] == 600 && result.failures == 0)
            #expect(result["connectionsOpened"] >= 30)
            #expect(try server.stop().answered == ["200": 600])
        }

        @Test func `faults over TLS are counted as without`() throws {
            let server = try PlantedServer(
                ["--close-every", "10"], tls: try certificates.server())
            let result = try bench.result([server.url, "--insecure"] + short)
            let truth = try server.stop()
            #expect(truth.closed == 20)
            #expect(result["connectionBroken"] == 20 && result.statuses == truth.answered)
        }

        @Test func `whom nobody vouches for, who is late or is another, is refused`() throws {
            let authority = ["--cacert", certificates.authority.certificate]
            for (name, alternatives, days, trust, word) in [
                ("unknown", "IP:127.0.0.1", 30, [], "--cacert"),
                ("elsewhere", "DNS:elsewhere.example,IP:127.0.0.9", 30, authority, "certificate"),
                ("expired", "IP:127.0.0.1", -1, authority, "expired"),
            ] {
                let pair = try certificates.server(name, for: alternatives, days: days)
                let server = try PlantedServer(tls: pair)
                let output = try bench.load([server.url] + short + trust + ["-o", "r.json"])
                expectClearFailure(output, 76, "127.0.0.1:\(server.port)", "hint: ", word)
                #expect(output.stderr.split(separator: "\n").count == 2, "\(output.stderr)")
                #expect(try server.stop().requests == 0)
                #expect(!bench.exists("r.json"), "no empty result stays")
            }
        }

        @Test func `a port without TLS is told from one with`() throws {
            let script = """
                import http.server
                server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
                print(server.server_address[1], flush=True)
                server.serve_forever()
                """
            let plain = try SpawnedProcess("python3", ["-c", script], output: bench.path("port"))
            let isUp = eventually(within: 10) { bench.text("port").hasSuffix("\n") }
            try #require(isUp && plain.isRunning)
            let port = bench.text("port").trimmingCharacters(in: .whitespacesAndNewlines)
            let output = try bench.load(["https://127.0.0.1:\(port)/"] + short)
            expectClearFailure(output, 76, "hint: ", "http://")
            #expect(output.stderr.split(separator: "\n").count == 2, "\(output.stderr)")
        }

        @Test func `a file of authorities that is none is named`() throws {
            let file = try bench.write("no certificate", "authorities.pem")
            for path in [file, bench.path("missing.pem")] {
                let output = try bench.load(["https://127.0.0.1:1/", "--cacert", path])
                #expect([66, 76].contains(output.status), "\(output.stderr)")
                #expect(output.stdout.isEmpty && output.stderr.contains(path), "\(output.stderr)")
            }
        }
    }
}
