/// The lower part of a frame: what became of requests, and the generator's own state.
extension LiveView {
    /// A name and its figure. An alarm comes before others where not all fit.
    private struct Item {
        var name: String
        var value: String
        var style = ViewLine.Style.plain
    }

    static func counts(_ state: ViewState, columns: Int) -> [ViewLine] {
        var lines = [
            line("answers", answerItems(state), .essential, columns),
            line("errors", errorItems(state), .essential, columns),
            line("now", levelItems(state), .useful, columns),
            line("generator", generatorItems(state), .important, columns),
        ]
        if let bytes = state.ledgerBytes {
            let item = Item(name: "", value: Figures.bytes(bytes))
            lines.append(line("ledger", [item], .extra, columns))
        }
        return lines
    }

    private static func answerItems(_ state: ViewState) -> [Item] {
        let answers = state.answers
        return [
            Item(name: "ok", value: NumberText.grouped(answers.ok), style: .good),
            counted("bad (400)", answers.bad, .warning),
            counted("refused (503)", answers.refused, .alarm),
            counted("other", answers.other, .alarm),
        ]
    }

    private static func errorItems(_ state: ViewState) -> [Item] {
        guard state.failed > 0 else { return [Item(name: "", value: "none")] }
        var items = state.failures.filter { $0.count > 0 }.map {
            counted(Self.name($0.kind), $0.count, .alarm)
        }
        if let words = state.lastFailure {
            items.append(Item(name: "last:", value: ViewLine.plainASCII(words)))
        }
        return items
    }

    static func name(_ failure: LoadCounter) -> String {
        switch failure {
        case .connectFailed: "connect failed"
        case .connectionBroken: "broken"
        case .timedOut: "timed out"
        case .answerMalformed: "malformed"
        case .tlsFailed: "TLS failed"
        default: "\(failure)"
        }
    }

    private static func levelItems(_ state: ViewState) -> [Item] {
        var items = [
            Item(name: "in flight", value: NumberText.grouped(state.inFlight)),
            Item(
                name: "connections",
                value: NumberText.grouped(state.connectionsOpen) + " of "
                    + NumberText.grouped(UInt64(max(0, state.connections)))),
        ]
        if state.model == .open {
            items.insert(Item(name: "backlog", value: NumberText.grouped(state.backlog)), at: 0)
        }
        return items
    }

    private static func generatorItems(_ state: ViewState) -> [Item] {
        var items: [Item] = []
        if state.model == .open {
            items = [
                counted("dropped", state.dropped, .alarm), counted("late", state.late, .alarm),
            ]
            if let error = state.scheduleP99Microseconds {
                let value = NumberText.latency(microseconds: Double(error))
                items.append(Item(name: "schedule error p99", value: value))
            }
        }
        if let load = state.cpuLoad {
            let isBusy = load >= Expectation.busyThreadLoad
            let value = "\(Int((load * 100).rounded()))%"
            items.append(Item(name: "CPU", value: value, style: isBusy ? .alarm : .plain))
        }
        return items
    }

    /// Zero is nothing to point at.
    private static func counted(_ name: String, _ value: UInt64, _ style: ViewLine.Style) -> Item {
        Item(name: name, value: NumberText.grouped(value), style: value > 0 ? style : .plain)
    }

    private static func line(
        _ name: String, _ items: [Item], _ importance: ViewLine.Importance, _ columns: Int
    ) -> ViewLine {
        let label = columns < 48 ? 12 : 14
        let fitting = fit(items, room: columns - label)
        let isAlarm = items.contains { $0.style == .alarm }
        // An alarm is a sign as well as a color: not everybody sees red, or has it.
        var line = ViewLine((isAlarm ? "! " + name : name).padded(right: label), .faint, importance)
        if isAlarm { line = ViewLine("! " + name.padded(right: label - 2), .alarm, .essential) }
        for (index, item) in fitting.enumerated() {
            if index > 0 { line.add("   ") }
            if !item.name.isEmpty { line.add(item.name + " ", .faint) }
            line.add(item.value, item.style)
        }
        return line
    }

    /// All of them, or as many as there is room for: alarms first, then in their order.
    private static func fit(_ items: [Item], room: Int) -> [Item] {
        func width(_ item: Item) -> Int {
            (item.name.isEmpty ? 0 : item.name.count + 1) + item.value.count + 3
        }
        guard items.reduce(-3, { $0 + width($1) }) > room else { return items }
        var left = room + 3
        var taken = Set<Int>()
        for index in items.indices where items[index].style == .alarm {
            guard taken.isEmpty || width(items[index]) <= left else { continue }
            taken.insert(index)
            left -= width(items[index])
        }
        for index in items.indices where !taken.contains(index) {
            guard taken.isEmpty || width(items[index]) <= left else { break }
            taken.insert(index)
            left -= width(items[index])
        }
        return items.indices.filter(taken.contains).map { items[$0] }
    }
}
