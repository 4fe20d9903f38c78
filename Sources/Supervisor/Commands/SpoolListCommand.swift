import ArgumentParser
import Core
import Platform
import Worker

struct SpoolListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List shards and lanes: files, bytes, hits, what waits.")

    @OptionGroup var report: SpoolReportOptions

    func run() throws {
        try report.make { settings, shards, json in
            let list = SpoolList(
                shards: try shards.map {
                    try SpoolListing.read(spoolFolder: settings.spoolFolder, shard: $0)
                }, workers: settings.workers, nowMicroseconds: realtimeMicroseconds())
            print(json ? list.json : list.table, terminator: json ? "\n" : "")
        }
    }
}

/// What `spool ls` shows.
struct SpoolList {
    var shards: [SpoolListing]
    /// Shards from this number on have no worker.
    var workers: Int
    var nowMicroseconds: UInt64

    var table: String {
        let header = [
            "shard", "lane", "segments", "bytes", "hits", "delivered", "aside", "spooled",
            "dropped",
            "missing", "oldest", "quarantine",
        ]
        let rows = shards.flatMap { shard in
            shard.lanes.map { lane in
                let age = ageMs(lane.ledger)
                return [
                    "\(shard.shard)", lane.lane.word, "\(lane.segments)",
                    grouped(lane.ledger.byteCount), grouped(lane.ledger.cumulativeHits),
                    grouped(lane.ledger.delivered), grouped(lane.ledger.setAside),
                    grouped(lane.ledger.undelivered),
                    grouped(lane.ledger.dropped), grouped(lane.missing),
                    age == 0 ? "-" : seconds(age),
                    lane.quarantinedSpans == 0 ? "-" : grouped(lane.quarantinedBytes) + " B",
                ]
            }
        }
        return align([header] + rows) + "\n" + shards.map(who).joined() + whatIsMissing
            + whatIsForeign
    }

    /// "" when nothing is.
    private var whatIsForeign: String {
        shards.flatMap { shard in
            shard.lanes.filter { $0.foreignFiles > 0 }.map { lane in
                "shard \(shard.shard) \(lane.lane.word): \(counted(lane.foreignFiles, "file")) of "
                    + "another shard, lane or version, whose rows nobody delivers: docs/spool.md says how to "
                    + "give them back\n"
            }
        }.joined()
    }

    /// "" when nothing is.
    private var whatIsMissing: String {
        shards.flatMap { shard in
            shard.lanes.filter { $0.missing > 0 }.map { lane in
                "shard \(shard.shard) \(lane.lane.word): \(countedHits(lane.missing)) not delivered "
                    + "and in no file, counted as dropped; where: hydrant spool verify\n"
            }
        }.joined()
    }

    private func who(_ shard: SpoolListing) -> String {
        let orphan =
            shard.shard >= workers
            ? ", beyond the settings' \(counted(workers, "worker")): worker "
                + "\(shard.shard % workers) adopts it" : ""
        guard let holder = shard.holder else {
            return "shard \(shard.shard): \(shard.folder), not in use\(orphan)\n"
        }
        let process = holder.pid.map { "process \($0)" } ?? "a process"
        return "shard \(shard.shard): \(shard.folder), in use by \(process)\(orphan)\n"
    }

    private func ageMs(_ ledger: LaneLedger) -> UInt64 {
        let oldest = ledger.oldestUndeliveredMicroseconds
        return oldest == 0 || oldest > nowMicroseconds ? 0 : (nowMicroseconds - oldest) / 1000
    }

    var json: String {
        var json = JSONText()
        json.array(shards) { json, shard in
            json.object { json in
                json.field("shard", shard.shard)
                json.field("folder", shard.folder)
                json.key("in_use")
                json.bool(shard.holder != nil)
                json.key("pid")
                if let pid = shard.holder?.pid { json.number(pid) } else { json.null() }
                json.key("has_worker")
                json.bool(shard.shard < workers)
                json.key("lanes")
                json.array(shard.lanes) { json, lane in json.object { $0.lane(lane, ageMs) } }
            }
        }
        return json.text
    }
}

extension JSONText {
    fileprivate mutating func lane(_ lane: SpoolListing.Lane, _ ageMs: (LaneLedger) -> UInt64) {
        field("lane", lane.lane.word)
        field("segments", lane.segments)
        field("newest_segment", lane.newest)
        field("bytes", lane.ledger.byteCount)
        field("hits", lane.ledger.cumulativeHits)
        field("moved", lane.ledger.cumulativeMoved)
        field("delivered", lane.ledger.delivered)
        field("set_aside", lane.ledger.setAside)
        field("dropped", lane.ledger.dropped)
        field("missing", lane.missing)
        field("spooled", lane.ledger.undelivered)
        field("foreign_files", lane.foreignFiles)
        key("oldest_undelivered_s")
        seconds(ms: ageMs(lane.ledger))
        field("quarantined_spans", lane.quarantinedSpans)
        field("quarantined_bytes", lane.quarantinedBytes)
    }
}
