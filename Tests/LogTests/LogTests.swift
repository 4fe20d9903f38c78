import Core
import Glibc
import Logging
import TestSupport
import Testing

@testable import Log

@Suite struct LineLayoutTests {
    private static let timeMs: UInt64 = 1_795_395_723_123

    private func text(
        _ line: LogLine, _ format: Settings.LogFormat = .text,
        surroundings: LineLayout.Surroundings = .init()
    ) -> String {
        let layout = LineLayout(
            process: "worker 0", pid: 4711, format: format, surroundings: surroundings)
        return String(decoding: layout.bytes(for: line, timeMs: Self.timeMs), as: UTF8.self)
    }

    private func line(_ message: String, _ fields: [(String, String)] = []) -> LogLine {
        LogLine(level: .info, message: message, fields: fields.map { (key: $0.0, value: $0.1) })
    }

    @Test func `a text line is time, level, process, message and fields`() {
        #expect(
            text(line("spool opened", [("bytes", "42"), ("path", "/a b"), ("q", "x=\"y\"")]))
                == "2026-11-23T01:02:03.123Z INFO  worker 0 [4711]: spool opened bytes=42 "
                + "path=\"/a b\" q=\"x=\\\"y\\\"\"\n")
    }

    @Test func `a JSON line is an object of the same`() {
        #expect(
            text(line("a \"b\" \\ c\n", [("k", "\u{1B}[31m")]), .json)
                == #"{"time":"2026-11-23T01:02:03.123Z","level":"info","process":"worker 0","#
                + #""pid":4711,"message":"a \"b\" \\ c\n","k":"\u001b[31m"}"# + "\n")
    }

    @Test func `under the journal the priority comes first and the time is left to it`() {
        #expect(
            text(line("x"), .auto, surroundings: .init(isJournal: true))
                == "<6>worker 0 [4711]: x\n")
    }

    @Test func `colours are for terminals whose user wants them`() {
        let terminal = LineLayout.Surroundings(isTerminal: true)
        #expect(text(line("x"), .auto, surroundings: terminal).contains("\u{1B}[32mINFO \u{1B}[0m"))
        #expect(!text(line("x"), .json, surroundings: terminal).contains("\u{1B}"))
        let plain = LineLayout.Surroundings(isTerminal: true, noColor: true)
        #expect(!text(line("x"), .auto, surroundings: plain).contains("\u{1B}"))
        #expect(!text(line("x"), .text).contains("\u{1B}"))
    }

    @Test func `another format is the same process where it is`() {
        let terminal = LineLayout.Surroundings(isTerminal: true)
        let text = LineLayout(process: "supervisor", pid: 9, format: .auto, surroundings: terminal)
        let json = text.with(format: .json)
        #expect(json.style == .json && json.process == "supervisor" && json.pid == 9)
        #expect(json.with(format: .auto).style == .colored)
    }

    @Test func `no control or reordering character gets out in either format`() {
        let hostile =
            (0..<0xA0).compactMap { Unicode.Scalar($0) }
            + ["\u{202E}", "\u{2028}", "\u{200B}", "\u{2066}", "\u{FEFF}"]
        let nasty = String(String.UnicodeScalarView(hostile))
        for format in [Settings.LogFormat.text, .json] {
            let shown = text(line(nasty, [(nasty, nasty)]), format)
            let bad = shown.dropLast().unicodeScalars.filter {
                $0.value < 32 || (0x7F...0x9F).contains($0.value) || hostile.suffix(5).contains($0)
            }
            #expect(bad.isEmpty)
            #expect(shown.hasSuffix("\n"))
        }
    }

    /// Every length around the limit, with characters of every width.
    @Test(arguments: [Settings.LogFormat.text, .json])
    func `a line is never longer than 2 KiB, and whole UTF-8`(format: Settings.LogFormat) {
        for unit in ["x", "é", "漢", "😀", "\"", "\u{1}"] {
            for count in [0, 1, 200, 600] + Array(1850...2060) {
                let message = String(repeating: unit, count: count)
                let layout = LineLayout(
                    process: "worker 0", pid: 1, format: format, surroundings: .init())
                let whole = line(message, [("key", "value"), ("other", message)])
                let bytes = layout.bytes(for: whole, timeMs: Self.timeMs)
                #expect(bytes.count <= LineLayout.byteCountMax)
                let shown = String(validating: bytes, as: UTF8.self)
                #expect(shown != nil)
                if format == .json { #expect(shown.map(isBalancedObject) == true) }
            }
        }
        let cut = text(line(String(repeating: "x", count: 5000)), .text)
        #expect(cut.hasSuffix("xxx…\n"))
        #expect(cut.utf8.count > LineLayout.byteCountMax - 8)
    }

    /// Quotes paired outside escapes, one object, one line.
    private func isBalancedObject(_ text: String) -> Bool {
        var inString = false
        var escaped = false
        for byte in text.utf8.dropLast() {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: "\"") {
                inString.toggle()
            }
        }
        return !inString && text.hasPrefix("{\"time\"") && text.hasSuffix("\"}\n")
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
        ] as [(UInt64, String)])
    func `the time is UTC with milliseconds`(timeMs: UInt64, shown: String) {
        #expect(LineLayout.timestamp(timeMs) == shown)
    }

    @Test func `dates agree with the C library over three centuries`() {
        for day in stride(from: 0, to: 110_000, by: 7) {
            var seconds = time_t(day * 86_400)
            var parts = tm()
            gmtime_r(&seconds, &parts)
            var room = [CChar](repeating: 0, count: 32)
            strftime(&room, 32, "%Y-%m-%d", &parts)
            let date = room.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            #expect(LineLayout.timestamp(UInt64(day) * 86_400_000).hasPrefix(date + "T00:00"))
        }
    }
}

