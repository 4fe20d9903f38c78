/// The figures people look for first.
struct RunTiles {
    private let result: RunResult

    init(_ result: RunResult) { self.result = result }

    var html: String {
        "<dl class=\"tiles\">\n\(rates.joined())</dl>\n<dl class=\"tiles\">\n"
            + "\(latencies.joined())</dl>\n<dl class=\"tiles\">\n\(troubles.joined())</dl>\n"
    }

    private var rates: [String] {
        let totals = result.totals
        return [
            tile("Asked", rate(result.askedRate), unit: "/s", "\(grouped(totals[.due])) due"),
            tile("Sent", rate(result.sentRate), unit: "/s", "\(grouped(totals[.sent])) requests"),
            tile(
                "Answered", rate(result.answeredRate), unit: "/s",
                "\(grouped(totals[.answered])) whole answers"),
            tile(
                "Success", NumberText.percent(result.successShare), "accepted or bad, of all due"),
        ]
    }

    private var latencies: [String] {
        let names: [(Double, String)] = [(50, "p50"), (99, "p99"), (99.9, "p99.9"), (100, "max")]
        return names.map { percentile, name in
            let text = NumberText.latency(result.response.percentile(percentile))
            let parts = text.split(separator: " ").map(String.init)
            let service = NumberText.latency(result.service.percentile(percentile))
            return tile(
                "Response \(name)", parts[0], unit: parts.count > 1 ? " \(parts[1])" : "",
                "service \(service)")
        }
    }

    private var troubles: [String] {
        let totals = result.totals
        let share = Double(totals.errors) / Double(max(totals[.sent], 1))
        let refused = totals.answers(.refused)
        return [
            tile(
                "Errors", grouped(totals.errors),
                totals.errors == 0
                    ? "none"
                    : "\(NumberText.percent(share)) of sent; \(grouped(refused)) refused",
                kind: totals.errors > 0 ? "bad" : ""),
            tile(
                "Dropped", grouped(totals[.dropped]), "due, but never sent",
                kind: totals[.dropped] > 0 ? "warn" : ""),
            tile("Late", grouped(totals[.late]), "sent > 1 ms after due", kind: lateKind),
            lost,
        ]
    }

    /// A few late ones are the kernel's scheduling; one in a hundred is worth a look.
    private var lateKind: String {
        result.totals[.late] * 100 > result.totals[.sent] ? "warn" : ""
    }

    private var lost: String {
        guard let ledger = result.ledger else {
            return tile("Lost", "–", "no ledger was judged")
        }
        return tile(
            "Lost", grouped(ledger.lost), "\(grouped(ledger.duplicated)) duplicate rows",
            kind: ledger.lost > 0 ? "bad" : "")
    }

    private func tile(
        _ name: String, _ value: String, unit: String = "", _ under: String, kind: String = ""
    ) -> String {
        let unit = unit.isEmpty ? "" : "<small>\(escapedHTML(unit))</small>"
        return "<div class=\"tile\(kind.isEmpty ? "" : " \(kind)")\"><dt>\(escapedHTML(name))</dt>"
            + "<dd class=\"value\">\(escapedHTML(value))\(unit)</dd>"
            + "<dd class=\"under\">\(escapedHTML(under))</dd></div>\n"
    }

    private func grouped(_ value: UInt64) -> String { NumberText.grouped(value) }
    private func rate(_ value: Double) -> String { NumberText.fixed(value, 0, groups: true) }
}
