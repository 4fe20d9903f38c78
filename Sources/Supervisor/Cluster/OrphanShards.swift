import Core
import Platform

/// Shards on disk that are more than the workers: what workers adopt is told by the shards' own
/// folders, where their cursors move. Looked at no more often than somebody could tell.
final class OrphanShards {
    /// Ascending; as the cluster found them when it started, or was reloaded.
    let numbers: [Int]
    private let settings: Settings
    private var ledgers: [Int: RememberedLine] = [:]
    private var lookedAtMs: UInt64?
    private static let freshMs: UInt64 = 200

    /// - Parameter first: shards below have a worker of their own.
    init(_ settings: Settings, from first: Int) {
        self.settings = settings
        numbers = Glue.shardsOnDisk(settings).filter { $0 >= first }
        // What is removed before anybody asks shall be known.
        for shard in numbers {
            let found = Glue.spoolLedgerLine(settings, shard)
            ledgers[shard] = RememberedLine(found ?? SpoolLedgerLine(shard: shard))
        }
    }

    /// The worker that delivers what the shard holds.
    func adopter(of shard: Int) -> Int { shard % settings.workers }

    /// One for each of `numbers`. A shard whose folder cannot be read now is as it was; what waited
    /// in one that is gone, and stays gone, is dropped.
    func lines(nowMs: UInt64) -> [SpoolLedgerLine] {
        if numbers.isEmpty { return [] }
        if lookedAtMs.map({ nowMs >= $0 + Self.freshMs }) ?? true {
            lookedAtMs = nowMs
            for shard in numbers {
                guard let found = Glue.spoolLedgerLine(settings, shard) else { continue }
                ledgers[shard]?.take(found, nowMs: nowMs)
            }
        }
        return numbers.map { ledgers[$0]?.line ?? SpoolLedgerLine(shard: $0) }
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

/// What is known of a shard while the cluster lives, also of one whose folder was removed.
struct RememberedLine: Equatable {
    /// The worker that has adopted the shard makes its folder again within a second or two.
    static let patienceMs: UInt64 = 5000

    private(set) var line: SpoolLedgerLine
    private var goneSinceMs: UInt64?

    init(_ line: SpoolLedgerLine) { self.line = line }

    /// What its folder says now. Fewer hits than there were: the folder is gone, or another is there.
    mutating func take(_ found: SpoolLedgerLine, nowMs: UInt64) {
        let known = line.counts
        if found.counts.goodHits >= known.goodHits, found.counts.badHits >= known.badHits {
            (line, goneSinceMs) = (found, nil)
            return
        }
        let since = goneSinceMs ?? nowMs
        goneSinceMs = since
        if nowMs >= since + Self.patienceMs {
            line.counts.goodDropped += known.goodWaiting
            line.counts.badDropped += known.badWaiting
            line.oldestMicroseconds = 0
        }
    }
}
