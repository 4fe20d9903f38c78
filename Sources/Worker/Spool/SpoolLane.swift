import Core
import Platform

/// One lane of a shard's spool: rows are appended at its end, read and passed at its front.
///
///     oldest segment            …            newest segment
///     [head|records records]  [head|records records]  [head|records ▏
///        passed  ▏cursor   read, not passed   ▏read position       ▏tail
///
/// passed ≤ read ≤ tail. A segment that the cursor has passed is deleted, but never the newest,
/// which carries the lane's totals and the batches it holds.
///
/// Owned by one process, which holds the shard's lock; reached by pointer from its callbacks.
struct SpoolLane: ~Copyable {
    /// Bytes that `append` needs in front of a payload.
    static let headroom = SpoolRecordHeader.byteCount
    /// Below this a segment is not worth its head and its syncs.
    private static let segmentBytesMin: UInt64 = 64 << 10

    let folder: LaneFolder
    let lane: SpoolLaneName
    let shard: UInt16
    let bytesMax: UInt64
    let segmentBytes: UInt64
    let files: Files
    /// Where damaged bytes are copied to; nil: they are only counted.
    let quarantine: Quarantine?

    // What was written
    var segments: [SegmentFile]
    /// The segment that is appended to; −1 when the next append is to open one.
    var activeFile: Int32 = -1
    var active = SegmentFile(number: 0, byteCount: 0)
    var numberTaken: UInt64
    /// Of all segments.
    private(set) var byteCount: UInt64
    private(set) var cumulativeHits: UInt64
    private(set) var cumulativeMoved: UInt64
    var origins: OriginTable
    /// Of moved rows, the highest appended since the start; see MovedBatch.
    var movedSequence: UInt64 = 0
    /// Nothing is deleted: moved rows tell what the good lane's cursor could not be told.
    var keepsPassed = false
    /// The same, while a move has begun and the good lane's cursor has not stepped yet.
    var keepsMove = false
    /// Deleted segments whose bytes are freed when there is time for it.
    var leaving = LeavingFiles()

    // What is not yet durable; see SpoolLane+Sync
    /// Whether it matters: set once, at the start.
    var isSyncing = false
    /// The disk refused twice: nothing is appended for a while.
    var isResting = false
    var unsynced = UnsyncedRecords()
    /// The file that a sync is under way for, −1 for none: not to be closed before it ends.
    var syncingFile: Int32 = -1
    /// The batches that the lane would hold after a loss of power.
    var durableOrigins = OriginTable()

    /// Hits not passed that are known to be in no file since the start. Delivery finds them missing
    /// when it comes by; until then the ledger has them from here.
    var missing: MissingHits

    // What was passed
    var cursor: SpoolCursor
    var cursorFile: Int32
    var cursorSlot: Int
    /// The cursor on disk is the one in memory.
    var cursorIsWritten: Bool

    // What was read
    var reader: SegmentReader
    var readPosition: SpoolPosition
    var readPassed: UInt64
    /// Damage up to here is counted in `recordsUnreadable`, though it may be read again.
    var damageCounted: UInt64
    /// Ends of segments that are no records: torn tails, unless the next record says that hits are
    /// missing.
    var suspects: [DamagedSpan] = []
    /// Spans that were copied aside, or could not be.
    var damageSeen: Set<DamagedSpan> = []

    /// One segment head or cursor slot, on its way to disk.
    let scratch = UnsafeMutableRawPointer.allocate(
        byteCount: SegmentHead.byteCount, alignment: 4096)

