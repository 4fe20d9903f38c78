import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The judge of the load generator, judged: what it plants, others see, and it knows.
    @Suite struct PlantedServerTests {
        /// One connection of curl's that asks for the same page so many times.
        private func ask(
            _ server: PlantedServer, times: Int, path: String = "/p.gif", _ options: [String] = []
        ) throws -> Output {
            try run(
                "curl",
                [
                    "-s", "--max-time", "5", "-o", "/dev/null", "-w",
                    "%{http_code} %{size_download}\n",
                ]
                    + options + ["\(server.url)\(path)?n=[1-\(times)]"])
        }

        @Test func `it answers on one connection, and remembers what it was asked`() throws {
            let server = try PlantedServer(keepsRequests: true)
            #expect(try ask(server, times: 3).lines == ["200 43", "200 43", "200 43"])
            _ = try run("curl", ["-s", "-d", "one\r\n\r\ntwo", "\(server.url)/c"])
            let truth = try server.stop()
            #expect(truth.requests == 4 && truth.answered == ["200": 4] && truth.unanswered == 0)
            #expect(truth.connections == 2 && truth.bodies == 1)
            let requests = try server.requests()
            #expect(requests.map(\.connection) == [1, 1, 1, 2])
            #expect(requests[2].head.hasPrefix("GET /p.gif?n=3 HTTP/1.1\r\n"))
            #expect(requests[3].body == "one\r\n\r\ntwo")
        }

        @Test func `pipelined requests are answered in order, delayed or not`() throws {
            for options in [[], ["--delay-ms", "20"], ["--chunked"]] {
                let server = try PlantedServer(options + ["--status-every", "2", "404"])
                let script = """
                    import http.client, socket, sys
                    peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
                    request = b"POST /p HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4\\r\\n\\r\\n\\r\\n\\r\\n"
                    everything = request * 6
                    cut = len(everything) - 2
                    peer.sendall(everything[:cut])
                    peer.sendall(everything[cut:])
                    stream = peer.makefile("rb")
                    class Once:
                        def makefile(self, *_): return stream
                    stream.close = lambda: None
                    for _ in range(6):
                        answer = http.client.HTTPResponse(Once(), method="POST")
                        answer.begin()
                        print(answer.status, len(answer.read()))
                    """
                let seen = try run("python3", ["-c", script, "\(server.port)"])
                #expect(
                    seen.lines == ["200 43", "404 43", "200 43", "404 43", "200 43", "404 43"],
                    "\(options): \(seen.stderr)")
                let truth = try server.stop()
                #expect(truth.answered == ["200": 3, "404": 3] && truth.body_bytes == 24)
                #expect(truth.connections == 1 && truth.pipelined_max >= 5)
            }
        }

        @Test func `each planted fault is seen, and counted as what it is`() throws {
            let server = try PlantedServer(["--close-every", "3", "--goodbye-every", "4"])
            // curl asks again, once, when a used connection closes on it; a fresh one it believes.
            _ = try ask(server, times: 3, ["-H", "Connection: close"])
            var truth = try server.stop()
            #expect(truth.requests == 3 && truth.closed == 1 && truth.answered == ["200": 2])

            let garbled = try PlantedServer(["--garbage-every", "2"])
            #expect(try ask(garbled, times: 2).lines.first == "200 43")
            truth = try garbled.stop()
            #expect(truth.garbage == 1 && truth.answered == ["200": 1])

            let silent = try PlantedServer(["--silent-every", "2"])
            #expect(try ask(silent, times: 2, ["--max-time", "1"]).lines == ["200 43", "000 0"])
            truth = try silent.stop()
            #expect(truth.silent == 1 && truth.answered == ["200": 1] && truth.unanswered == 0)

            let polite = try PlantedServer(["--goodbye-every", "2"])
            #expect(try ask(polite, times: 4).lines.count == 4)
            truth = try polite.stop()
            #expect(truth.goodbyes == 2 && truth.connections == 2 && truth.requests == 4)
        }

        @Test func `a click is sent on`() throws {
            let server = try PlantedServer(["--redirects"])
            let answer = try run("curl", ["-si", "\(server.url)/c?url=/there"])
            #expect(answer.stdout.hasPrefix("HTTP/1.1 302 Found\r\nLocation: /there\r\n"))
            #expect(try server.stop().answered == ["302": 1])
        }

        @Test func `a stall is as long as it says, and everybody waits for its end`() throws {
            let server = try PlantedServer(["--stall-at", "0.2", "--stall-for", "0.5"])
            _ = try ask(server, times: 1)
            usleep(300_000)
            let answer = try run(
                "curl", ["-s", "-o", "/dev/null", "-w", "%{time_total}", "\(server.url)/"])
            let truth = try server.stop()
            let stall = try #require(truth.stalls.first)
            let seconds = Double(stall.end_ns - stall.begin_ns) / 1e9
            #expect(truth.stalls.count == 1 && seconds >= 0.5)
            let begun = Double(stall.begin_ns - truth.first_request_ns!) / 1e9
            #expect(begun >= 0.19)
            // Asked within the stall, answered after it.
            #expect(Double(answer.stdout) ?? 0 > 0.1)
            #expect(truth.last_request_ns! >= stall.end_ns)
        }

        @Test func `over TLS it is the same server`() throws {
            let certificates = try TestCertificates()
            let server = try PlantedServer(tls: certificates.server())
            let trusted = try ask(
                server, times: 2, ["--cacert", certificates.authority.certificate])
            #expect(trusted.lines == ["200 43", "200 43"])
            #expect(try ask(server, times: 1).status == 60, "curl knows no such authority")
            #expect(try server.stop().answered == ["200": 2])
        }
    }
}
