/// A report that is one file: no script, no font, no image, no address that a browser would ask. It
/// can be attached to a ticket, opened in ten years, and printed.
struct HTMLReport {
    let html: String

    /// The report of one run.
    init(_ result: RunResult) { html = RunPage(result).html }

    private init(html: String) { self.html = html }

    /// Runs beside one another; ratios are to the first.
    ///
    /// - Parameter names: what to call each, a file's name perhaps; else host and time.
    static func comparing(_ results: [RunResult], names: [String] = []) -> HTMLReport {
        HTMLReport(html: ComparisonPage(results, names: names).html)
    }
}

/// What all pages are made of. Arguments named `html` are HTML already, others are not.
enum HTMLPage {
    static func page(title: String, html body: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" \
        content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
        <title>\(escapedHTML(title))</title>
        <link rel="icon" href="data:,">
        <style>
        \(reportStyle)
        </style>
        </head>
        <body>
        <main>
        \(body)
        </main>
        </body>
        </html>

        """
    }

    static func card(_ title: String, note: String = "", html: String) -> String {
        let note = note.isEmpty ? "" : "<p class=\"dim\">\(escapedHTML(note))</p>\n"
        return
            "<section class=\"card\">\n<h2>\(escapedHTML(title))</h2>\n\(note)\(html)</section>\n"
    }

    static func chart(_ title: String, note: String, svg: String) -> String {
        card(title, note: note, html: "<div class=\"scroll\">\(svg)</div>\n")
    }

    static func columns(_ cards: [String]) -> String {
        "<div class=\"columns\">\n\(cards.filter { !$0.isEmpty }.joined())</div>\n"
    }

    /// Items are HTML.
    static func banner(_ kind: String, _ title: String, items: [String]) -> String {
        "<section class=\"banner \(kind)\">\n<h2>\(escapedHTML(title))</h2>\n<ul>\n"
            + items.map { "<li>\($0)</li>\n" }.joined() + "</ul>\n</section>\n"
    }
}

/// The report of one run.
struct RunPage {
    private let result: RunResult
    private let charts: ResultCharts

    init(_ result: RunResult) {
        self.result = result
        charts = ResultCharts(result: result)
    }

    var html: String {
        let url = PlanWords.url(result.plan.target)
        return HTMLPage.page(
            title: "Load test of \(url)",
            html: [head(url), verdicts, warnings, RunTiles(result).html, drawings, tables, footer]
                .joined(separator: "\n"))
    }

    private func head(_ url: String) -> String {
        var facts = [
            result.startedAt, NumberText.duration(seconds: result.elapsedSeconds),
            result.mergedFrom.map { "merged from \($0) results" } ?? result.machine.host,
            "Hydrant \(result.hydrantVersion)",
        ]
        if result.wasInterrupted { facts.append("interrupted: figures are of what was sent") }
        return """
            <header>
            <p class="eyebrow">Load test</p>
            <h1>\(escapedHTML(url))</h1>
            <p>\(escapedHTML(PlanWords.sentence(result.plan)))</p>
            <p class="dim">\(facts.map(escapedHTML).joined(separator: " · "))</p>
            </header>

            """
    }

    private var verdicts: String {
        guard !result.verdicts.isEmpty else { return "" }
        let missed = result.verdicts.count { !$0.isMet }
        let all = result.verdicts.count
        let title =
            missed == 0
            ? "\(all == 1 ? "The expectation is" : "All \(all) expectations are") met"
            : "\(missed) of \(PlanWords.count(all, "expectation")) missed"
        let items = result.verdicts.map { verdict in
            let mark =
                verdict.isMet
                ? "<span class=\"mark good\">✓ met</span>"
                : "<span class=\"mark bad\">✗ missed</span>"
            return "\(mark)<strong>\(escapedHTML(verdict.expectation))</strong>"
                + "<span>\(escapedHTML(verdict.found))</span>"
        }
        return HTMLPage.banner(missed == 0 ? "good" : "bad", title, items: items)
    }

    private var warnings: String {
        guard !result.warnings.isEmpty else { return "" }
        return HTMLPage.banner(
            "warn", "Read this before you believe the figures",
            items: result.warnings.map { "<span>\(escapedHTML($0))</span>" })
    }

    private var drawings: String {
        guard !result.seconds.isEmpty else { return "" }
        var out = HTMLPage.chart(
            "Rate", note: "What was asked for, what was sent, and what was answered, a second.",
            svg: charts.rates.svg)
        out += HTMLPage.chart(
            "Response time",
            note: "Of the answers of each second. " + Self.meaning(result.plan.model),
            svg: charts.latencies.svg)
        out += spectrum
        out += HTMLPage.chart(
            "Trouble", note: "By second; each strip has its own scale.", svg: charts.troubles.svg)
        out += HTMLPage.chart(
            "Backlog and requests in flight", note: "At the end of each second.",
            svg: charts.levels.svg)
        if let server = ServerStrips.chart(result, length: charts.length) {
            out += HTMLPage.chart(
                "The server’s counters",
                note: "What the server itself counted meanwhile; each strip has its own scale.",
                svg: server.svg)
        }
        return out
    }

    private var spectrum: String {
        guard !result.response.isEmpty else { return "" }
        return HTMLPage.chart(
            "Percentile spectrum",
            note: "How long all but the slowest took, over the whole run. The axis stretches "
                + "toward 100 %.", svg: charts.spectrum.svg)
    }

    static func meaning(_ model: LoadPlan.Model) -> String {
        switch model {
        case .open:
            "Response time counts from when a request was due, service time from when it was written."
        case .closed:
            "Closed model: a slow server is asked less, so the waiting it causes is not seen."
        }
    }

    private var tables: String {
        var out = HTMLPage.columns(
            [
                HTMLPage.card("Percentiles", html: ResultTables.percentiles(result)),
                HTMLPage.card("Status codes", html: ResultTables.statuses(result))
                    + HTMLPage.card("Errors", html: ResultTables.errors(result)),
            ].map { "<div>\($0)</div>" })
        if let search = result.search {
            out += HTMLPage.card("Rate search", html: ResultTables.search(search))
        }
        if let ledger = result.ledger {
            out += HTMLPage.card(
                "Ledger", note: "What became of every request, held against where its row must be.",
                html: ResultTables.ledger(ledger))
        }
        out += HTMLPage.card("Plan", html: command + ResultTables.plan(result.plan))
        out += HTMLPage.card(
            "Machine",
            html: ResultTables.machines(result) + ResultTables.threads(result))
        guard !result.seconds.isEmpty else { return out }
        return out
            + HTMLPage.card(
                "Figures",
                html: ResultTables.counters(result) + "<details><summary>By second</summary>\n"
                    + ResultTables.seconds(result) + "</details>\n")
    }

    private var command: String {
        let lines = (result.parts?.map(\.commandLine) ?? [result.commandLine]).map(shellQuoted)
        return "<pre>\(escapedHTML(lines.joined(separator: "\n")))</pre>\n"
    }

    private var footer: String {
        "<footer>Made by Hydrant \(escapedHTML(result.hydrantVersion)) · hydrant load</footer>"
    }
}