    // What happened since the start
    var appends: UInt64 = 0
    var refusals: UInt64 = 0
    var lastRefusal: AppendOutcome?
    var appendsAtRefusal: UInt64 = 0
    /// The folder is gone and could not be made again: nothing is taken.
    var isDetached = false
    var detachment: Failure?
    /// Done between two calls of `lookAfter`, which tells.
    var rescueUntold: Rescue?
    var tornTails: UInt64
    var recordsUnreadable: UInt64 = 0
    /// Hits of these.
    var hitsUnreadable: UInt64 = 0
    /// Damaged bytes that were copied aside, and those for which there was no room.
    var quarantinedBytes: UInt64 = 0
    var quarantineRefusedBytes: UInt64 = 0
    var filesIgnored: UInt64
    /// Not told yet; see `takeNotices`.
    var notices: [SpoolNotice] = []
    /// Why reading stopped before the end, when it did: too many open files, most likely.
    var readFailure: Failure?
    /// Why the cursor could not be written or made durable, until it is.
    var cursorFailure: Failure?
    /// When the oldest hit that the cursor has not passed was received; 0 if there is none.
    var oldestUndeliveredMicroseconds: UInt64 = 0

    /// Recovers the lane from its folder, which is made when absent. Fails only when the file
    /// system does (no permission, no space for the cursor), never for what the folder contains.
    ///
    /// `segmentBytes` is lowered to a quarter of `bytesMax`, so that draining frees room in steps.
    ///
    /// - Parameters:
    ///   - quarantine: The folder for damaged bytes, made when there are any; nil: they are only
    ///     counted.
    ///   - keepsPassed: what it begins as.
    static func open(
        folder path: String, lane: SpoolLaneName, shard: Int, bytesMax: UInt64,
        segmentBytes: UInt64, quarantine: String? = nil, keepsPassed: Bool = false,
        files: Files = Files()
    ) throws(Failure) -> SpoolLane {
        let folder = LaneFolder(path: path, files: files)
        let quarantine = quarantine.map { Quarantine(folder: $0, files: files) }
        var moved: [MovedAside] = []
        try files.makeOurFolder(path, noting: &moved)
        let found = try LaneRecovery(
            folder: folder, lane: lane, shard: UInt16(shard), quarantine: quarantine)
        let cursorFile = try files.openOurs(folder.cursor, noting: &moved)
        var lane = SpoolLane(
            found, folder: folder, lane: lane, shard: UInt16(shard), bytesMax: bytesMax,
            segmentBytes: max(segmentBytesMin, min(segmentBytes, bytesMax / 4)),
            quarantine: quarantine, cursorFile: cursorFile, files: files)
        lane.keepsPassed = keepsPassed
        lane.notices.insert(contentsOf: moved.map { .moved($0) }, at: 0)
        if !lane.cursorIsWritten { lane.writeCursor() }
        lane.freePassedSegments()
        lane.findOldest()
        return lane
    }

    private init(
        _ found: consuming LaneRecovery, folder: LaneFolder, lane: SpoolLaneName, shard: UInt16,
        bytesMax: UInt64, segmentBytes: UInt64, quarantine: Quarantine?, cursorFile: Int32,
        files: Files
    ) {
        (self.folder, self.lane, self.shard, self.files) = (folder, lane, shard, files)
        self.quarantine = quarantine
        (self.bytesMax, self.segmentBytes) = (bytesMax, segmentBytes)
        segments = found.segments
        numberTaken = found.numberTaken
        byteCount = found.byteCount
        (cumulativeHits, cumulativeMoved) = (found.cumulativeHits, found.cumulativeMoved)
        cursor = found.cursor
        self.cursorFile = cursorFile
        cursorSlot = found.cursorSlot ?? 1
        cursorIsWritten = found.cursorSlot != nil
        reader = SegmentReader(files)
        readPosition = found.cursor.position
        readPassed = found.cursor.passed
        damageCounted = found.cursor.passed
        tornTails = found.tornTails
        filesIgnored = found.filesIgnored
        missing = found.missing
        if found.cursorIsDamaged {
            notices.append(.cursorDamaged(folder.cursor))
        } else if found.cursorSlot == nil, found.cursor.delivered > 0 {
            notices.append(.cursorGone(folder.cursor, hitsBefore: found.cursor.delivered))
        }
        for number in found.foreign {
            guard let moved = try? files.setAside(folder.segment(number)) else { continue }
            notices.append(.moved(moved))
        }
        if missing.count > 0 { notices.append(.missing(folder: folder.path, hits: missing.count)) }
        origins = found.origins
    }

