import Foundation
import TestSupport
import Testing

extension SideBySide {
    /// What cannot be done is told before anything is sent: one line, its remedy, and an exit code
    /// that tells scripts which.
    @Suite struct LoadBadInputTests {
        private let bench: LoadBench

        init() throws { bench = try LoadBench() }

        /// A URL where nothing listens.
        private var nowhere: String { "http://127.0.0.1:\(freePort())/" }

        // MARK: The server

        @Test func `a refused connection is 69`() throws {
            let port = freePort()
            let output = try bench.load(["127.0.0.1:\(port)", "-o", "r.json", "--ledger", "l"])
            expectClearFailure(output, 69, "127.0.0.1:\(port)", "refused", "hint: ")
            #expect(!bench.exists("r.json") && !bench.exists("l"), "nothing is left behind")
            expectClearFailure(
                try bench.load(["http://[::1]:\(port)/"]), 69, "[::1]:\(port)")
        }

        @Test func `a name without an address is 68`() throws {
            expectClearFailure(
                try bench.load(["http://no-such-host.invalid/"]), 68, "no-such-host.invalid",
                "hint: ")
        }

        /// One socket's queue is full: it answers no SYN, as behind a firewall that drops them. The
        /// other's connections are made by the kernel, and nothing of TLS ever comes.
        @Test func `a silent host is 75, a handshake that is never answered 76`() throws {
            let script = """
                import socket, time
                full = socket.socket(); full.bind(("127.0.0.1", 0)); full.listen(0)
                held = []
                for _ in range(8):
                    peer = socket.socket(); peer.setblocking(False)
                    peer.connect_ex(full.getsockname()); held.append(peer)
                mute = socket.socket(); mute.bind(("127.0.0.1", 0)); mute.listen(8)
                time.sleep(0.2)
                print(full.getsockname()[1], mute.getsockname()[1], flush=True)
                time.sleep(60)
                """
            let server = try SpawnedProcess("python3", ["-c", script], output: bench.path("ports"))
            let isUp = eventually(within: 10) { bench.text("ports").hasSuffix("\n") }
            try #require(isUp && server.isRunning)
            let ports = bench.text("ports").split { $0.isWhitespace }
            // Both at once: each takes the five seconds.
            let full = try bench.start(["http://127.0.0.1:\(ports[0])/"])
            let mute = try LoadBench()
            expectClearFailure(
                try mute.load(["https://127.0.0.1:\(ports[1])/", "-k"]), 76,
                "127.0.0.1:\(ports[1])",
                "5 s", "http://")
            try #require(full.waitUntilExit(withinSeconds: 15))
            expectClearFailure(
                Output(
                    status: full.exitStatus!, stdout: bench.text("out"), stderr: bench.text("err")),
                75, "127.0.0.1:\(ports[0])", "5 s", "hint: ")
        }

        // MARK: Texts

        @Test func `texts that are none of what they should be are 64`() throws {
            let url = nowhere
            for (arguments, word) in [
                ([""], "empty"),
                (["http://127.0.0.1:1/a b"], "%20"),
                (["http://127.0.0.1/\u{1B}[31m"], "control character"),
                (["http://127.0.0.1/a\nb"], "control character"),
                (["ftp://127.0.0.1/"], "neither http nor https"),
                (["htps://127.0.0.1/"], "did you mean https"),
                (["http://127.0.0.1:99999/"], "65535"),
                (["http://::1/"], "[::1]"),
                (["http://user:word@127.0.0.1/"], "-H"),
                ([url, "-R", "0"], "sends nothing"), ([url, "-R", "-5"], "-R"),
                ([url, "-R", "30M"], "20"), ([url, "-R", "fast"], "20k"),
                ([url, "-R", "nan"], "20k"), ([url, "-R", "1e9"], "20k"),
                ([url, "-z", "0s"], "no time"), ([url, "-z", "10"], "unit"),
                ([url, "-z", "1000h"], "too long"), ([url, "--timeout", "0s"], "no time"),
                ([url, "-n", "0"], "-n"), ([url, "-c", "0"], "-c"), ([url, "-t", "0"], "-t"),
                ([url, "-c", "5000000"], "-c"), ([url, "-t", "9", "-c", "8"], "9 threads"),
                ([url, "--workers", "0"], "--workers"), ([url, "--pipeline", "0"], "--pipeline"),
                ([url, "--backlog", "0"], "--backlog"),
                ([url, "--requests-per-connection", "0"], "--requests-per-connection"),
                ([url, "--ramp", "1:2"], "FROM:TO/TIME"), ([url, "--step", "1k"], "RATES/TIME"),
                ([url, "--pace", "2"], "--replay"),
                ([url, "--replay", "x", "--pace", "0"], "--pace"),
                ([url, "--replay", "x", "--pace", "nan"], "--pace"),
                ([url, "-m", "GE T"], "HTTP method"),
                ([url, "-H", "no colon"], "-H"), ([url, "-H", "A: b\r\nC: d"], "-H"),
                ([url, "-o", "r.pdf"], ".html"), ([url, "-o", "json"], ".json"),
                ([url, "--expect", "p99<20"], "character 7"),
                ([url, "--expect", "p99<2ms,wow=1"], "character 9"),
                ([url, "--find-max", "p99"], "character 4"),
            ] as [([String], String)] {
                let output = try bench.load(arguments)
                #expect(output.status == 64, "\(arguments): \(output.status) \(output.stderr)")
                #expect(output.stdout.isEmpty)
                #expect(output.stderr.contains(word), "\(arguments): \(output.stderr)")
                #expect(!output.stderr.contains("\u{1B}"), "no control characters")
                #expect(output.stderr.lowercased().hasPrefix("error: "), "\(output.stderr)")
            }
        }

