import Platform

/// The place of the live view on a terminal: the lines below the prompt, drawn over in place. Not
/// the alternate screen: what was there before stays, and the last frame too.
///
/// Between frames the cursor is visible and stands behind the last line. So there is nothing to
/// mend however the process ends, `kill -9` and Ctrl-Z included.
struct TerminalScreen {
    /// What a run shows in a second. Faster tells nobody more.
    static let framesPerSecond = 4

    private let terminal: TerminalDevice
    private var last = LastFrame()

    init(_ terminal: TerminalDevice) { self.terminal = terminal }

    /// Draws over the last frame. Does nothing in the background, or while the terminal is held.
    mutating func draw(_ state: ViewState, usesColor: Bool) {
        if terminal.takeContinued() { last = LastFrame() }
        if terminal.isInBackground {
            last = LastFrame()
            return
        }
        let size = terminal.size
        // The last column stays free: a character there would put some terminals between lines.
        let lines = LiveView.frame(
            state: state, columns: size.columns - 1, rows: size.rows, usesColor: usesColor)
        let bytes = last.bytes(toDraw: lines, columns: size.columns)
        if terminal.write(Array(bytes.utf8)) { last.drew(lines) }
    }

    /// Leaves the terminal to whoever writes next: on a line of its own below the last frame, or,
    /// `erasing` that, where it began. The next `draw` begins anew.
    mutating func restore(erasing: Bool = false) {
        let columns = terminal.size.columns
        let bytes = erasing ? last.bytesToErase(columns: columns) : last.bytesToLeave
        last = LastFrame()
        if !bytes.isEmpty { terminal.write(Array(bytes.utf8)) }
    }

    /// For a signal's handler: the cursor is visible, the style plain, the line new.
    func restoreFromSignal() { terminal.writeFromSignal("\u{1B}[0m\u{1B}[?25h\u{1B}[?2026l\r\n") }
}

/// What a terminal shows of the frame before, and the bytes that replace it. Pure.
struct LastFrame: Equatable {
    /// The widths of its lines.
    private var widths: [Int] = []

    mutating func drew(_ lines: [String]) { widths = lines.map(Self.width) }

    /// How many rows its lines take now. After the window became narrower a terminal shows a line
    /// that no longer fits as several.
    func rows(columns: Int) -> Int {
        widths.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
    }

    /// The cursor hidden and updates held back meanwhile, so that no half frame shows (terminals
    /// that do not know the latter ignore it). Each line is written, then cleared behind.
    func bytes(toDraw lines: [String], columns: Int) -> String {
        var bytes = "\u{1B}[?2026h\u{1B}[?25l" + toItsStart(columns: columns)
        let isResized = !widths.isEmpty && rows(columns: columns) != widths.count
        if isResized { bytes += "\u{1B}[J" }
        bytes += lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        return bytes + "\u{1B}[J\u{1B}[?25h\u{1B}[?2026l"
    }

    func bytesToErase(columns: Int) -> String {
        widths.isEmpty ? "" : toItsStart(columns: columns) + "\u{1B}[J"
    }

    var bytesToLeave: String { widths.isEmpty ? "" : "\r\n" }

    private func toItsStart(columns: Int) -> String {
        let up = rows(columns: columns) - 1
        return up > 0 ? "\r\u{1B}[\(up)A" : "\r"
    }

    /// Columns of a line: its characters without the sequences that color them.
    static func width(_ line: String) -> Int {
        var width = 0
        var isInSequence = false
        for scalar in line.unicodeScalars {
            if isInSequence {
                isInSequence = scalar != "m"
            } else if scalar == "\u{1B}" {
                isInSequence = true
            } else {
                width += 1
            }
        }
        return width
    }
}
