import Core
import Platform

/// What a lane's folder says of the lane. Reads the cursor and the newest segment, changes nothing,
/// and fails only when the folder cannot be listed: whatever is in it is made the best of.
///
/// When the newest segment's head is torn, the one before is read too, and so on.
struct LaneRecovery: ~Copyable {
    /// Ascending.
    var segments: [SegmentFile] = []
    /// Segments of another lane, shard or version: not to be read, not to be deleted.
    var foreign: [UInt64] = []
    /// The highest number that a new segment must be above.
    var numberTaken: UInt64 = 0
    var cursor: SpoolCursor
    /// Where the cursor was; nil when the file has no valid slot.
    var cursorSlot: Int?
    var cumulativeHits: UInt64 = 0
    var cumulativeMoved: UInt64 = 0
    var origins = OriginTable()
    var tornTails: UInt64 = 0
    /// Entries that have no business here.
    var filesIgnored: UInt64 = 0

    private let folder: LaneFolder
    private let lane: SpoolLaneName
    private let shard: UInt16
    /// Segments with torn heads to step back over: each is a start that died at once.
    private static let tornHeadsMax = 8
    private let readsOrigins: Bool

    /// - Parameter readsOrigins: False for whoever only wants the numbers: of a segment that the
    ///   cursor is in, what it has passed is not read.
    init(
        folder: LaneFolder, lane: SpoolLaneName, shard: UInt16, readsOrigins: Bool = true
    ) throws(Failure) {
        self.readsOrigins = readsOrigins
        self.folder = folder
        self.lane = lane
        self.shard = shard
        cursor = SpoolCursor(lane: lane, shard: shard)
        for entry in try folder.files.list(folder.path) { take(entry) }
        segments.sort { $0.number < $1.number }
        readCursor()
        (cumulativeHits, cumulativeMoved) = (cursor.cumulativeHits, cursor.cumulativeMoved)
        readNewest()
        // Not by the name alone of what is no segment of ours: a stray file must not use up the
        // numbers. One that stays is stepped over when its number comes.
        numberTaken = max(cursor.position.segment, segments.last?.number ?? 0)
        if cursorSlot == nil { beginAtOldest() }
    }

    private mutating func take(_ entry: Files.Entry) {
        guard let number = LaneFolder.number(ofName: entry.name) else {
            if entry.name != "cursor" { filesIgnored += 1 }
            return
        }
        if entry.isRegular {
            segments.append(SegmentFile(number: number, byteCount: entry.byteCount))
        } else {
            filesIgnored += 1
        }
    }

    private mutating func readCursor() {
        guard let file = try? folder.files.open(folder.cursor) else { return }
        defer { folder.files.close(file) }
        let found = withUnsafeTemporaryAllocation(
            byteCount: SpoolCursor.fileBytes, alignment: 8
        ) { bytes in
            let base = bytes.baseAddress!
            base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes.count)
            _ = try? folder.files.read(file, into: base, count: bytes.count, at: 0)
            return SpoolCursor.choose(base, lane: lane, shard: shard)
        }
        guard let found else { return }
        (cursor, cursorSlot) = (found.cursor, found.slot)
    }

    /// Finds the newest segment with a whole head, then counts on from there.
    private mutating func readNewest() {
        var index = segments.count
        var tornHeads = 0
        while index > 0, tornHeads < Self.tornHeadsMax {
            index -= 1
            switch head(of: segments[index]) {
            case .whole(let head, let table):
                origins = table
                if head.cumulativeHits >= cumulativeHits {
                    cumulativeHits = head.cumulativeHits
                    cumulativeMoved = head.cumulativeMoved
                }
                tornHeads = Self.tornHeadsMax
            case .foreign:
                foreign.append(segments.remove(at: index).number)
            case .damaged:
                tornHeads += 1
            }
        }
        var reader = SegmentReader(folder.files)
        for segment in segments[index...] { count(segment, with: &reader) }
    }

    private func head(of segment: SegmentFile) -> LaneFolder.Head {
        guard let file = try? folder.files.open(folder.segment(segment.number)) else {
            return .damaged
        }
        defer { folder.files.close(file) }
        return folder.readHead(file, number: segment.number, lane: lane, shard: shard)
    }

    private mutating func count(_ segment: SegmentFile, with reader: inout SegmentReader) {
        guard let file = try? folder.files.open(folder.segment(segment.number)) else { return }
        let isPassed = !readsOrigins && cursor.position.segment == segment.number
        var end = max(UInt64(SegmentHead.byteCount), isPassed ? cursor.position.offset : 0)
        reader.start(file: file, segment: segment.number, at: end)
        while let record = reader.next(limit: segment.byteCount) {
            end = record.end
            origins.note(record.header.origin, record.header.sequence)
            guard record.header.cumulativeHits > cumulativeHits else { continue }
            cumulativeHits = record.header.cumulativeHits
            guard record.header.kind == .moved else { continue }
            cumulativeMoved = min(
                cumulativeMoved + UInt64(record.header.hitCount), cumulativeHits)
        }
        if end != segment.byteCount { tornTails += 1 }
    }

    /// Without a cursor all that is there is delivered again. What is no longer there was passed by
    /// the lost cursor; nearly always that means delivered.
    private mutating func beginAtOldest() {
        cursor.delivered = hitsBeforeOldest()
        cumulativeHits = max(cumulativeHits, cursor.delivered)
        cursor.position = SpoolPosition(
            segment: segments.first?.number ?? 0, offset: UInt64(SegmentHead.byteCount))
    }

    private func hitsBeforeOldest() -> UInt64 {
        var reader = SegmentReader(folder.files)
        for segment in segments {
            if case .whole(let head, _) = head(of: segment) { return head.hitsBeforeFirstRecord }
            guard let file = try? folder.files.open(folder.segment(segment.number)) else {
                continue
            }
            reader.start(file: file, segment: segment.number, at: 0)
            if let first = reader.next(limit: segment.byteCount) {
                return first.header.cumulativeHits - UInt64(first.header.hitCount)
            }
        }
        return cumulativeHits
    }

    var byteCount: UInt64 { segments.reduce(0) { $0 + $1.byteCount } }

    var ledger: LaneLedger {
        var ledger = LaneLedger()
        ledger.cumulativeHits = cumulativeHits
        ledger.cumulativeMoved = cumulativeMoved
        ledger.delivered = cursor.delivered
        ledger.setAside = cursor.setAside
        ledger.dropped = cursor.dropped
        ledger.byteCount = byteCount
        if ledger.undelivered > 0 {
            ledger.oldestUndeliveredMicroseconds =
                folder.receivedAt(from: cursor.position, in: segments) ?? 0
        }
        return ledger
    }
}
