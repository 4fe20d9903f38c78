extension RunResult {
    /// A line a second, with a header; every value is a number, and empty where there is none.
    func csv() -> String {
        let statuses = statusRows.map(\.status)
        let columns =
            Self.columns
            + statuses.map { status in
                ("status_\(status)", { String($0.statuses[status] ?? 0) })
            }
        var lines = [columns.map(\.0).joined(separator: ",")]
        lines += seconds.map { second in columns.map { $0.1(second) }.joined(separator: ",") }
        return lines.joined(separator: "\n") + "\n"
    }

    private typealias Column = (String, (Second) -> String)

    private static var columns: [Column] {
        [
            ("second", { String($0.index) }),
            ("span_seconds", { NumberText.fixed($0.spanSeconds, 3) }),
        ] + counts + levels + failures + latencies("response", \.response)
            + latencies("service", \.service)
            + [("stolen_percent", { $0.stolenShare.map { NumberText.fixed($0 * 100, 2) } ?? "" })]
    }

    private static var counts: [Column] {
        [
            ("due", { String($0[.due]) }),
            ("sent", { String($0[.sent]) }),
            ("answered", { String($0[.answered]) }),
            ("accepted", { String($0.answers(.accepted)) }),
            ("bad", { String($0.answers(.bad)) }),
            ("refused", { String($0.answers(.refused)) }),
            ("other_answers", { String($0.answers(.other)) }),
            ("errors", { String($0.errors) }),
            ("dropped", { String($0[.dropped]) }),
            ("late", { String($0[.late]) }),
        ]
    }

    private static var levels: [Column] {
        [
            ("backlog", { String($0.backlog) }),
            ("in_flight", { String($0.inFlight) }),
            ("connections_open", { String($0.connectionsOpen) }),
            ("connections_opened", { String($0[.connectionsOpened]) }),
            ("read_bytes", { String($0[.bytesRead]) }),
            ("written_bytes", { String($0[.bytesWritten]) }),
        ]
    }

    private static var failures: [Column] {
        [
            ("connect_failed", { String($0[.connectFailed]) }),
            ("connection_broken", { String($0[.connectionBroken]) }),
            ("timed_out", { String($0[.timedOut]) }),
            ("answer_malformed", { String($0[.answerMalformed]) }),
            ("tls_failed", { String($0[.tlsFailed]) }),
        ]
    }

    private static func latencies(
        _ name: String, _ cells: @escaping (Second) -> LatencyCells
    ) -> [Column] {
        [("p50", 50), ("p90", 90), ("p99", 99), ("p99_9", 99.9), ("p99_99", 99.99), ("max", 100)]
            .map { label, percentile in
                (
                    "\(name)_\(label)_ms",
                    { NumberText.milliseconds(cells($0).percentile(percentile)) }
                )
            }
    }
}
