/// Draws a run: state in, lines out.
enum LiveView {
    /// The lines of a frame: none is wider than `columns`, and they are no more than `rows`. Where
    /// there is little room, what matters least goes first.
    static func frame(
        state: ViewState, columns: Int, rows: Int, usesColor: Bool
    ) -> [String] {
        guard columns > 0, rows > 0 else { return [] }
        if columns < 24 || rows < 4 {
            let line = ViewLine(plainLine(state))
            return [line.text(columns: columns, usesColor: false)]
        }
        let lines = kept(allLines(state, columns: columns), rows: rows)
        return lines.map { $0.text(columns: columns, usesColor: usesColor) }
    }

    private static func allLines(_ state: ViewState, columns: Int) -> [ViewLine] {
        var lines = [title(state, columns: columns), progress(state, columns: columns)]
        if let note = state.note {
            lines.append(ViewLine(ViewLine.plainASCII(note), .title, .essential))
        }
        lines.append(.blank)
        lines += rates(state, columns: columns)
        lines.append(.blank)
        lines += latencies(state, columns: columns)
        lines.append(.blank)
        lines += counts(state, columns: columns)
        lines.append(.blank)
        lines.append(hint(state))
        return lines
    }

    /// Leaves out the least important lines, the last ones first.
    private static func kept(_ lines: [ViewLine], rows: Int) -> [ViewLine] {
        var lines = lines
        while lines.count > rows {
            let least = lines.map(\.importance.rawValue).min()!
            lines.remove(at: lines.lastIndex { $0.importance.rawValue == least }!)
        }
        return lines
    }

    // MARK: Head

    private static func title(_ state: ViewState, columns: Int) -> ViewLine {
        let model = state.model == .open ? "open" : "closed"
        let connections = count(state.connections, "connection")
        let threads = count(state.threads, "thread")
        let facts = [
            "  \(model) model, \(connections), \(threads)", "  \(model), \(connections)", "",
        ]
        let target = ViewLine.plainASCII(state.target)
        let room = columns - "hydrant load ".count
        let fitting = facts.first { $0.count + min(target.count, 30) <= room } ?? ""
        let shown = shortened(target, to: room - fitting.count)
        var line = ViewLine("hydrant load ", .faint, .essential)
        line.add(shown, .title)
        line.add(fitting, .faint)
        return line
    }

    private static func count(_ value: Int, _ noun: String) -> String {
        "\(NumberText.grouped(UInt64(max(0, value)))) \(noun)\(value == 1 ? "" : "s")"
    }

    /// A URL is known by its host and the end of its path.
    private static func shortened(_ text: String, to room: Int) -> String {
        guard text.count > room, room > 3 else { return text }
        let head = (room - 1) * 2 / 3
        return text.prefix(head) + "…" + text.suffix(room - 1 - head)
    }

    private static func progress(_ state: ViewState, columns: Int) -> ViewLine {
        let time = timing(state)
        let percent = state.progress.map { "\(Int($0 * 100))%".padded(left: 5) } ?? ""
        let room = min(columns - percent.count - time.count - 3, 40)
        var line = ViewLine("", .plain, .essential)
        if room >= 8, let progress = state.progress {
            let full = Int((progress * Double(room)).rounded(.down))
            line.add(String(repeating: "█", count: full), .good)
            line.add(String(repeating: "░", count: room - full), .faint)
            line.add(percent)
            line.add("   ")
        } else if !percent.isEmpty {
            line.add(String(percent.drop { $0 == " " }) + "  ")
        }
        line.add(time)
        return line
    }

    private static func timing(_ state: ViewState) -> String {
        let elapsed = Durations.text(state.elapsedSeconds)
        switch state.phase {
        case .connecting: return "connecting"
        case .finishing: return "\(elapsed), awaiting the last answers"
        case .stopping: return "\(elapsed), ending"
        case .running:
            let whole =
                state.totalSeconds.map { " of \(Durations.text($0))" }
                ?? state.totalRequests.map { ", \(NumberText.grouped($0)) requests" } ?? ""
            let left = state.secondsLeft.map { ", \(Durations.text($0)) left" } ?? ""
            return elapsed + whole + left
        }
    }

    // MARK: Rates

