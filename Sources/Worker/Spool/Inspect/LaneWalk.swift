import Core
import Platform

/// Reads all of one lane as it lies on disk, record by record, and says what is not as it should be.
/// Takes no lock and changes nothing: of a living lane it sees what there was when the walk began,
/// less what is delivered and deleted meanwhile.
public struct LaneWalk: ~Copyable {
    public struct Record {
        public var header: SpoolRecordHeader
        /// Whole rows. Valid until the next step.
        public var payload: UnsafeRawBufferPointer
        public var segment: UInt64
        public var offset: UInt64
        /// The cursor has passed it.
        public var isPassed: Bool
    }

    public enum Step {
        case record(Record)
        case finding(SpoolFinding)
        case end
    }

    /// Bytes of all its segments, and how many of them are read.
    public let byteCount: UInt64
    public private(set) var bytesRead: UInt64 = 0

    private let folder: LaneFolder
    private let lane: SpoolLaneName
    private let shard: UInt16
    private let segments: [SegmentFile]
    private var cursor: SpoolCursor
    /// What the lane had come to at least, when its folder was listed.
    private let hitsKnown: UInt64
    private let accounted: MissingHits
    private var reader: SegmentReader
    private var index = 0
    /// Hits of the lane before the next record, if nothing is missing; nil before the first, and
    /// behind a segment that is delivered and deleted by now.
    private var expected: UInt64?
    /// The last that `expected` was.
    private var hitsWalked: UInt64 = 0
    /// Records of this segment below this count may be copies, after a sync that failed.
    private var rewrittenBelow: UInt64 = 0
    private var isAtEnd = false
    /// A segment's end that is no record: torn, unless hits turn out to be missing.
    private var tail: SpoolFinding?
    private var held: Record?
    private var findings: [SpoolFinding] = []

    /// - Parameter spoolFolder: as in the settings; a lane that does not exist is an empty one.
    public init(spoolFolder: String, shard: Int, lane: SpoolLaneName) throws(Failure) {
        try self.init(
            shardFolder: ShardSpool.folder(spoolFolder: spoolFolder, shard: shard), shard: shard,
            lane: lane)
    }

    init(
        shardFolder: String, shard: Int, lane: SpoolLaneName, files: Files = Files()
    ) throws(Failure) {
        // All that can fail comes first: the compiler (6.3) does not survive it in between.
        let folder = LaneFolder(path: "\(shardFolder)/\(lane.folder)", files: files)
        let accounted = try Quarantine(
            folder: ShardSpool.quarantineFolder(shardFolder), files: files
        ).missing(lane)
        let found = try LaneContents.read(folder, lane, UInt16(shard))
        self.folder = folder
        self.lane = lane
        self.shard = UInt16(shard)
        self.accounted = accounted
        (segments, cursor, hitsKnown) = (found.segments, found.cursor, found.hitsKnown)
        byteCount = found.segments.reduce(0) { $0 + $1.byteCount }
        reader = SegmentReader(files)
        findings = found.foreign.map { SpoolFinding(.foreign, segment: $0, offset: 0) }
        if !found.hasCursor, !found.segments.isEmpty {
            findings.append(SpoolFinding(.cursor, segment: 0, offset: 0))
        }
    }

    public mutating func next() -> Step {
        while true {
            if !findings.isEmpty { return .finding(findings.removeFirst()) }
            if let record = held {
                held = nil
                return .record(record)
            }
            if reader.isOpen {
                readOn()
            } else if index < segments.count {
                open(segments[index])
            } else if !isAtEnd {
                isAtEnd = true
                settleEnd()
            } else {
                return .end
            }
        }
    }

    /// The numbers of its segments, in order.
    public var segmentNumbers: [UInt64] { segments.map(\.number) }

    // MARK: Segments

