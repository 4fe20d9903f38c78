/// The view as lines of a log: where there is no terminal, or none that draws.
extension LiveView {
    /// One line, no line's end: "12 s of 30 s: asked 20,000/s, sent …".
    static func plainLine(_ state: ViewState) -> String {
        let elapsed = Durations.text(state.elapsedSeconds)
        let whole =
            state.totalSeconds.map { " of \(Durations.text($0))" }
            ?? state.totalRequests.map {
                ", \(NumberText.grouped(state.sent)) of \(NumberText.grouped($0)) requests"
            } ?? ""
        var facts: [String] = []
        if let note = state.note { facts.append(ViewLine.plainASCII(note)) }
        let span = state.lastSecond
        if let asked = span.asked { facts.append("asked \(Figures.rate(asked))/s") }
        facts.append("sent \(Figures.rate(span.sent))/s")
        facts.append("answered \(Figures.rate(span.answered))/s")
        for (name, value) in [
            ("p50", span.response.p50), ("p99", span.response.p99), ("max", span.response.max),
        ] {
            guard let value else { continue }
            facts.append("\(name) \(NumberText.latency(microseconds: Double(value)))")
        }
        return elapsed + whole + ": " + (facts + totals(state)).joined(separator: ", ")
    }

    /// What went wrong since the start; `errors` and `dropped` also when they are 0.
    private static func totals(_ state: ViewState) -> [String] {
        var facts = ["errors \(NumberText.grouped(state.failed + state.answers.other))"]
        if state.failed > 0, let words = state.lastFailure {
            facts[0] += " (\(ViewLine.plainASCII(words)))"
        }
        for (name, value) in [("bad", state.answers.bad), ("refused", state.answers.refused)] {
            if value > 0 { facts.append("\(name) \(NumberText.grouped(value))") }
        }
        if state.model == .open {
            facts.append("dropped \(NumberText.grouped(state.dropped))")
            if state.late > 0 { facts.append("late \(NumberText.grouped(state.late))") }
        }
        return facts
    }

    /// How many seconds after a plain line the next one is due: each second at first, so that a
    /// short run is seen and a wrong one noticed; then ever less, so that an hour is no flood.
    static func plainLineInterval(atSeconds elapsed: Double) -> Double {
        switch elapsed {
        case ..<10: 1
        case ..<60: 5
        case ..<600: 30
        default: 60
        }
    }
}