    deinit {
        if activeFile >= 0 { files.close(activeFile) }
        if syncingFile >= 0, syncingFile != activeFile { files.close(syncingFile) }
        if cursorFile >= 0 { files.close(cursorFile) }
        scratch.deallocate()
    }

    /// Makes the cursor durable and lets go of the files. Nothing depends on it: a lane that is
    /// dropped or killed recovers to the same.
    mutating func close() {
        if !cursorIsWritten || !cursorKnowsAll { writeCursor() }
        syncCursor()
        reader.close()
        seal()
        leaving.freeAll()
        if cursorFile >= 0 { files.close(cursorFile) }
        cursorFile = -1
    }

    /// Whether the lane holds that batch, so that it is not to be appended again. Exact for the
    /// 256 sequences below the origin's highest in this lane.
    func holds(_ origin: Origin, _ sequence: UInt64) -> Bool { origins.holds(origin, sequence) }

    var undeliveredHits: UInt64 { cumulativeHits - cursor.passed }

    /// What a delivery that begins now has before it, near enough. Never 0 while hits are undelivered:
    /// a power cut may leave none of their bytes, and then they are to be given up, not waited for.
    var loadToDeliver: RowLoad {
        if undeliveredHits == 0 { return RowLoad() }
        // Far above anything that is, and far below what overflows when added up.
        let most: UInt64 = 1 << 60
        return RowLoad(
            bytes: Int(min(max(byteCount, 1), most)), rows: Int(min(undeliveredHits, most)))
    }

    var ledger: LaneLedger {
        var ledger = LaneLedger()
        ledger.cumulativeHits = cumulativeHits
        ledger.cumulativeMoved = cumulativeMoved
        ledger.delivered = cursor.delivered
        ledger.setAside = cursor.setAside
        ledger.dropped = cursor.dropped + missing.count(from: cursor.passed)
        ledger.byteCount = byteCount
        ledger.oldestUndeliveredMicroseconds = oldestUndeliveredMicroseconds
        return ledger
    }

    /// What is to be told of since the last call.
    mutating func takeNotices() -> [SpoolNotice] {
        defer { notices.removeAll() }
        return notices
    }

    /// More rows are here as moved than the good lane knows of, because it lost its memory of them
    /// (its folder, its cursor): their hits live there again, so these count as hits of their own.
    mutating func countMoved(atMost setAside: UInt64) {
        cumulativeMoved = min(cumulativeMoved, setAside)
    }

    /// Fewer rows are in the bad lane as moved than this good lane set aside: the bad lane lost them,
    /// or its memory of them (its folder, its cursor). Nothing can prove that they were delivered.
    mutating func countSetAside(atMost moved: UInt64) {
        guard cursor.setAside > moved else { return }
        cursor.droppedUnreadable += cursor.setAside - moved
        cursor.setAside = moved
        writeCursor()
    }

    // MARK: Bookkeeping of the parts in other files

    /// A record lies at the end of the active segment.
    mutating func didAppend(_ header: SpoolRecordHeader) {
        let bytes = UInt64(header.recordBytes)
        active.byteCount += bytes
        byteCount += bytes
        if undeliveredHits == 0 { oldestUndeliveredMicroseconds = header.receivedAtMicroseconds }
        cumulativeHits = header.cumulativeHits
        if header.kind == .moved { cumulativeMoved += UInt64(header.hitCount) }
        origins.note(header.origin, header.sequence)
        appends += 1
    }

    /// The segment is on disk and is the one to append to.
    mutating func didOpen(_ segment: SegmentFile, file: Int32) {
        (active, activeFile) = (segment, file)
        byteCount += segment.byteCount
    }

    /// The first `count` segments are no longer on disk.
    mutating func didRemove(first count: Int) {
        for segment in segments.prefix(count) { byteCount -= segment.byteCount }
        segments.removeFirst(count)
    }

    mutating func didRemove(_ number: UInt64) {
        guard let index = segments.firstIndex(where: { $0.number == number }) else { return }
        byteCount -= segments[index].byteCount
        segments.remove(at: index)
    }
}
