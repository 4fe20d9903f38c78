import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Servers that do what no server should: each run ends in time, and tells what it met.
    @Suite struct LoadRudeServerTests {
        private static let server = """
            import socket, struct, sys, threading
            mode = sys.argv[1]
            listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(256)
            print(listener.getsockname()[1], flush=True)
            OK = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
            ANSWERS = {
                "extra": OK + OK,
                "continue": b"HTTP/1.1 100 Continue\\r\\n\\r\\n" + OK,
                "half": b"HTTP/1.1 200 OK\\r\\nContent-Le",
                "until close": b"HTTP/1.0 200 OK\\r\\n\\r\\nbody",
                "bad chunk": b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n",
            }
            def serve(peer):
                try:
                    if mode == "reset":
                        peer.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if mode in ("close", "reset"): return
                    unread = b""
                    while True:
                        data = peer.recv(65536)
                        if not data: return
                        unread += data
                        while b"\\r\\n\\r\\n" in unread:
                            unread = unread.split(b"\\r\\n\\r\\n", 1)[1]
                            if mode == "bytewise":
                                for byte in OK: peer.sendall(bytes([byte]))
                            else: peer.sendall(ANSWERS[mode])
                            if mode == "until close": return
                except OSError: pass
                finally: peer.close()
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
            """

        private func met(_ mode: String, _ model: [String]) throws -> LoadResult {
            let bench = try LoadBench()
            let server = try SpawnedProcess(
                "python3", ["-c", Self.server, mode], output: bench.path("port"))
            let isUp = eventually(within: 10) { bench.text("port").hasSuffix("\n") }
            try #require(isUp && server.isRunning)
            let port = bench.text("port").trimmingCharacters(in: .whitespacesAndNewlines)
            let result = try bench.result(
                ["http://127.0.0.1:\(port)/", "-c", "4", "--timeout", "200ms", "-z", "400ms"]
                    + model)
            #expect(result["due"] == result["sent"] + result["dropped"])
            #expect(result["sent"] == result["answered"] + result.failures)
            #expect(result["due"] > 0)
            return result
        }

        private static let models = [["--closed"], ["-R", "200"]]

        @Test(arguments: ["close", "reset"], models)
        func `who closes at once is not stormed`(mode: String, model: [String]) throws {
            let result = try met(mode, model)
            #expect(result["answered"] == 0)
            // Attempts come after 20, 40, 80 … ms.
            #expect(result["connectionsOpened"] <= 4 * 8)
        }

        @Test func `more than was asked for is told`() throws {
            let result = try met("extra", ["--closed"])
            #expect(result["answered"] == result["sent"])
            #expect(result.warnings.contains { $0.contains("more than was asked for") })
        }

        @Test(arguments: ["continue", "until close", "bytewise"])
        func `odd answers are answers`(mode: String) throws {
            let result = try met(mode, ["--closed"])
            #expect(result.statuses == ["200": result["sent"]] && result.failures == 0)
            #expect(result["sent"] > 4)
        }

        @Test func `half a head is no answer, nor is a chunk without a size`() throws {
            let half = try met("half", ["-R", "200"])
            #expect(half["timedOut"] == half["sent"] && half["answered"] == 0)
            let chunk = try met("bad chunk", ["-R", "200"])
            #expect(chunk["answerMalformed"] == chunk["sent"] && chunk["answered"] == 0)
        }
    }
}