    private mutating func open(_ segment: SegmentFile) {
        let path = folder.segment(segment.number)
        guard let file = try? folder.files.open(path) else {
            // Delivered and deleted since the walk began, or nobody may read it.
            if (try? folder.files.list(folder.path))?.contains(where: {
                $0.name == LaneFolder.name(of: segment.number)
            }) ?? false {
                findings.append(
                    SpoolFinding(
                        .unreadable, segment: segment.number, offset: 0,
                        byteCount: segment.byteCount))
            } else {
                readCursor()
                expected = nil
                tail = nil
            }
            bytesRead += segment.byteCount
            index += 1
            return
        }
        switch folder.readHead(file, number: segment.number, lane: lane, shard: shard) {
        case .whole(let head, _):
            let before = head.hitsBeforeFirstRecord
            if let tail { settle(tail, missing: before > (expected ?? before)) }
            noteMissing(
                upTo: before, segment: segment.number, offset: UInt64(SegmentHead.byteCount))
            rewrittenBelow = head.rewrittenHits > 0 ? head.cumulativeHits : 0
        case .damaged:
            rewrittenBelow = 0
            findings.append(
                SpoolFinding(
                    .head, segment: segment.number, offset: 0,
                    byteCount: min(segment.byteCount, UInt64(SegmentHead.byteCount))))
        case .foreign:
            findings.append(SpoolFinding(.foreign, segment: segment.number, offset: 0))
            folder.files.close(file)
            bytesRead += segment.byteCount
            index += 1
            return
        }
        reader.start(file: file, segment: segment.number, at: 0)
        bytesRead += min(segment.byteCount, UInt64(SegmentHead.byteCount))
    }

    private mutating func readOn() {
        let segment = segments[index]
        let before = reader.offset
        guard let record = reader.next(limit: segment.byteCount) else {
            bytesRead += segment.byteCount - min(before, segment.byteCount)
            finish(segment)
            return
        }
        bytesRead += record.end - before
        take(record, segment.number)
    }

    private mutating func take(_ record: SegmentReader.Record, _ segment: UInt64) {
        let header = record.header
        let before = header.cumulativeHits - UInt64(header.hitCount)
        if let from = record.damagedFrom {
            findings.append(
                SpoolFinding(
                    .damage, segment: segment, offset: from, byteCount: record.start - from))
        }
        if let expected, before < expected {
            if let tail { settle(tail, missing: false) }
            if before < rewrittenBelow { return }
            findings.append(
                SpoolFinding(
                    .repeated, segment: segment, offset: record.start, hits: expected - before))
            return
        }
        if let expected, before > expected, isRewritten(from: before) {
            bytesRead += segments[index].byteCount - record.end
            reader.close()
            index += 1
            return
        }
        if let tail { settle(tail, missing: before > (expected ?? before)) }
        noteMissing(upTo: before, segment: segment, offset: record.start)
        expected = header.cumulativeHits
        hitsWalked = header.cumulativeHits
        held = Record(
            header: header, payload: record.payload, segment: segment, offset: record.start,
            isPassed: before < cursor.passed)
    }

    /// As delivery does: at a gap that the next segment fills, since this one could not be synced,
    /// it goes on there.
    private func isRewritten(from count: UInt64) -> Bool {
        guard index + 1 < segments.count,
            let file = try? folder.files.open(folder.segment(segments[index + 1].number))
        else { return false }
        defer { folder.files.close(file) }
        let number = segments[index + 1].number
        guard
            case .whole(let head, _) = folder.readHead(
                file, number: number, lane: lane, shard: shard)
        else { return false }
        return head.rewrittenHits > 0 && head.hitsBeforeFirstRecord < count
    }

    private mutating func finish(_ segment: SegmentFile) {
        if let from = reader.damagedFrom {
            tail = SpoolFinding(
                .tornTail, segment: segment.number, offset: from,
                byteCount: segment.byteCount - from)
        }
        reader.close()
        index += 1
    }

    private mutating func settle(_ end: SpoolFinding, missing: Bool) {
        tail = nil
        var end = end
        if missing { end.kind = .damage }
        findings.append(end)
    }

    /// Behind the last record there may be missing what the cursor knows of.
    private mutating func settleEnd() {
        // A lane that is worked on may have lost its last segment to delivery.
        readCursor()
        let from = max(hitsBehind(hitsKnown), min(cursor.passed, hitsKnown))
        if let tail { settle(tail, missing: hitsKnown > from) }
        guard hitsKnown > from else { return }
        var finding = SpoolFinding(.missing, segment: 0, offset: 0, hits: hitsKnown - from)
        if let last = segments.last {
            (finding.segment, finding.offset) = (last.number, last.byteCount)
        }
        finding.isAtEnd = true
        finding.firstHit = from
        finding.isAccounted = isAccounted(from..<hitsKnown)
        findings.append(finding)
    }

