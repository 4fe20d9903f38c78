import Platform

/// Progress of long work on stderr: a line that is drawn over in a terminal, else one a quarter.
final class ProgressLine {
    private let what: String
    private let isQuiet: Bool
    private let terminal = TerminalDevice(2)
    private var shown = -1

    init(_ what: String, isQuiet: Bool) {
        self.what = what
        self.isQuiet = isQuiet
    }

    /// `share`: 0 … 1. The line goes away at 1.
    func show(_ share: Double) {
        if isQuiet { return }
        let percent = Int(min(max(share, 0), 1) * 100)
        guard let terminal else {
            if percent / 25 > shown / 25 && percent > 0 { writeError("\(what): \(percent) %") }
            shown = max(shown, percent)
            return
        }
        if percent == shown { return }
        shown = percent
        let text = percent == 100 ? "\r\u{1B}[K" : "\r\(what): \(percent) %\u{1B}[K"
        terminal.write(Array(text.utf8))
    }
}