@Suite struct RepeatFilterTests {
    private func line(_ message: String) -> LogLine {
        LogLine(level: .warning, message: message, fields: [("k", "v")])
    }

    private func told(_ due: [RepeatFilter.Due]) -> [String] {
        due.map { "\($0.line.message)×\($0.repeats)" }
    }

    @Test func `identical lines are told once in ten seconds, then their count`() {
        var filter = RepeatFilter()
        #expect(told(filter.arrived(line("a"), nowMs: 0)) == ["a×0"])
        #expect(told(filter.arrived(line("a"), nowMs: 1)) == [])
        #expect(told(filter.arrived(line("b"), nowMs: 2)) == ["b×0"])
        #expect(told(filter.arrived(line("a"), nowMs: 9999)) == [])
        #expect(told(filter.arrived(line("a"), nowMs: 10_000)) == ["a×2", "a×0"])
        #expect(told(filter.arrived(line("c"), nowMs: 30_000)) == ["c×0"])
    }

    @Test func `another line brings out a count whose ten seconds are over`() {
        var filter = RepeatFilter()
        _ = filter.arrived(line("a"), nowMs: 0)
        _ = filter.arrived(line("a"), nowMs: 5)
        #expect(told(filter.arrived(line("b"), nowMs: 10_000)) == ["a×1", "b×0"])
        #expect(told(filter.flush()) == [])
    }

    @Test func `a flush tells what is still kept, once`() {
        var filter = RepeatFilter()
        for now in 0..<5 { _ = filter.arrived(line("a"), nowMs: UInt64(now)) }
        #expect(told(filter.flush()) == ["a×4"])
        #expect(told(filter.flush()) == [])
    }

    @Test func `lines differ by level, message and fields`() {
        var filter = RepeatFilter()
        var other = line("a")
        other.level = .error
        var fields = line("a")
        fields.fields = [("k", "w")]
        #expect(filter.arrived(line("a"), nowMs: 0).count == 1)
        #expect(filter.arrived(other, nowMs: 0).count == 1)
        #expect(filter.arrived(fields, nowMs: 0).count == 1)
    }

