/// The parts of the summary that judge.
enum TextFindings {
    static func verdicts(_ result: RunResult, _ ink: Ink) -> [String] {
        guard !result.verdicts.isEmpty else { return [] }
        let missed = result.verdicts.count { !$0.isMet }
        let width = min(30, result.verdicts.map(\.expectation.count).max() ?? 0)
        let rows = result.verdicts.flatMap { verdict in
            let word = verdict.isMet ? "met   " : "MISSED"
            let name = TextColumns.left(TextColumns.cut(verdict.expectation, 30), width)
            var lines = TextColumns.wrapped(verdict.found, first: "  \(word)  \(name)  ")
            // Painted after wrapping, which counts characters.
            lines[0] =
                "  " + (verdict.isMet ? ink.good(word) : ink.bad(word))
                + lines[0].dropFirst(2 + word.count)
            return lines
        }
        return [ink.bold("Expectations: \(missed == 0 ? "all met" : "\(missed) missed")")] + rows
    }

    static func ledger(_ result: RunResult, _ ink: Ink) -> [String] {
        guard let ledger = result.ledger else { return [] }
        var lines = [ink.bold("Ledger:")]
        for row in LedgerWords.rows(ledger) {
            let number = TextColumns.right(NumberText.grouped(row.count), 15)
            let name = TextColumns.left(row.name, 17)
            lines.append("  \(name)\(row.isFault ? ink.bad(number) : number)  \(row.meaning)")
        }
        if !ledger.lostExamples.isEmpty {
            lines += TextColumns.wrapped(
                ledger.lostExamples.joined(separator: ", "), first: "  lost, e.g. ")
        }
        return lines + ledger.notes.flatMap { TextColumns.wrapped($0, first: "  note: ") }
    }

    static func search(_ result: RunResult, _ ink: Ink) -> [String] {
        guard let search = result.search else { return [] }
        var lines = [ink.bold("Rate search:")] + TextColumns.wrapped(search.condition)
        let rates = search.trials.map { PlanWords.grouped($0.rate) }
        let width = rates.map(\.count).max() ?? 0
        for (trial, rate) in zip(search.trials, rates) {
            let first =
                "  \(TextColumns.right(rate, width))/s  \(trial.isHeld ? "held  " : "missed")  "
                + (trial.isRepeat ? "again  " : "       ")
            lines += TextColumns.wrapped(trial.found, first: first)
        }
        return lines + TextColumns.wrapped(SearchWords.outcome(search))
    }

    static func warnings(_ result: RunResult, _ ink: Ink) -> [String] {
        guard !result.warnings.isEmpty else { return [] }
        return [ink.warning("WARNINGS: read these before you believe the figures")]
            + result.warnings.flatMap { TextColumns.wrapped($0, first: "  ! ") }
    }
}

/// What a rate search found, in a sentence; for text and HTML alike.
enum SearchWords {
    private static func withoutRate(_ search: RunResult.RateSearch) -> String {
        guard let held = search.trials.filter(\.isHeld).map(\.rate).max() else {
            return "no rate held"
        }
        if search.trials.contains(where: \.isRepeat) { return "no rate held when it was repeated" }
        return "it ended before a rate was repeated; the highest that held once: "
            + "\(PlanWords.grouped(held)) requests/s"
    }

    static func outcome(_ search: RunResult.RateSearch) -> String {
        guard let rate = search.rate else { return withoutRate(search) }
        var text = "the highest rate that held again: \(PlanWords.grouped(rate)) requests/s"
        if let lowest = search.lowest, let highest = search.highest {
            text +=
                "; answered \(NumberText.fixed(lowest, 0, groups: true)) to "
                + "\(NumberText.fixed(highest, 0, groups: true)) a second"
        }
        return text
    }
}

/// Ledger findings in words; for text and HTML alike.
enum LedgerWords {
    struct Row: Equatable {
        var name: String
        var count: UInt64
        var meaning: String
        var isFault = false

        init(_ name: String, _ count: UInt64, _ meaning: String, isFault: Bool = false) {
            (self.name, self.count) = (name, count)
            (self.meaning, self.isFault) = (meaning, isFault)
        }
    }

    static func rows(_ ledger: LedgerFindings) -> [Row] {
        [
            Row("sent", ledger.sent, "requests"),
            Row("acked", ledger.acked, "answered 2xx or 3xx: promised"),
            Row("acked bad", ledger.ackedBad, "answered 400: promised as a bad row"),
            Row("refused", ledger.refused, "answered 503: not promised"),
            Row("other answers", ledger.otherAnswers, "not a hit"),
            Row("unanswered", ledger.unanswered, "no whole answer: not promised"),
            Row("delivered", ledger.delivered, "with a row in an object or the warehouse"),
            Row("spooled", ledger.spooled, "with a row still on its way"),
            Row("bad", ledger.bad, "with a bad row"),
            Row("lost", ledger.lost, "promised, and nowhere", isFault: ledger.lost > 0),
            Row("kept unpromised", ledger.unpromisedKept, "with a row, not promised: no fault"),
            Row("re-sent", ledger.resent, "rows too many, id seen before"),
            Row("retried", ledger.retried, "rows too many, id of their own"),
            Row("unrecorded", ledger.unrecorded, "rows of this run that no ledger has"),
            Row("foreign", ledger.foreign, "rows of others"),
        ]
    }
}
