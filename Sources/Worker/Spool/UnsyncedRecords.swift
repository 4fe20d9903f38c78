import Core
import Glibc

/// What a lane appended and no sync has made durable: whole records, one behind the other, as they
/// are in the segment. Should the sync fail, this is all that is left of them that can be trusted.
///
///     0 ..< coveredBytes           appended before the sync in flight began: it covers them
///     coveredBytes ..< byteCount   appended since: the next one does
///
/// Takes no memory before the first record. Whoever appends stops at `bytesMax`; one more frame's
/// rows always fit.
struct UnsyncedRecords: ~Copyable {
    /// Kept for one lane at most. At the usual rates a sync covers a few hundred KiB.
    static let bytesMax = 8 << 20
    private static let capacityMin = 256 << 10

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var byteCount = 0
    private(set) var coveredBytes = 0
    private(set) var hitCount: UInt64 = 0

    init() {}
    deinit { base?.deallocate() }

    var isEmpty: Bool { byteCount == 0 }
    var isFull: Bool { byteCount >= Self.bytesMax }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }

    /// Keeps a copy of a record.
    mutating func keep(_ record: UnsafeRawPointer, byteCount count: Int, hits: Int) {
        if byteCount + count > capacity { grow(to: byteCount + count) }
        memcpy(base! + byteCount, record, count)
        byteCount += count
        hitCount += UInt64(hits)
    }

    /// A sync begins: it covers all there is.
    mutating func cover() { coveredBytes = byteCount }

    /// What the sync covered is durable: each such record's batch is noted in `durable`, and no
    /// longer kept.
    mutating func release(noting durable: inout OriginTable) {
        var at = 0
        while at < coveredBytes, let header = SpoolRecordHeader.read(base! + at) {
            durable.note(header.origin, header.sequence)
            hitCount -= UInt64(header.hitCount)
            at += header.recordBytes
        }
        let rest = byteCount - coveredBytes
        if rest > 0 { memmove(base!, base! + coveredBytes, rest) }
        (byteCount, coveredBytes) = (rest, 0)
    }

    mutating func removeAll() { (byteCount, coveredBytes, hitCount) = (0, 0, 0) }

    private mutating func grow(to needed: Int) {
        capacity = max(needed, 2 * capacity, Self.capacityMin)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        if let base {
            memcpy(larger, base, byteCount)
            base.deallocate()
        }
        base = larger
    }
}