    /// Where hits begin that are not there, if the lane goes on at `count`. Before the first record
    /// that is where the cursor is, for what it has passed is deleted.
    private func hitsBehind(_ count: UInt64) -> UInt64 {
        expected ?? min(count, max(cursor.passed, hitsWalked))
    }

    /// The lane's count goes on at `count`: what lies between is missing.
    private mutating func noteMissing(upTo count: UInt64, segment: UInt64, offset: UInt64) {
        let from = hitsBehind(count)
        expected = max(from, count)
        hitsWalked = max(from, count)
        guard count > from else { return }
        readCursor()
        var finding = SpoolFinding(.missing, segment: segment, offset: offset, hits: count - from)
        finding.firstHit = from
        finding.isAccounted = isAccounted(from..<count)
        findings.append(finding)
    }

    /// Each of these hits is passed by the cursor, or noted, in whatever pieces.
    private func isAccounted(_ hits: Range<UInt64>) -> Bool {
        accounted.contains(
            max(hits.lowerBound, min(cursor.passed, hits.upperBound))..<hits.upperBound)
    }

    /// As it is by now: it moves while a living lane is walked.
    private mutating func readCursor() {
        guard let now = LaneRecovery.readCursor(of: folder, lane, shard), now.slot != nil else {
            return
        }
        cursor = now.cursor
    }
}

/// What recovery says of a lane, without its origins.
private struct LaneContents {
    var segments: [SegmentFile] = []
    var foreign: [UInt64] = []
    var cursor: SpoolCursor
    var hasCursor = false
    var hitsKnown: UInt64 = 0

    static func read(
        _ folder: LaneFolder, _ lane: SpoolLaneName, _ shard: UInt16
    ) throws(Failure) -> LaneContents {
        var contents = LaneContents(cursor: SpoolCursor(lane: lane, shard: shard))
        do throws(Failure) {
            let found = try LaneRecovery(
                folder: folder, lane: lane, shard: shard, readsOrigins: false)
            (contents.segments, contents.foreign) = (found.segments, found.foreign)
            (contents.cursor, contents.hasCursor) = (found.cursor, found.cursorSlot != nil)
            contents.hitsKnown = found.hitsKnown
        } catch {
            guard error.isAbsent else { throw error }
        }
        return contents
    }
}

/// Something in a lane that is not a record in its place.
public struct SpoolFinding: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Bytes that are no record, where one was.
        case damage
        /// A segment's first 4,096 bytes: costs no hit.
        case head
        /// The end of a segment, cut short by a death before it was acknowledged; or being written.
        case tornTail
        /// Hits that the lane's count says were written and no record holds.
        case missing
        /// A record whose hits came before: delivery skips it.
        case repeated
        /// Of another lane, shard or version: delivery puts it aside.
        case foreign
        /// The file cannot be opened.
        case unreadable
        /// Neither slot of the cursor is valid: delivery begins at the oldest segment.
        case cursor
    }

    public var kind: Kind
    public var segment: UInt64
    public var offset: UInt64
    public var byteCount: UInt64 = 0
    public var hits: UInt64 = 0
    /// Of missing hits: how many hits of the lane were before.
    public var firstHit: UInt64 = 0
    /// Of missing hits: delivery has counted them as dropped, or `repair` has noted them.
    public var isAccounted = false
    /// Of missing hits: they came behind the place, not before it. Without any segment left the place
    /// is 0.
    public var isAtEnd = false

    init(_ kind: Kind, segment: UInt64, offset: UInt64, byteCount: UInt64 = 0, hits: UInt64 = 0) {
        (self.kind, self.segment, self.offset) = (kind, segment, offset)
        (self.byteCount, self.hits) = (byteCount, hits)
    }

    /// The lane is worse than a kill may leave it.
    public var isDamage: Bool {
        switch kind {
        case .damage, .head, .foreign, .unreadable, .cursor, .repeated: true
        case .missing: !isAccounted
        case .tornTail: false
        }
    }
}
