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
            try write(schema.text, to: schemaPath)
            effective.schemaFile = schemaPath
        }
        try write(SettingsFile.text(for: effective), to: path)
    }

    private static func write(_ text: String, to path: String) throws(ClusterFailure) {
        do throws(Failure) {
            try SmallFile.writeEvenIfFull(Array(text.utf8), to: path)
        } catch {
            throw ClusterFailure.cannotWrite(path, error)
        }
    }

    /// The credentials that a worker would find in mode aws.
    static func findCredentials(_ settings: Settings) throws -> FoundCredentials {
        do {
            return try CredentialLookup.run(settings)
        } catch let error as NoCredentials {
            throw CredentialsReport.Failure(attempts: error.attempts)
        }
    }

    /// What the spool of a stopped cluster holds, a line a shard.
    static func spoolLedgers(_ settings: Settings) throws -> [ShardLedger] {
        let host = hostName()
        return try SpoolSummary.readAll(spoolFolder: settings.spoolFolder).map { summary in
            let line = SpoolLedgerLine(summary)
            return ShardLedger(
                shard: line.shard, stream: settings.streamName(shard: line.shard, host: host),
                ledger: Ledger(line.counts), oldestMicroseconds: line.oldestMicroseconds)
        }
    }

    /// The process that has a shard's lock, where it tells.
    static func holder(of shard: Int, _ settings: Settings) -> Int32? {
        SpoolListing.holder(spoolFolder: settings.spoolFolder, shard: shard)
            .flatMap { $0.pid }.flatMap { Int32(exactly: $0) }
    }

    /// The shards that have a folder; none when that cannot be told.
    static func shardsOnDisk(_ settings: Settings) -> [Int] {
        (try? SpoolSummary.shards(in: settings.spoolFolder)) ?? []
    }

    /// What one shard's folder says; nil when it cannot be read.
    static func spoolLedgerLine(_ settings: Settings, _ shard: Int) -> SpoolLedgerLine? {
        (try? SpoolSummary.read(spoolFolder: settings.spoolFolder, shard: shard)).map {
            SpoolLedgerLine($0)
        }
    }
}

extension SpoolLedgerLine {
    fileprivate init(_ summary: SpoolSummary) {
        self.init(shard: summary.shard)
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
        counts.badSetAside = bad.setAside
        let waiting = [good, bad].map(\.oldestUndeliveredMicroseconds).filter { $0 > 0 }
        oldestMicroseconds = waiting.min() ?? 0
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? dropLast(suffix.count) + other : self + other
    }
}