    private static func rates(_ state: ViewState, columns: Int) -> [ViewLine] {
        let table = Table(
            columns: columns, label: columns < 48 ? 8 : 14, cell: columns < 48 ? 10 : 12,
            heads: ["asked", "sent", "answered"], preference: [2, 1, 0])
        func row(
            _ label: String, _ span: ViewState.Span, _ importance: ViewLine.Importance
        ) -> ViewLine {
            let values = [
                span.asked.map(Figures.rate) ?? "–", Figures.rate(span.sent),
                Figures.rate(span.answered),
            ]
            return table.row(label, values, importance)
        }
        return [
            table.head(columns < 48 ? "a second" : "requests/s"),
            row(columns < 48 ? "last" : "last second", state.lastSecond, .essential),
            row("mean", state.wholeRun, .useful),
            sparkline(state, columns: columns, label: table.label),
        ]
    }

    private static func sparkline(_ state: ViewState, columns: Int, label: Int) -> ViewLine {
        let bars = Array("▁▂▃▄▅▆▇█")
        let seconds = state.answeredBySecond.suffix(min(ViewState.secondsKept, columns - label))
        let greatest = Double(seconds.max() ?? 0)
        let text = seconds.map { answered -> Character in
            if answered == 0 { return " " }
            let level = Double(answered) / greatest * Double(bars.count - 1)
            return bars[Int(level.rounded())]
        }
        var line = ViewLine("answered".padded(right: label), .faint, .extra)
        line.add(String(text), .good)
        return line
    }

    // MARK: Latencies

    private static func latencies(_ state: ViewState, columns: Int) -> [ViewLine] {
        let table = Table(
            columns: columns, label: columns < 48 ? 8 : 14, cell: 10,
            heads: ["p50", "p90", "p99", "p99.9", "max"], preference: [2, 0, 4, 3, 1])
        func row(
            _ label: String, _ span: ViewState.Span, _ importance: ViewLine.Importance
        ) -> ViewLine {
            let found = span.response
            let values = [found.p50, found.p90, found.p99, found.p999, found.max]
            return table.row(label, values.map(latency), importance)
        }
        let serviceNow = latency(state.lastSecond.service.p99)
        let serviceWhole = latency(state.wholeRun.service.p99)
        var service = ViewLine("service p99".padded(right: max(table.label, 12)), .faint, .extra)
        service.add("last second ", .faint)
        service.add(serviceNow)
        service.add("   whole run ", .faint)
        service.add(serviceWhole)
        return [
            table.head("response"),
            row(columns < 48 ? "last" : "last second", state.lastSecond, .important),
            row(columns < 48 ? "run" : "whole run", state.wholeRun, .essential), service,
        ]
    }

    private static func latency(_ microseconds: UInt64?) -> String {
        microseconds.map { NumberText.latency(microseconds: Double($0)) } ?? "–"
    }

    private static func hint(_ state: ViewState) -> ViewLine {
        let text =
            state.phase == .stopping
            ? "ending; the report follows" : "Ctrl-C ends the run and keeps the report"
        return ViewLine(text, .faint, .useful)
    }
}

/// Columns of figures, right-aligned; those that matter most where not all fit.
private struct Table {
    let label: Int
    private let cell: Int
    private let heads: [String]
    private let shown: [Int]

    init(columns: Int, label: Int, cell: Int, heads: [String], preference: [Int]) {
        self.label = label
        self.cell = cell
        self.heads = heads
        shown = preference.prefix(max(1, (columns - label) / cell)).sorted()
    }

    func head(_ name: String) -> ViewLine {
        let text = shown.map { heads[$0].padded(left: cell) }.joined()
        return ViewLine(name.padded(right: label) + text, .faint, .important)
    }

    func row(_ name: String, _ values: [String], _ importance: ViewLine.Importance) -> ViewLine {
        var line = ViewLine(name.padded(right: label), .faint, importance)
        line.add(shown.map { values[$0].padded(left: cell) }.joined())
        return line
    }
}

/// Spans of time in a view: "12.6 s", "3m05s", "1h02m05s".
enum Durations {
    static func text(_ seconds: Double) -> String {
        let whole = UInt64(min(max(0, seconds), 1e9))
        if whole < 60 { return Figures.trimmed(max(0, seconds), decimals: 1) + " s" }
        let pad: (UInt64) -> String = { $0 < 10 ? "0\($0)" : "\($0)" }
        let minutes = whole / 60
        if minutes < 60 { return "\(minutes)m\(pad(whole % 60))s" }
        return "\(minutes / 60)h\(pad(minutes % 60))m\(pad(whole % 60))s"
    }
}
