import ArgumentParser
import Core
import Glibc
import Platform
import Worker

struct SpoolCatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Print rows that are in the spool, as NDJSON.",
        discussion: """
            Without --all only rows that are not delivered. Damage is skipped and told on stderr.

            Example: hydrant spool cat --lane bad --limit 10
            """)

    @Option(help: "good or bad.")
    var lane = LaneArgument.good

    @Flag(help: "Only rows that are not delivered (default), or all that are still on disk.")
    var which = Which.undelivered

    @Option(
        help: ArgumentHelp(
            "Begin at a segment's number, or at an offset in it, as `verify` and quarantine name "
                + "them.", valueName: "segment[:offset]"))
    var from: SpoolPlaceArgument?

    @Option(help: ArgumentHelp("At most so many rows.", valueName: "rows"))
    var limit: UInt64?

    @OptionGroup var spool: SpoolOptions

    enum Which: String, EnumerableFlag { case undelivered, all }

    func validate() throws {
        if from != nil, spool.shard == nil {
            throw ValidationError("--from counts within one shard: name it with --shard")
        }
    }

    func run() throws {
        ignoreSignal(SIGPIPE)
        try reporting {
            let (settings, shards) = try spool.find()
            if let from, let shard = shards.first { try expect(from, settings, shard) }
            var rows = SpoolRows(
                lane: lane.name, includesDelivered: which == .all, from: from?.position,
                limit: limit ?? .max)
            var out = RowOutput()
            for shard in shards {
                try rows.read(settings.spoolFolder, shard) { out.write($0) }
                if out.isClosed || rows.isAtLimit { break }
            }
            out.flush()
            if let failure = out.failure { throw failure }
            for line in rows.skipped { writeLine("warning: skipped \(line)", to: STDERR_FILENO) }
        }
    }

    /// The place to begin at is one.
    private func expect(
        _ place: SpoolPlaceArgument, _ settings: Settings, _ shard: Int
    ) throws {
        let walk = try LaneWalk(
            spoolFolder: settings.spoolFolder, shard: shard, lane: lane.name)
        let numbers = walk.segmentNumbers
        guard !numbers.contains(place.position.segment) else { return }
        throw ClusterFailure(
            "there is no segment \(place.position.segment) in shard \(shard)'s \(lane.name.word) lane",
            hint: numbers.isEmpty
                ? "it has none" : "there are: \(SpoolPlaceArgument.words(numbers))",
            exitCode: ClusterExit.failed)
    }
}

/// "7" or "7:4096".
struct SpoolPlaceArgument: ExpressibleByArgument {
    var position: SpoolPosition

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let segment = UInt64(parts[0]),
            let offset = parts.count == 1 ? 0 : UInt64(parts[1])
        else { return nil }
        position = SpoolPosition(segment: segment, offset: offset)
    }

    /// "3, 5 to 9": numbers in their order, however many.
    static func words(_ numbers: [UInt64]) -> String {
        var runs: [ClosedRange<UInt64>] = []
        for number in numbers {
            if let last = runs.last, last.upperBound + 1 == number {
                runs[runs.count - 1] = last.lowerBound...number
            } else {
                runs.append(number...number)
            }
        }
        let words = runs.prefix(runsMax).map {
            $0.count == 1
                ? "\($0.lowerBound)"
                : "\($0.lowerBound)\($0.count == 2 ? ", " : " to ")\($0.upperBound)"
        }
        return words.joined(separator: ", ") + (runs.count > runsMax ? ", …" : "")
    }

    private static let runsMax = 20
}

/// Rows of a lane in their order, cut to a limit. What cannot be read is noted.
struct SpoolRows {
    let lane: SpoolLaneName
    let includesDelivered: Bool
    var from: SpoolPosition?
    let limit: UInt64
    private(set) var rowCount: UInt64 = 0
    private(set) var skipped: [String] = []
    private static let skippedMax = 1000

    init(lane: SpoolLaneName, includesDelivered: Bool, from: SpoolPosition?, limit: UInt64) {
        (self.lane, self.includesDelivered) = (lane, includesDelivered)
        (self.from, self.limit) = (from, limit)
    }

    var isAtLimit: Bool { rowCount >= limit }

    /// - Parameter take: gets whole rows; answers false to end it.
    mutating func read(
        _ folder: String, _ shard: Int, progress: ((UInt64, UInt64) -> Void)? = nil,
        take: (UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        var walk = try LaneWalk(spoolFolder: folder, shard: shard, lane: lane)
        while !isAtLimit {
            switch walk.next() {
            case .end: return
            case .finding(let finding):
                if finding.isDamage, skipped.count < Self.skippedMax {
                    skipped.append("shard-\(shard)/\(lane.word)/\(finding.words)")
                }
            case .record(let record):
                progress?(walk.bytesRead, walk.byteCount)
                guard includesDelivered || !record.isPassed, isWanted(record) else { continue }
                if try !take(cut(record)) { return }
            }
        }
    }

    private func isWanted(_ record: LaneWalk.Record) -> Bool {
        guard let from else { return true }
        return SpoolPosition(segment: record.segment, offset: record.offset) >= from
    }

    /// The record's rows, as many as the limit leaves.
    private mutating func cut(_ record: LaneWalk.Record) -> UnsafeRawBufferPointer {
        let hits = UInt64(record.header.hitCount)
        if rowCount + hits <= limit {
            rowCount += hits
            return record.payload
        }
        var end = 0
        while rowCount < limit, end < record.payload.count {
            let next = record.payload[end...].firstIndex(of: UInt8(ascii: "\n"))
            end = next.map { $0 + 1 } ?? record.payload.count
            rowCount += 1
        }
        return UnsafeRawBufferPointer(rebasing: record.payload[..<end])
    }
}

/// Standard output, in large pieces. A reader that has gone is an end, not an error.
struct RowOutput {
    private var held: [UInt8] = []
    private(set) var isClosed = false
    private(set) var failure: Failure?
    private static let heldMax = 256 << 10

    /// False when nobody reads any more.
    mutating func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        held.append(contentsOf: bytes)
        if held.count >= Self.heldMax { flush() }
        return !isClosed
    }

    mutating func flush() {
        var done = 0
        while done < held.count, !isClosed {
            let count = held.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress! + done, $0.count - done)
            }
            if count > 0 {
                done += count
            } else if count < 0, errno != EINTR {
                if errno != EPIPE { failure = Failure(errnoOf: "write") }
                isClosed = true
            }
        }
        held.removeAll(keepingCapacity: true)
    }
}