    @Test func `a clock that goes backwards silences nothing`() {
        var filter = RepeatFilter()
        _ = filter.arrived(line("a"), nowMs: 50_000)
        #expect(told(filter.arrived(line("a"), nowMs: 10)) == ["a×0"])
    }

    /// Whatever comes, every line is told or counted, and the table stays small.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `in a long random walk no line goes uncounted`(seed: UInt64) {
        var walk = SeededDice(seed: seed)
        var filter = RepeatFilter()
        var sent = 0
        var accounted = 0
        var nowMs: UInt64 = 0
        for _ in 0..<4000 {
            nowMs += walk.next() % 400
            sent += 1
            let due = filter.arrived(line("m\(walk.next() % 100)"), nowMs: nowMs)
            accounted += due.reduce(0) { $0 + ($1.repeats == 0 ? 1 : $1.repeats) }
        }
        accounted += filter.flush().reduce(0) { $0 + $1.repeats }
        #expect(accounted == sent)
    }
}

@Suite struct LogOutputTests {
    private let line = Array("0123456789abcde\n".utf8)

    private func pipeEnds() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        return (ends[0], ends[1])
    }

    @Test func `a pipe whose reader stands still costs lines, not the process`() {
        let ends = pipeEnds()
        var output = LogOutput(sharing: ends.write)
        var written = 0
        var lost = 0
        for _ in 0..<10_000 {
            if output.write(line) { written += 1 } else { lost += 1 }
        }
        #expect(written >= 1000)
        #expect(lost > 0)
        // The pipe itself stays blocking for those who share it.
        #expect(fcntl(ends.write, F_GETFL) & O_NONBLOCK == 0)

        var room = [UInt8](repeating: 0, count: 1 << 20)
        let got = read(ends.read, &room, room.count)
        #expect(got == written * line.count)
        let goesOn = output.write(line)
        #expect(goesOn)
        close(ends.read)
        close(ends.write)
    }

    @Test func `a reader that is gone is no end either`() {
        signal(SIGPIPE, SIG_IGN)
        let ends = pipeEnds()
        var output = LogOutput(sharing: ends.write)
        close(ends.read)
        for _ in 0..<100 {
            let isWritten = output.write(line)
            #expect(!isWritten)
        }
        close(ends.write)
    }

    @Test func `a socket is written without waiting too`() {
        var ends: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        var output = LogOutput(sharing: ends[0])
        var lost = 0
        for _ in 0..<100_000 where !output.write(line) { lost += 1 }
        #expect(lost > 0)
        close(ends[1])
        let isWritten = output.write(line)
        #expect(!isWritten)
        close(ends[0])
    }

    @Test func `a closed stderr is survived`() {
        var output = LogOutput(sharing: 4000)
        let isWritten = output.write(line)
        #expect(!isWritten)
    }

    @Test func `lines that were lost are counted on the next that is not`() throws {
        let ends = pipeEnds()
        let layout = LineLayout(process: "t", pid: 1, format: .text, surroundings: .init())
        let writer = LogWriter(layout: layout, output: LogOutput(sharing: ends.write))
        let logger = Logger(label: "t") { _ in LineLogHandler(writer: writer, logLevel: .info) }
        let padding = String(repeating: "p", count: 1500)
        for number in 0..<200 { logger.info("\(padding) \(number)") }
        var room = [UInt8](repeating: 0, count: 1 << 20)
        #expect(read(ends.read, &room, room.count) > 0)
        logger.info("after", metadata: ["k": "v"])
        logger.debug("not written at this level")
        let count = read(ends.read, &room, room.count)
        let shown = String(decoding: room.prefix(max(0, count)), as: UTF8.self)
        #expect(shown.contains(" INFO  t [1]: after k=v log_lines_lost="))
        #expect(shown.split(separator: "\n").count == 1)
        close(ends.read)
        close(ends.write)
    }
}
