import Config
import Core
import Platform
import Worker

/// Where the supervisor meets the other targets: each function is one call into them.
enum Glue {
    /// The effective settings and schema as files that children read back: a child restarted after
    /// somebody edited the originals is still of one mind with its siblings.
    static func writeSettings(
        _ settings: Settings, _ schema: SchemaFile, to path: String
    ) throws {
        var effective = settings
        if settings.schemaFile != nil {
            let schemaPath = path.replacingSuffix(".toml", with: "-schema.toml")
            try SmallFile.write(Array(schema.text.utf8), to: schemaPath, mode: 0o644)
            effective.schemaFile = schemaPath
        }
        try SmallFile.write(Array(SettingsFile.text(for: effective).utf8), to: path, mode: 0o644)
    }

    /// What the spool of a stopped cluster holds, a line a shard.
    static func spoolLedgers(_ settings: Settings) throws -> [ShardLedger] {
        let host = hostName()
        return try SpoolSummary.readAll(spoolFolder: settings.spoolFolder).map { summary in
            var counts = LedgerCounts()
            let good = summary.ledger.good
            let bad = summary.ledger.bad
            counts.goodHits = good.cumulativeHits
            counts.goodDelivered = good.delivered
            counts.goodSetAside = good.setAside
            counts.goodDropped = good.dropped
            counts.badHits = bad.cumulativeHits
            counts.badMoved = bad.cumulativeMoved
            counts.badDelivered = bad.delivered
            counts.badDropped = bad.dropped
            let waiting = [good, bad].map(\.oldestUndeliveredMicroseconds).filter { $0 > 0 }
            return ShardLedger(
                shard: summary.shard,
                stream: settings.streamName(shard: summary.shard, host: host),
                ledger: Ledger(counts), oldestMicroseconds: waiting.min() ?? 0)
        }
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? dropLast(suffix.count) + other : self + other
    }
}
