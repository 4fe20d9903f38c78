import ArgumentParser
import Core
import Platform
import Worker

struct SpoolVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every record and check it; exit status 1 if anything is damaged.",
        discussion: """
            A torn tail is what a kill leaves of a write that nobody was told of; it is no damage. \
            Beside a running cluster the newest record may look torn because it is being written.
            """)

    @OptionGroup var report: SpoolReportOptions

    func run() throws {
        try report.make { settings, shards, json in
            var report = SpoolVerifyReport()
            for shard in shards {
                for lane in SpoolLaneName.allCases {
                    let part = try Self.verify(settings.spoolFolder, shard, lane)
                    report.lanes.append(part)
                    if !json { print(part.text(spoolFolder: settings.spoolFolder), terminator: "") }
                }
            }
            print(json ? report.json : report.summary)
            if report.hasDamage { throw ExitCode(ClusterExit.failed) }
        }
    }

    private static func verify(
        _ folder: String, _ shard: Int, _ lane: SpoolLaneName
    ) throws -> SpoolVerifyReport.Lane {
        var walk = try LaneWalk(spoolFolder: folder, shard: shard, lane: lane)
        var part = SpoolVerifyReport.Lane(shard: shard, lane: lane)
        part.bytes = walk.byteCount
        var progress = SpoolProgress(
            "verifying shard \(shard) \(lane.word)", bytesTotal: walk.byteCount)
        defer { progress.end() }
        while true {
            switch walk.next() {
            case .record(let record):
                part.records += 1
                part.hits += UInt64(record.header.hitCount)
            case .finding(let finding):
                part.findings.append(finding)
            case .end: return part
            }
            progress.show(walk.bytesRead)
        }
    }
}

/// What `spool verify` found.
struct SpoolVerifyReport {
    struct Lane: Equatable {
        var shard: Int
        var lane: SpoolLaneName
        var records: UInt64 = 0
        var hits: UInt64 = 0
        var bytes: UInt64 = 0
        var findings: [SpoolFinding] = []

        init(shard: Int, lane: SpoolLaneName) { (self.shard, self.lane) = (shard, lane) }

        /// Those that are known, too.
        var hitsMissing: UInt64 {
            findings.reduce(0) { $0 + ($1.kind == .missing ? $1.hits : 0) }
        }
    }

    var lanes: [Lane] = []

    var hasDamage: Bool { lanes.contains { $0.findings.contains(where: \.isDamage) } }

    var summary: String {
        let damaged = lanes.reduce(0) { $0 + $1.findings.count(where: \.isDamage) }
        let records = lanes.reduce(0) { $0 + $1.records }
        let hits = lanes.reduce(0) { $0 + $1.hits }
        let missing = lanes.reduce(0) { $0 + $1.hitsMissing }
        let words =
            "\(grouped(records)) records with \(grouped(hits)) hits can be read"
            + (missing == 0
                ? "" : ", \(countedHits(missing)) \(missing == 1 ? "is" : "are") missing")
        if damaged == 0 { return "ok: \(words)" }
        return "damaged: \(words); what is damaged is listed above. Delivery goes round it by "
            + "itself; `hydrant spool repair` (with the cluster stopped) takes it out"
    }

    var json: String {
        var json = JSONText()
        json.object { json in
            json.key("damaged")
            json.bool(hasDamage)
            json.field("missing", lanes.reduce(0) { $0 + $1.hitsMissing })
            json.key("lanes")
            json.array(lanes) { json, lane in json.object { $0.lane(lane) } }
        }
        return json.text
    }
}

extension SpoolVerifyReport.Lane {
    /// A line for each thing found, with its file, and one for the lane.
    func text(spoolFolder: String) -> String {
        var text = ""
        for finding in findings {
            text += "\(spoolFolder)/shard-\(shard)/\(lane.word)/\(finding.words)\n"
        }
        let missing = hitsMissing == 0 ? "" : "\(countedHits(hitsMissing)) missing, "
        return text
            + "shard \(shard) \(lane.word): \(grouped(records)) record\(records == 1 ? "" : "s"), "
            + "\(countedHits(hits)), \(missing)\(grouped(bytes)) B\n"
    }
}

func countedHits(_ hits: UInt64) -> String { "\(grouped(hits)) hit\(hits == 1 ? "" : "s")" }

extension SpoolFinding {
    fileprivate var file: String { SpoolNames.segment(segment) }

    /// Of missing hits: with the file's name.
    var place: String { segment == 0 ? "with all segments" : "\(whereabouts) of \(file)" }

    /// Of missing hits: where in the file, or beside it.
    private var whereabouts: String {
        if isAtEnd { return "behind its end" }
        return "before byte \(grouped(offset))"
            + (offset == UInt64(SegmentHead.byteCount) ? " (its first record)" : "")
    }

    /// The file's name in its lane, where in it, and what is wrong.
    var words: String {
        let range = "\(file): \(grouped(byteCount)) bytes from byte \(grouped(offset))"
        return switch kind {
        case .damage: "\(range): damaged"
        case .head: "\(file): head damaged; costs no hit"
        case .tornTail: "\(range): torn tail, never acknowledged"
        case .missing:
            (segment == 0 ? "no segment is left: missing: " : "\(file): missing \(whereabouts): ")
                + countedHits(hits) + (isAccounted ? " (known)" : "")
        case .repeated:
            "\(file): byte \(grouped(offset)): a record whose hits came before; is not delivered"
        case .foreign:
            "\(file): of another lane, shard or version; nobody delivers it here (docs/spool.md)"
        case .unreadable: "\(file): cannot be opened"
        case .cursor: "cursor: damaged; delivery begins at the oldest segment"
        }
    }

    fileprivate var word: String {
        switch kind {
        case .damage: "damage"
        case .head: "head"
        case .tornTail: "torn_tail"
        case .missing: "missing"
        case .repeated: "repeated"
        case .foreign: "foreign"
        case .unreadable: "unreadable"
        case .cursor: "cursor"
        }
    }
}

extension JSONText {
    fileprivate mutating func lane(_ lane: SpoolVerifyReport.Lane) {
        field("shard", lane.shard)
        field("lane", lane.lane.word)
        field("records", lane.records)
        field("hits", lane.hits)
        field("bytes", lane.bytes)
        key("findings")
        array(lane.findings) { json, finding in
            json.object { json in
                json.field("kind", finding.word)
                json.field("segment", finding.segment)
                json.field("offset", finding.offset)
                json.field("bytes", finding.byteCount)
                json.field("hits", finding.hits)
                json.field("first_hit", finding.firstHit)
                json.key("is_at_end")
                json.bool(finding.isAtEnd)
                json.key("is_damage")
                json.bool(finding.isDamage)
            }
        }
    }
}
