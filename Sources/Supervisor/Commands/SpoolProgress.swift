import Core
import Glibc
import Platform

/// How far a command has read, on stderr, once that takes more than a second: a bar on a terminal
/// ten times a second, else a line every ten.
struct SpoolProgress {
    private let what: String
    private let bytesTotal: UInt64
    private let terminal = TerminalDevice(STDERR_FILENO)
    private let startNs = monotonicNanoseconds()
    private var nextNs: UInt64
    private var hasDrawn = false

    private static let barCells = 24

    init(_ what: String, bytesTotal: UInt64) {
        self.what = what
        self.bytesTotal = bytesTotal
        nextNs = startNs + 1_000_000_000
    }

    mutating func show(_ bytesRead: UInt64) {
        let now = monotonicNanoseconds()
        guard now >= nextNs else { return }
        let text = Self.text(
            what, bytesRead: bytesRead, bytesTotal: bytesTotal, elapsedNs: now - startNs,
            hasBar: terminal != nil)
        if let terminal {
            nextNs = now + 100_000_000
            hasDrawn = true
            let room = max(20, terminal.size.columns - 1)
            terminal.write(Array("\r\u{1B}[K\(text.prefix(room))".utf8))
        } else {
            nextNs = now + 10_000_000_000
            writeLine(text, to: STDERR_FILENO)
        }
    }

    /// Takes the bar off the screen.
    mutating func end() {
        if hasDrawn { terminal?.write(Array("\r\u{1B}[K".utf8)) }
        hasDrawn = false
    }

    static func text(
        _ what: String, bytesRead: UInt64, bytesTotal: UInt64, elapsedNs: UInt64, hasBar: Bool
    ) -> String {
        let read = min(bytesRead, bytesTotal)
        let share = bytesTotal == 0 ? 1 : Double(read) / Double(bytesTotal)
        let elapsed = Double(elapsedNs) / 1e9
        let rate = elapsed > 0 ? Double(read) / elapsed / 1e6 : 0
        var words =
            "\(Int(share * 100)) %, \(read >> 20) of \(bytesTotal >> 20) MiB, \(Int(rate)) MB/s"
        if share > 0, share < 1 {
            words += ", \(Int((elapsed / share * (1 - share)).rounded(.up))) s left"
        }
        guard hasBar else { return "\(what): \(words)" }
        let full = Int(share * Double(barCells))
        let bar =
            String(repeating: "█", count: full)
            + String(repeating: "░", count: barCells - full)
        return "\(what) \(bar) \(words)"
    }
}
