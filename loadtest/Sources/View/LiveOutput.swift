import Platform

/// Shows a run while it lasts, on stderr: as a view in a terminal, else as a line now and then.
struct LiveOutput {
    private enum Mode {
        case screen(TerminalScreen, usesColor: Bool)
        case lines
        case nothing
    }

    /// What decides how a run is shown.
    struct Surroundings: Equatable {
        /// --no-tui
        var viewIsRefused = false
        /// --quiet, or the like
        var isQuiet = false
        var isTerminal = false
        var term: String?
        /// NO_COLOR is set, to anything but nothing.
        var colorIsRefused = false

        enum Choice: Equatable { case view(usesColor: Bool), lines, nothing }

        var choice: Choice {
            if isQuiet { return .nothing }
            // A terminal without a name is as little trusted with cursor movements as "dumb".
            if viewIsRefused || !isTerminal || term == nil || term == "dumb" { return .lines }
            return .view(usesColor: !colorIsRefused)
        }
    }

    private var mode: Mode
    private var nextLineSeconds = 1.0

    init(viewIsRefused: Bool = false, isQuiet: Bool = false) {
        let terminal = TerminalDevice(2)
        let surroundings = Surroundings(
            viewIsRefused: viewIsRefused, isQuiet: isQuiet, isTerminal: terminal != nil,
            term: environmentVariable("TERM"),
            colorIsRefused: environmentVariable("NO_COLOR") != nil)
        switch (surroundings.choice, terminal) {
        case (.view(let usesColor), let terminal?):
            mode = .screen(TerminalScreen(terminal), usesColor: usesColor)
        case (.nothing, _): mode = .nothing
        default: mode = .lines
        }
    }

    /// Call some times a second, `TerminalScreen.framesPerSecond` say.
    mutating func show(_ state: ViewState) {
        switch mode {
        case .screen(var screen, let usesColor):
            screen.draw(state, usesColor: usesColor)
            mode = .screen(screen, usesColor: usesColor)
        case .lines:
            guard state.phase != .connecting, state.elapsedSeconds >= nextLineSeconds else {
                return
            }
            writeLine(LiveView.plainLine(state), to: 2)
            let interval = LiveView.plainLineInterval(atSeconds: state.elapsedSeconds)
            nextLineSeconds = ((state.elapsedSeconds / interval).rounded(.down) + 1) * interval
        case .nothing: break
        }
    }

    /// Before anybody else writes to the terminal, and at the end. `erasing`: where a summary takes
    /// the view's place.
    mutating func restore(erasing: Bool = false) {
        guard case .screen(var screen, let usesColor) = mode else { return }
        screen.restore(erasing: erasing)
        mode = .screen(screen, usesColor: usesColor)
    }

    /// For another run after this one (a trial of --find-max): its clock begins at zero again.
    mutating func beginAgain() { nextLineSeconds = 1 }

    /// The same as `restore()` for a signal's handler.
    func restoreFromSignal() {
        if case .screen(let screen, _) = mode { screen.restoreFromSignal() }
    }
}