        @Test func `options that contradict each other are 64`() throws {
            let url = nowhere
            try bench.write("x", "body")
            for arguments in [
                ["--rate", "5", "--ramp", "0:5/1s"], ["--closed", "--rate", "5"],
                ["--closed", "--find-max", "p99<1s"], ["--find-max", "p99<1s", "-n", "5"],
                ["--scenario", "adtech", "--replay", "x"], ["-d", "x", "-D", "body"],
                ["--against", "."], ["--find-max", "p99<1s", "--ledger", "l"],
                ["--expect", "lost=0"], ["--expect", "duplicated=0", "--ledger", "l"],
                ["--find-max", "lost=0"],
            ] {
                let output = try bench.load([url] + arguments)
                expectClearFailure(output, 64, "hint: ")
                #expect(output.stderr.contains(arguments[0]), "\(arguments): \(output.stderr)")
            }
        }

        // MARK: Files

        @Test func `a wrong scenario is 78, all of it at once, with places and suggestions`() throws
        {
            try bench.write(
                "rate = 100\nconections = 5\n[visitors]\nzipf = \"much\"\n", "wrong.toml")
            let output = try bench.load([nowhere, "--scenario", "wrong.toml"])
            #expect(output.status == 78 && output.stdout.isEmpty)
            #expect(output.stderr.contains("wrong.toml:2:1"), "\(output.stderr)")
            #expect(output.stderr.contains("connections"), "a suggestion: \(output.stderr)")
            #expect(output.stderr.contains("wrong.toml:4:"))
        }

        @Test func `a scenario that is nowhere is named, with those that are`() throws {
            for name in ["adtehc", "./missing.toml"] {
                let output = try bench.load([nowhere, "--scenario", name])
                #expect([66, 78].contains(output.status), "\(output.stderr)")
                #expect(output.stdout.isEmpty && output.stderr.contains(name), "\(output.stderr)")
                #expect(output.stderr.contains("adtech"), "\(output.stderr)")
            }
            let output = try bench.load(["scenarios", "adtehc"])
            #expect(output.status != 0 && output.stderr.contains("adtech"))
        }

        @Test func `an input that is missing is 66`() throws {
            try bench.write("not a log\nat all\n", "no.log")
            try bench.write("{\"format\": 99}", "no.json")
            for arguments in [
                [nowhere, "--replay", "missing.log"], [nowhere, "--replay", "no.log"],
                [nowhere, "-D", "missing.body"], ["report", "missing.json"],
                [nowhere, "--ledger", "l", "--against", "missing"],
                ["report", "no.json"], ["merge", "no.log"],
                ["report", "--ledger", "missing.ledger", "--against", "."],
                ["report", "--ledger", "no.log", "--against", "."],
            ] {
                let output = try bench.load(arguments)
                expectClearFailure(
                    output, 66, arguments.first { $0.hasPrefix("missing") || $0.hasPrefix("no.") }!)
            }
        }

        @Test func `an output that cannot be written is 73, before anything is sent`() throws {
            let server = try PlantedServer()
            try bench.write("precious", "old.ledger")
            for (arguments, word) in [
                (["-o", "missing/r.json"], "missing/r.json"), (["-o", "/proc/r.json"], "/proc"),
                (["--ledger", "missing/l"], "missing/l"), (["--ledger", "old.ledger"], "exists"),
                (["--ledger", "/dev/full"], "/dev/full"),
            ] {
                let output = try bench.load([server.url, "-n", "10"] + arguments)
                expectClearFailure(output, 73, word, "hint: ")
            }
            #expect(bench.text("old.ledger") == "precious")
            #expect(try server.stop().requests == 0)
        }

        @Test func `a disk that fills up is told, and is no success`() throws {
            let server = try PlantedServer()
            let full = try run(
                "bash", ["-c", "\(binary) load \(server.url) -c 4 -n 10 --quiet > /dev/full"])
            #expect(full.status == 73 && full.stderr.contains("standard output"), "\(full.stderr)")
            // A file may have 700,000 bytes, and 50,000 entries of a ledger are as many. Besides the
            // ledger only memory files are written, which are smaller.
            let limited = """
                import os, resource, signal, sys
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (700000, 700000))
                os.execv(sys.argv[1], sys.argv[1:])
                """
            let output = try run(
                "python3",
                ["-c", limited, binary, "load", server.url, "--closed", "-n", "60000", "-c", "16"]
                    + ["--pipeline", "16", "--quiet", "--ledger", "l", "-o", "r.json"],
                in: bench.folder)
            #expect(output.status == 73, "\(output.stderr)")
            #expect(output.stderr.contains("--ledger l: file too large"), "\(output.stderr)")
            let result = try LoadResult(try bench.bytes("r.json"))
            #expect(result["answered"] == 60_000, "the run is not the disk's hostage")
            #expect(result.warnings.contains { $0.contains("ledger") })
        }
    }
}
