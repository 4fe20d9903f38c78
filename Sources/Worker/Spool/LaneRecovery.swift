import Core
import Platform

/// What a lane's folder says of the lane. Reads the cursor and the newest segment, changes nothing,
/// and fails only when the folder cannot be listed: whatever is in it is made the best of.
///
/// When the newest segment's head is torn, the one before is read too, and so on. Of the others it
/// reads the oldest one's head and, where a number is missing, the end before and the head behind:
/// enough to know hits that are gone with whole files.
///
/// Of a lane that is being worked on it sees nothing missing that is not: what the cursor knew before
/// the folder was listed is in its files, or passed by the cursor as it is after.
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
    /// Neither slot of the cursor is valid, though there is a file.
    var cursorIsDamaged = false
    /// Hits not passed that are known to be in no file. Damage in older segments is not among them,
    /// unless a repair noted it.
    private(set) var missing = MissingHits()
    /// What the lane had come to at least, when its folder was listed.
    private(set) var hitsKnown: UInt64 = 0
    /// Found on the way: see `missing`.
    private var gaps: [Range<UInt64>] = []
    /// Hits up to the end of what can be read of the newest segments; nil when they could not be.
    private var hitsReached: UInt64? = 0

    private let folder: LaneFolder
    private let lane: SpoolLaneName
    private let shard: UInt16
    /// Segments with torn heads to step back over: each is a start that died at once.
    private static let tornHeadsMax = 8
    /// Places where numbers are missing that are looked at.
    private static let jumpsMax = 16
    /// Of a segment's end, to find its last record.
    private static let endBytes: UInt64 = 1 << 20
    private let readsOrigins: Bool

    /// - Parameter readsOrigins: False for whoever only wants the numbers: of a segment that the
    ///   cursor is in, what it has passed is not read.
    /// - Parameter quarantine: Where a repair notes what is missing.
    init(
        folder: LaneFolder, lane: SpoolLaneName, shard: UInt16, quarantine: Quarantine? = nil,
        readsOrigins: Bool = true
    ) throws(Failure) {
        self.readsOrigins = readsOrigins
        self.folder = folder
        self.lane = lane
        self.shard = shard
        cursor = SpoolCursor(lane: lane, shard: shard)
        readCursor()
        hitsKnown = cursor.cumulativeHits
        for entry in try folder.files.list(folder.path) { take(entry) }
        segments.sort { $0.number < $1.number }
        readCursor()
        (cumulativeHits, cumulativeMoved) = (cursor.cumulativeHits, cursor.cumulativeMoved)
        readNewest()
        // Not by the name alone of what is no segment of ours: a stray file must not use up the
        // numbers. One that stays is stepped over when its number comes.
        numberTaken = max(cursor.position.segment, segments.last?.number ?? 0)
        if cursorSlot == nil { beginAtOldest() }
        findMissing(noted: (try? quarantine?.missing(lane)) ?? MissingHits())
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
        (cursor, cursorSlot) = (SpoolCursor(lane: lane, shard: shard), nil)
        cursorIsDamaged = false
        guard let found = Self.readCursor(of: folder, lane, shard) else { return }
        cursorIsDamaged = found.slot == nil && found.byteCount > 0
        (cursor, cursorSlot) = (found.cursor, found.slot)
    }

    /// The cursor as it is on disk; all zeros and no slot when none is valid. Nil when the file cannot
    /// be opened.
    static func readCursor(
        of folder: LaneFolder, _ lane: SpoolLaneName, _ shard: UInt16
    ) -> (cursor: SpoolCursor, slot: Int?, byteCount: Int)? {
        guard let file = try? folder.files.open(folder.cursor) else { return nil }
        defer { folder.files.close(file) }
        return withUnsafeTemporaryAllocation(
            byteCount: SpoolCursor.fileBytes, alignment: 8
        ) { bytes in
            let base = bytes.baseAddress!
            base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes.count)
            let got = (try? folder.files.read(file, into: base, count: bytes.count, at: 0)) ?? 0
            guard let found = SpoolCursor.choose(base, lane: lane, shard: shard) else {
                return (SpoolCursor(lane: lane, shard: shard), nil, got)
            }
            return (found.cursor, found.slot, got)
        }
    }

    /// Finds the newest segment with a whole head, then counts on from there.
    private mutating func readNewest() {
        var index = segments.count
        var tornHeads = 0
        var begin: UInt64?
        while index > 0, tornHeads < Self.tornHeadsMax {
            index -= 1
            switch head(of: segments[index]) {
            case .whole(let head, let table):
                origins = table
                if head.cumulativeHits >= cumulativeHits {
                    cumulativeHits = head.cumulativeHits
                    cumulativeMoved = head.cumulativeMoved
                }
                hitsReached = head.cumulativeHits
                begin = head.hitsBeforeFirstRecord
                tornHeads = Self.tornHeadsMax
            case .foreign:
                foreign.append(segments.remove(at: index).number)
            case .damaged:
                tornHeads += 1
            }
        }
        // There may be whole ones still, further down.
        if begin == nil, index > 0 { hitsReached = nil }
        var reader = SegmentReader(folder.files)
        for segment in segments[index...] { count(segment, with: &reader, after: &begin) }
    }

    private func head(of segment: SegmentFile) -> LaneFolder.Head {
        guard let file = try? folder.files.open(folder.segment(segment.number)) else {
            return .damaged
        }
        defer { folder.files.close(file) }
        return folder.readHead(file, number: segment.number, lane: lane, shard: shard)
    }

    /// - Parameter before: Hits before the segment's first record, and then behind its last; nil as
    ///   long as unknown.
    private mutating func count(
        _ segment: SegmentFile, with reader: inout SegmentReader, after before: inout UInt64?
    ) {
        guard let file = try? folder.files.open(folder.segment(segment.number)) else {
            hitsReached = nil
            return
        }
        let isPassed = !readsOrigins && cursor.position.segment == segment.number
        if isPassed { before = max(before ?? 0, cursor.passed) }
        var end = max(UInt64(SegmentHead.byteCount), isPassed ? cursor.position.offset : 0)
        reader.start(file: file, segment: segment.number, at: end)
        while let record = reader.next(limit: segment.byteCount) {
            end = record.end
            origins.note(record.header.origin, record.header.sequence)
            let cumulative = record.header.cumulativeHits
            noteGap(before, cumulative - UInt64(record.header.hitCount))
            before = max(before ?? 0, cumulative)
            hitsReached = hitsReached.map { max($0, cumulative) }
            guard cumulative > cumulativeHits else { continue }
            cumulativeHits = cumulative
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

    // MARK: What is missing

    private mutating func noteGap(_ from: UInt64?, _ to: UInt64?) {
        if let from, let to, from < to { gaps.append(from..<to) }
    }

    private mutating func findMissing(noted: MissingHits) {
        if cursorSlot != nil { noteGap(cursor.passed, hitsBefore(segments.first)) }
        var jumps = 0
        for (segment, following) in zip(segments, segments.dropFirst())
        where following.number > segment.number + 1 && following.number > cursor.position.segment
            && jumps < Self.jumpsMax
        {
            jumps += 1
            noteGap(hitsAtEnd(of: segment), hitsBefore(following))
        }
        noteGap(hitsReached.map { max($0, cursor.passed) }, hitsKnown)
        missing = MissingHits(gaps + noted.ranges)
            .clamped(to: cursor.passed..<max(cursor.passed, cumulativeHits))
    }

    /// Nil when its head does not tell.
    private func hitsBefore(_ segment: SegmentFile?) -> UInt64? {
        guard let segment, case .whole(let head, _) = head(of: segment) else { return nil }
        return head.hitsBeforeFirstRecord
    }

    /// Nil when its last MiB does not tell.
    private func hitsAtEnd(of segment: SegmentFile) -> UInt64? {
        guard let file = try? folder.files.open(folder.segment(segment.number)) else { return nil }
        var reader = SegmentReader(folder.files)
        let end = segment.byteCount
        reader.start(
            file: file, segment: segment.number, at: end > Self.endBytes ? end - Self.endBytes : 0)
        var hits: UInt64?
        while let record = reader.next(limit: end) { hits = record.header.cumulativeHits }
        return hits
    }

    var byteCount: UInt64 { segments.reduce(0) { $0 + $1.byteCount } }

    var ledger: LaneLedger {
        var ledger = LaneLedger()
        ledger.cumulativeHits = cumulativeHits
        ledger.cumulativeMoved = cumulativeMoved
        ledger.delivered = cursor.delivered
        ledger.setAside = cursor.setAside
        ledger.dropped = cursor.dropped + missing.count
        ledger.byteCount = byteCount
        if ledger.undelivered > 0 {
            ledger.oldestUndeliveredMicroseconds =
                folder.receivedAt(from: cursor.position, in: segments) ?? 0
        }
        return ledger
    }
}
