import Glibc
import Platform
import TestSupport
import Testing

@testable import LoadTest

@Suite struct ViewScreenTests {
    static let begin = "\u{1B}[?2026h\u{1B}[?25l"
    static let end = "\u{1B}[J\u{1B}[?25h\u{1B}[?2026l"

    @Test func `the first frame begins where the cursor is`() {
        #expect(
            LastFrame().bytes(toDraw: ["one", "two"], columns: 80)
                == Self.begin + "\rone\u{1B}[K\r\ntwo\u{1B}[K" + Self.end)
    }

    @Test func `the next one is drawn over it`() {
        var last = LastFrame()
        last.drew(["one", "two", "three"])
        #expect(
            last.bytes(toDraw: ["1"], columns: 80)
                == Self.begin + "\r\u{1B}[2A1\u{1B}[K" + Self.end)
    }

    @Test func `after the window became narrower it begins where the wrapped lines do`() {
        var last = LastFrame()
        last.drew([String(repeating: "a", count: 79), "", "\u{1B}[1;31mred\u{1B}[0m"])
        #expect(last.rows(columns: 80) == 3)
        #expect(last.rows(columns: 79) == 3)
        #expect(last.rows(columns: 40) == 4)
        #expect(last.rows(columns: 2) == 40 + 1 + 2)
        #expect(
            last.bytes(toDraw: ["x"], columns: 40)
                == Self.begin + "\r\u{1B}[3A\u{1B}[Jx\u{1B}[K" + Self.end)
    }

    @Test func `it is left on a line of its own, or erased`() {
        var last = LastFrame()
        #expect(last.bytesToLeave.isEmpty && last.bytesToErase(columns: 80).isEmpty)
        last.drew(["one", "two"])
        #expect(last.bytesToLeave == "\r\n")
        #expect(last.bytesToErase(columns: 80) == "\r\u{1B}[1A\u{1B}[J")
    }

    @Test func `what the surroundings allow is what is shown`() {
        typealias Surroundings = LiveOutput.Surroundings
        let terminal = Surroundings(isTerminal: true, term: "xterm-256color")
        func choice(_ change: (inout Surroundings) -> Void) -> Surroundings.Choice {
            var changed = terminal
            change(&changed)
            return changed.choice
        }
        #expect(terminal.choice == .view(usesColor: true))
        #expect(choice { $0.colorIsRefused = true } == .view(usesColor: false))
        #expect(choice { $0.viewIsRefused = true } == .lines)
        #expect(choice { $0.isTerminal = false } == .lines)
        #expect(choice { $0.term = "dumb" } == .lines)
        #expect(choice { $0.term = nil } == .lines)
        #expect(choice { $0.isQuiet = true } == .nothing)
    }

    static func pseudoTerminal() throws -> PseudoTerminal {
        guard let pty = PseudoTerminal() else { throw Failure(errnoOf: "posix_openpt") }
        return pty
    }

    @Test func `a screen draws for the size the terminal has, and leaves the cursor visible`()
        throws
    {
        let pty = try Self.pseudoTerminal()
        let terminal = try #require(TerminalDevice(pty.terminal))
        #expect(terminal.size == TerminalDevice.Size(columns: 80, rows: 24), "0 by 0 is no size")
        var screen = TerminalScreen(terminal)
        screen.draw(.sample(), usesColor: false)
        let first = pty.read()
        #expect(first.hasPrefix(Self.begin + "\rhydrant load http"))
        #expect(first.hasSuffix(Self.end))
        let lines = LiveView.frame(state: .sample(), columns: 79, rows: 24, usesColor: false)
        screen.draw(.sample(), usesColor: false)
        #expect(pty.read().hasPrefix(Self.begin + "\r\u{1B}[\(lines.count - 1)A"))
        screen.restore()
        // The terminal's own output processing makes a second return of the line's end.
        #expect(pty.read().hasSuffix("\r\n"))
        screen.restore()
        #expect(pty.read() == "", "restored once is enough")
        screen.draw(.sample(), usesColor: false)
        #expect(pty.read().hasPrefix(Self.begin + "\rhydrant"), "begins anew after a restore")
        screen.restoreFromSignal()
        #expect(pty.read().contains("\u{1B}[?25h"))
    }

    @Test func `a terminal that is held is not waited for`() throws {
        let pty = try Self.pseudoTerminal()
        let terminal = try #require(TerminalDevice(pty.terminal))
        #expect(tcflow(pty.terminal, TCOOFF) == 0)
        #expect(!terminal.write(Array("held".utf8)))
        #expect(tcflow(pty.terminal, TCOON) == 0)
        #expect(terminal.write(Array("let go".utf8)))
        #expect(pty.read() == "let go")
    }

    @Test func `a file is no terminal`() throws {
        let file = open("/dev/null", O_WRONLY)
        defer { close(file) }
        #expect(TerminalDevice(file) == nil)
    }
}
