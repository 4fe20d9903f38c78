import Core
import Glibc

/// What a worker does with the frames of its routers: rows of every hit into the spool, and an ack
/// with a verdict a hit. Knows no links and no loop; who has them asks
///
///     take        a frame came: whether its ack may leave now, or when a group is settled
///     didAppend   after the ack left: what deliveries are to know
///     beginSync   once a callback: which files to sync now, if any
///     finishSync  they are synced, or not: which acks may leave, and which say "refused"
///     tick        now and then
///
/// With `ack = "spooled"` an ack leaves once the rows are written, and there is nothing to sync.
/// Lives at one address, for as long as its spool.
struct ShardIntake: ~Copyable {
    enum Taken: Equatable {
        /// The frame contradicts itself: nothing of it is stored, and its link is to be cut.
        case malformed
        /// `ack` says what holds already.
        case settled
        /// `ack` says what will hold when the group is settled.
        case waiting(group: UInt64)
    }

    let counters: CounterPage
    let spool: UnsafeMutablePointer<ShardSpool>
    let waitsForSync: Bool
    private var encoder: RowEncoder
    private var goodRows = RowBatch()
    private var badRows = RowBatch()
    private let ackBase = UnsafeMutableRawPointer.allocate(
        byteCount: FrameHeader.byteCount + Limits.frameHitsMax, alignment: 64)
    private var ackBytes = 0
    private let plantedCrash = PlantedCrash()

    // In ShardIntake+Sync
    var commit = GroupCommit()
    var syncTimes = SyncTimes()
    /// Of the group that is being synced: lanes that are lost already.
    var lostGood: LaneLoss?
    var lostBad: LaneLoss?
    /// When lanes that the disk refused are tried again.
    var restUntilMs: UInt64 = 0

    init(
        spool: UnsafeMutablePointer<ShardSpool>, encoder: consuming RowEncoder,
        counters: CounterPage, waitsForSync: Bool
    ) {
        self.spool = spool
        self.encoder = encoder
        self.counters = counters
        self.waitsForSync = waitsForSync
    }

    deinit { ackBase.deallocate() }

    /// Of the frame taken last.
    var ack: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: ackBase, count: ackBytes) }

    mutating func take(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer) -> Taken {
        counters.add(to: .framesRead)
        guard encode(header, frame) else { return .malformed }
        let (hasGood, hasBad) = (goodRows.hitCount > 0, badRows.hitCount > 0)
        let storedGood = Self.store(&spool.pointee.good, &goodRows, header, counters)
        let storedBad = Self.store(&spool.pointee.bad, &badRows, header, counters)
        if !storedGood { refuse(.good, Int(header.hitCount)) }
        if !storedBad { refuse(.bad, Int(header.hitCount)) }
        writeAck(header)
        if !waitsForSync { return .settled }
        // What a lane holds from before may be as little durable as what was appended now.
        let isHeldGood = header.kind == .opaque && !hasBad
        let waits =
            isHeldGood && spool.pointee.good.hasUnsynced
            || hasGood && storedGood && spool.pointee.good.hasUnsynced
            || hasBad && storedBad && spool.pointee.bad.hasUnsynced
        return waits ? .waiting(group: commit.join()) : .settled
    }

    /// Counters say what is on disk, so they follow the write. Returns what the frame added to each
    /// lane.
    func didAppend() -> (good: RowLoad, bad: RowLoad) {
        if goodRows.hitCount > 0 { counters.set(.goodHits, to: spool.pointee.good.cumulativeHits) }
        if badRows.hitCount > 0 { counters.set(.badHits, to: spool.pointee.bad.cumulativeHits) }
        return (
            RowLoad(bytes: goodRows.byteCount, rows: goodRows.hitCount),
            RowLoad(bytes: badRows.byteCount, rows: badRows.hitCount)
        )
    }

    // MARK: A frame's way

    private var verdicts: UnsafeMutableRawPointer { ackBase + FrameHeader.byteCount }

    /// Rows of every hit into the two batches, verdicts beside.
    private mutating func encode(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer) -> Bool {
        goodRows.clear()
        badRows.clear()
        if header.kind == .opaque {
            encodeOpaque(header, frame)
            return true
        }
        var at = FrameHeader.byteCount
        for index in 0..<Int(header.hitCount) {
            guard let hit = HitView(UnsafeRawBufferPointer(rebasing: frame[at...])) else {
                return false
            }
            at += hit.byteCount
            let verdict = encode(hit)
            verdicts.storeBytes(of: verdict.rawValue, toByteOffset: index, as: UInt8.self)
        }
        return at == frame.count
    }

    /// The encoder writes either kind of row; a bad one moves over to its batch.
    private mutating func encode(_ hit: HitView) -> Verdict {
        plantedCrash.strike(hit)
        let place = goodRows.end
        let row = encoder.encode(hit, into: place)
        if row.kind == .good {
            goodRows.commit(row.byteCount, receivedAtMicroseconds: hit.receivedAtMicroseconds)
            return .good
        }
        memcpy(badRows.end, place, row.byteCount)
        badRows.commit(row.byteCount, receivedAtMicroseconds: hit.receivedAtMicroseconds)
        return .bad
    }

    /// One bad row, made without a look inside the hit. A frame that took the place of a lone one
    /// which was stored in the good lane is good.
    private mutating func encodeOpaque(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer) {
        if spool.pointee.good.holds(header) {
            return verdicts.storeBytes(of: Verdict.good.rawValue, as: UInt8.self)
        }
        let hit = UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount...])
        let row = encoder.encodeOpaque(hit, into: badRows.end)
        badRows.commit(
            row.byteCount, receivedAtMicroseconds: HitView.receivedAtMicroseconds(of: hit))
        verdicts.storeBytes(of: Verdict.bad.rawValue, as: UInt8.self)
    }

    /// Appends a batch to its lane, unless the lane holds it from before its link broke. False when
    /// the lane could not take it. What remains in `rows` was appended.
    private static func store(
        _ lane: inout SpoolLane, _ rows: inout RowBatch, _ header: FrameHeader,
        _ counters: CounterPage
    ) -> Bool {
        if rows.hitCount == 0 { return true }
        if lane.holds(header) {
            counters.add(to: .framesRepeated)
            rows.clear()
            return true
        }
        let outcome = lane.append(
            rows.base, payloadBytes: rows.byteCount, hitCount: rows.hitCount, kind: .rows,
            origin: header.origin, sequence: header.sequence,
            receivedAtMicroseconds: rows.receivedAtMicroseconds)
        switch outcome {
        case .stored:
            counters.add(to: .spoolWrites)
            return true
        case .full:
            counters.add(UInt64(rows.hitCount), to: .hitsRefusedFull)
        case .failed:
            counters.add(UInt64(rows.hitCount), to: .hitsRefusedFailure)
        }
        rows.clear()
        return false
    }

    private func refuse(_ verdict: Verdict, _ count: Int) {
        for index in 0..<count
        where verdicts.load(fromByteOffset: index, as: UInt8.self) == verdict.rawValue {
            verdicts.storeBytes(of: Verdict.refused.rawValue, toByteOffset: index, as: UInt8.self)
        }
    }

    private mutating func writeAck(_ header: FrameHeader) {
        ackBytes = FrameHeader.byteCount + Int(header.hitCount)
        FrameHeader(
            byteCount: UInt32(ackBytes), kind: .ack, hitCount: header.hitCount,
            origin: header.origin, sequence: header.sequence
        ).write(to: ackBase)
    }
}
