import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a person sees while a load runs, and what a script gets.
    @Suite struct LoadViewTests {
        /// A shell in a terminal that nobody looks at: a tmux server of its own.
        private final class Terminal {
            private let socket: String
            let bench: LoadBench

            init(_ bench: LoadBench) throws {
                self.bench = bench
                socket = bench.path("tmux")
                try tmux(
                    "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", "-c",
                    bench.folder.path, "env -u NO_COLOR PS1='ready> ' bash --norc --noprofile")
                try #require(eventually(within: 10) { try self.screen().contains("ready>") })
            }

            deinit { _ = try? tmux("kill-server") }

            @discardableResult
            func tmux(_ words: String...) throws -> String {
                let output = try run("tmux", ["-S", socket] + words)
                try #require(output.status == 0, "tmux \(words): \(output.stderr)")
                return output.stdout
            }

            /// What is seen; with its colours if so wanted.
            func screen(withColors: Bool = false) throws -> String {
                withColors ? try tmux("capture-pane", "-p", "-e") : try tmux("capture-pane", "-p")
            }

            func type(_ line: String) throws {
                try tmux("send-keys", "-l", line)
                try tmux("send-keys", "Enter")
            }

            func shows(_ text: String, within seconds: Double = 15) throws -> Bool {
                try eventually(within: seconds, everyMilliseconds: 50) {
                    try screen().contains(text)
                }
            }

            /// Whether the shell answers as before, with its cursor and its line discipline.
            func isSane(_ word: String) throws -> Bool {
                try type("stty -a > after; echo \(word)=$((20 + 22))")
                return try shows("\(word)=42")
                    && tmux("display-message", "-p", "#{cursor_flag}") == "1\n"
                    && bench.text("after") == bench.text("before")
                    && !bench.text("before").isEmpty
            }
        }

        @Test func `the view appears, and leaves the terminal as it was`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer()
            let terminal = try Terminal(bench)
            try terminal.type("stty -a > before")
            try terminal.type("\(binary) load \(server.url) -R 200 -c 4 -z 4s -o r.json")
            #expect(try terminal.shows("█"))
            #expect(try terminal.shows("left"))
            let seen = try terminal.screen()
            for word in ["asked", "sent", "answered", "p50", "p99", "%"] {
                #expect(seen.contains(word), "\(word): \(seen)")
            }
            #expect(try terminal.screen(withColors: true).contains("\u{1B}["), "colours")
            #expect(try terminal.shows("Status code distribution"), "the summary follows")
            #expect(try terminal.isSane("ended"))

            // Ctrl-C goes to every process of the group.
            try terminal.type("clear; NO_COLOR=1 \(binary) load \(server.url) -R 200 -c 5 -z 60s")
            // What only its view shows: the first one's may still be there.
            #expect(try terminal.shows("5 of 5"))
            // Without an answer there would be no distribution to wait for.
            let isAnswered = try eventually(within: 15, everyMilliseconds: 50) {
                try terminal.screen().contains(#/answered +[▁▂▃▄▅▆▇█]/#)
            }
            #expect(isAnswered)
            #expect(try !terminal.screen(withColors: true).contains(#/\u{1B}\[[0-9;]*m/#))
            try terminal.tmux("send-keys", "C-c")
            #expect(try terminal.shows("Status code distribution"))
            try terminal.type("echo code=$?")
            #expect(try terminal.shows("code=130"))
            #expect(try terminal.isSane("interrupted"))
            #expect(!bench.text("r.json").isEmpty)
        }

        @Test func `without a terminal there are plain lines, and pure JSON`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer()
            let output = try bench.load(
                [server.url, "-R", "200", "-c", "4", "-z", "2s", "--json"],
                environment: ["TERM": "xterm-256color"])
            #expect(output.status == 0)
            #expect(try LoadResult(Data(output.stdout.utf8))["answered"] == 400)
            #expect(!output.stderr.contains("\u{1B}"))
            let line = try #require(output.stderr.split(separator: "\n").first)
            #expect(
                line.contains(#/^1(\.\d)? s of 2 s: asked \d+\/s, .*p99 .*errors 0/#), "\(line)")
            let quiet = try bench.load([server.url, "-n", "10", "-c", "2", "--quiet"])
            #expect(quiet.stderr.isEmpty && quiet.stdout.contains("Summary:"))
            #expect(!quiet.stdout.contains("\u{1B}"))
        }

        @Test func `with the view on stderr, stdout is pure JSON`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer()
            let terminal = try Terminal(bench)
            try terminal.type(
                "\(binary) load \(server.url) -R 200 -c 4 -z 2s --json > r.json; echo done=$?")
            #expect(try terminal.shows("█"))
            #expect(try terminal.shows("done=0"))
            #expect(try LoadResult(try bench.bytes("r.json"))["answered"] == 400)
        }

        @Test func `a reader that leaves early is no fault to speak of`() throws {
            let bench = try LoadBench()
            let server = try PlantedServer()
            let output = try run(
                "bash",
                [
                    "-c",
                    "\(binary) load \(server.url) -n 50 -c 2 --latency --quiet -o r.json | head -1",
                ], in: bench.folder)
            #expect(output.stdout.hasPrefix("Load test of ") && output.lines.count == 1)
            #expect(output.stderr.isEmpty, "\(output.stderr)")
            #expect(try LoadResult(try bench.bytes("r.json"))["answered"] == 50)
            for closed in [">&-", "2>&-", ">&- 2>&-"] {
                let output = try run(
                    "bash",
                    ["-c", "\(binary) load \(server.url) -n 50 -c 2 -o c.json \(closed)"],
                    in: bench.folder)
                #expect(output.status == 0, "\(closed): \(output.status) \(output.stderr)")
                #expect(try LoadResult(try bench.bytes("c.json"))["answered"] == 50)
            }
        }
    }
}
