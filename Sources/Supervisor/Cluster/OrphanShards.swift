import Core
import Platform

/// Shards on disk that are more than the workers: what workers adopt is told by the shards' own
/// folders, where their cursors move. Looked at no more often than somebody could tell.
final class OrphanShards {
    /// Ascending; as the cluster found them when it started, or was reloaded.
    let numbers: [Int]
    private let settings: Settings
    private var ledgers: [Int: SpoolLedgerLine] = [:]
    private var lookedAtMs: UInt64?
    private static let freshMs: UInt64 = 200

    /// - Parameter first: shards below have a worker of their own.
    init(_ settings: Settings, from first: Int) {
        self.settings = settings
        numbers = Glue.shardsOnDisk(settings).filter { $0 >= first }
    }

    /// The worker that delivers what the shard holds.
    func adopter(of shard: Int) -> Int { shard % settings.workers }

    /// One for each of `numbers`. A shard whose folder cannot be read now is as it was.
    func lines(nowMs: UInt64) -> [SpoolLedgerLine] {
        if numbers.isEmpty { return [] }
        if lookedAtMs.map({ nowMs >= $0 + Self.freshMs }) ?? true {
            lookedAtMs = nowMs
            for shard in numbers {
                if let line = Glue.spoolLedgerLine(settings, shard) { ledgers[shard] = line }
            }
        }
        return numbers.map { ledgers[$0] ?? SpoolLedgerLine(shard: $0) }
    }
}

/// What shards' folders say of them, read no more often than somebody could tell.
struct SpoolLook {
    private var lines: [Int: (line: SpoolLedgerLine, atMs: UInt64)] = [:]
    private static let freshMs: UInt64 = 200

    mutating func line(of shard: Int, _ settings: Settings, nowMs: UInt64) -> SpoolLedgerLine {
        if let known = lines[shard], nowMs < known.atMs + Self.freshMs { return known.line }
        let line =
            Glue.spoolLedgerLine(settings, shard) ?? lines[shard]?.line
            ?? SpoolLedgerLine(shard: shard)
        lines[shard] = (line, nowMs)
        return line
    }
}

/// What a shard's folder says of it.
struct SpoolLedgerLine: Equatable {
    var shard: Int
    var counts = LedgerCounts()
    /// When the oldest undelivered row came; 0 if none waits.
    var oldestMicroseconds: UInt64 = 0
}
