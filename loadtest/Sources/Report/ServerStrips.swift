/// The server's own counters beside what the generator saw.
enum ServerStrips {
    /// More than fit a page help nobody.
    private static let most = 16
    /// What tells most of a Hydrant cluster, in the order a hit meets it. Others follow by name.
    private static let first = [
        "answers200", "answers400", "answers503", "accepted", "delivered", "bad", "spooled",
        "dropped", "good_spool_bytes", "window_bytes", "connections_open", "firehose_calls",
        "firehose_calls_failed", "firehose_row_bytes", "local_rows_loaded",
    ]

    static func chart(_ result: RunResult, length: Double) -> StripChart? {
        let names = names(result.server)
        guard result.server.count > 1, !names.isEmpty else { return nil }
        let strips = names.prefix(most).enumerated().map { place, name in
            strip(name, style: "c\(place % 6)", result.server)
        }
        return StripChart(
            title: "The server's counters",
            description: strips.map { "\($0.name): \($0.summary)" }.joined(separator: "; ") + ".",
            strips: strips, length: length)
    }

    /// Those that ever were more than nothing.
    private static func names(_ samples: [RunResult.ServerSample]) -> [String] {
        var seen: Set<String> = []
        for sample in samples {
            for (name, value) in sample.counters where value > 0 { seen.insert(name) }
        }
        return first.filter { seen.contains($0) } + seen.subtracting(first).sorted()
    }

    private static func strip(
        _ name: String, style: String, _ samples: [RunResult.ServerSample]
    ) -> StripChart.Strip {
        let values = samples.map { (second: $0.second, value: $0.counters[name] ?? 0) }
        let text = name.lowercased().contains("bytes") ? NumberText.bytes : plain
        if isLevel(name, values.map(\.value)) {
            let most = Double(values.map(\.value).max() ?? 0)
            return StripChart.Strip(
                name: name, style: style,
                // A bar fills the time up to its sample.
                points: zip(values, values.dropFirst()).map {
                    ChartPoint(x: $0.second, y: Double($1.value))
                },
                summary: most == 0 ? "none" : "at most \(text(most))", note: "level")
        }
        let gained = Double((values.last?.value ?? 0) - (values.first?.value ?? 0))
        let points = zip(values, values.dropFirst()).map { before, after in
            let seconds = after.second - before.second
            let more = Double(after.value - before.value)
            return ChartPoint(x: before.second, y: seconds > 0 ? more / seconds : 0)
        }
        let most = points.compactMap(\.y).max() ?? 0
        return StripChart.Strip(
            name: name, style: style, points: points,
            summary: gained == 0 ? "none" : "\(text(gained)) in all, ≤ \(text(most))/s",
            note: "a second")
    }

    /// What falls is no counter; and some names say that they are none.
    private static func isLevel(_ name: String, _ values: [UInt64]) -> Bool {
        let name = name.lowercased()
        let words = ["spool", "backlog", "queue", "inflight", "open", "waiting", "age"]
        return zip(values, values.dropFirst()).contains { $0 > $1 }
            || words.contains { name.contains($0) }
    }

    private static func plain(_ value: Double) -> String {
        NumberText.fixed(value, 0, groups: true)
    }
}
