/// The tables of one run.
enum ResultTables {
    static func percentiles(_ result: RunResult) -> String {
        var table = HTMLTable(
            head: ["", "Response", "Service", "Schedule error"], numbers: [1, 2, 3])
        for percentile in RunResult.percentiles {
            table.rows.append(
                [NumberText.percentileName(percentile)]
                    + [result.response, result.service, result.schedule].map {
                        NumberText.latency($0.percentile(percentile))
                    })
        }
        let all = [result.response, result.service, result.schedule]
        table.rows.append(["max"] + all.map { NumberText.latency($0.greatest) })
        let distributions = all.map { $0.isEmpty ? nil : LatencyDistribution($0) }
        for (name, value) in [
            ("mean", { $0.mean }), ("standard deviation", { $0.standardDeviation }),
        ] as [(String, (LatencyDistribution) -> Double)] {
            table.rows.append(
                [name]
                    + distributions.map {
                        $0.map { NumberText.latency(microseconds: value($0)) } ?? "–"
                    })
        }
        return table.html
    }

    static func statuses(_ result: RunResult) -> String {
        var table = HTMLTable(head: ["Status", "Answers", "Share", "Meaning"], numbers: [1, 2])
        let answered = max(Double(result.totals[.answered]), 1)
        for row in result.statusRows {
            table.rows.append([
                escapedHTML(row.status), NumberText.grouped(row.count),
                NumberText.percent(Double(row.count) / answered), row.meaning,
            ])
        }
        return table.rows.isEmpty ? "<p>No answer came.</p>" : table.html
    }

    static func errors(_ result: RunResult) -> String {
        var table = HTMLTable(head: ["What happened", "Requests"], numbers: [1])
        table.rows = result.failureRows.map { [$0.words, NumberText.grouped($0.count)] }
        let unanswered = result.unanswered
        if unanswered > 0 {
            table.rows.append(["still open when the run ended", NumberText.grouped(unanswered)])
        }
        guard !table.rows.isEmpty else {
            return "<p>None: every request that was sent has a whole answer.</p>"
        }
        guard let failure = result.totals.lastFailure else { return table.html }
        return table.html
            + "<p class=\"dim\">The system’s words for the last one: \(escapedHTML(failure))</p>"
    }

    static func counters(_ result: RunResult) -> String {
        let totals = result.totals
        let rows: [(String, UInt64)] = [
            ("due", totals[.due]), ("sent", totals[.sent]), ("answered", totals[.answered]),
            ("dropped: due, never sent", totals[.dropped]),
            ("late: sent more than 1 ms after due", totals[.late]),
            ("connections opened", totals[.connectionsOpened]),
        ]
        var table = HTMLTable(numbers: [1])
        table.rows = rows.map { [$0.0, NumberText.grouped($0.1)] }
        table.rows.append(["read", NumberText.bytes(Double(totals[.bytesRead]))])
        table.rows.append(["written", NumberText.bytes(Double(totals[.bytesWritten]))])
        return table.html
    }

    static func plan(_ plan: LoadPlan) -> String {
        var table = HTMLTable()
        table.rows = PlanRows.rows(plan).map { [escapedHTML($0.name), escapedHTML($0.value)] }
        return "<div class=\"knobs\">\(table.html)</div>"
    }

    static func machines(_ result: RunResult) -> String {
        let machines = result.parts?.map(\.machine) ?? [result.machine]
        var table = HTMLTable(head: ["Host", "CPU", "Cores", "Memory", "Kernel"], numbers: [2, 3])
        table.rows = machines.map {
            [
                escapedHTML($0.host), escapedHTML($0.cpu), "\($0.cores)",
                NumberText.bytes(Double($0.memoryBytes)), escapedHTML($0.kernel),
            ]
        }
        return table.html
    }

    static func threads(_ result: RunResult) -> String {
        guard !result.threadLoads.isEmpty else { return "" }
        let loads = result.threadLoads.prefix(256).map { "\(NumberText.fixed($0 * 100, 0)) %" }
        let stolen = result.stolenShare.map {
            "; stolen by this machine's host: \(NumberText.fixed($0 * 100, 1)) %"
        }
        return "<p class=\"dim\">CPU of each generator thread, of a core: "
            + "\(loads.joined(separator: ", "))\(stolen ?? "")</p>"
    }

    static func ledger(_ ledger: LedgerFindings) -> String {
        var table = HTMLTable(head: ["", "Requests or rows", "Meaning"], numbers: [1])
        for (place, row) in LedgerWords.rows(ledger).enumerated() {
            table.rows.append([row.name, NumberText.grouped(row.count), row.meaning])
            if row.isFault { table.rowClasses[place] = "fault" }
        }
        var out = table.html
        if !ledger.lostExamples.isEmpty {
            let names = ledger.lostExamples.map(escapedHTML).joined(separator: ", ")
            out += "<p>Lost, for example: \(names)</p>"
        }
        return out + ledger.notes.map { "<p class=\"dim\">Note: \(escapedHTML($0))</p>" }.joined()
    }

    static func search(_ search: RunResult.RateSearch) -> String {
        var table = HTMLTable(head: ["Rate, requests/s", "", "", "Found"], numbers: [0])
        table.rows = search.trials.map {
            [
                PlanWords.grouped($0.rate), $0.isHeld ? "held" : "missed",
                $0.isRepeat ? "again" : "", escapedHTML($0.found),
            ]
        }
        return "<p>\(escapedHTML(search.condition)): \(SearchWords.outcome(search)).</p>"
            + table.html
    }

    /// At most 120 rows: a second each, or several.
    static func seconds(_ result: RunResult) -> String {
        var table = HTMLTable(
            head: [
                "Second", "Asked/s", "Sent/s", "Answered/s", "p50", "p99", "max", "Errors",
                "Dropped", "Late",
            ], numbers: Set(0...9))
        let size = max(1, (result.seconds.count + 119) / 120)
        for start in stride(from: 0, to: result.seconds.count, by: size) {
            let stretch = result.seconds[start..<min(start + size, result.seconds.count)]
            let span = max(stretch.reduce(0) { $0 + $1.spanSeconds }, 1e-9)
            let cells = LatencyCells.sum(stretch.lazy.map(\.response))
            let rates = [LoadCounter.due, .sent, .answered].map { counter in
                let sum = stretch.reduce(0) { $0 + $1[counter] }
                return NumberText.fixed(Double(sum) / span, 0, groups: true)
            }
            let counts = [
                stretch.reduce(0) { $0 + $1.errors }, stretch.reduce(0) { $0 + $1[.dropped] },
                stretch.reduce(0) { $0 + $1[.late] },
            ]
            table.rows.append(
                ["\(stretch.first!.index)"] + rates
                    + cells.percentiles([50, 99, 100]).map(NumberText.latency)
                    + counts.map(NumberText.grouped))
        }
        return table.html
    }
}
