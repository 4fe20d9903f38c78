import Core
import Platform

/// Reads the whole records of one segment in order and finds its way past damage: after a record
/// that is not as it was written, it goes on at the next magic.
struct SegmentReader: ~Copyable {
    struct Record {
        var header: SpoolRecordHeader
        /// Valid until the next read.
        var payload: UnsafeRawBufferPointer
        /// Where in the segment the record ends.
        var end: UInt64
        /// Where the reader was when it found bytes that are no record, and went on to this one; nil
        /// when this one followed at once.
        var damagedFrom: UInt64?

        var start: UInt64 { end - UInt64(header.recordBytes) }
    }

    /// The buffer's size, but while a larger record is read.
    static let bufferBytes = 256 << 10
    private static let pageBytes: UInt64 = 4096
    /// Pages the disk may refuse before the rest of the segment is given up: each may take seconds.
    private static let refusedPagesMax = 16

    private(set) var segment: UInt64 = 0
    /// Where the next record is expected.
    private(set) var offset: UInt64 = 0
    private(set) var file: Int32 = -1
    private var refusedPages = 0
    /// Where bytes begin that are no record, up to the segment's end as it was read so far.
    private(set) var damagedFrom: UInt64?

    // buffer[0 ..< buffered] is the file from bufferStart on.
    private var buffer = UnsafeMutableRawPointer.allocate(byteCount: bufferBytes, alignment: 64)
    private var capacity = bufferBytes
    private var bufferStart: UInt64 = 0
    private var buffered = 0

    private let files: Files

    init(_ files: Files) { self.files = files }

    deinit {
        if file >= 0 { files.close(file) }
        buffer.deallocate()
    }

    var isOpen: Bool { file >= 0 }

    /// Takes over the open file of a segment, to read it from `offset` on.
    mutating func start(file: Int32, segment: UInt64, at offset: UInt64) {
        close()
        self.file = file
        self.segment = segment
        self.offset = max(offset, UInt64(SegmentHead.byteCount))
        (bufferStart, buffered, refusedPages) = (self.offset, 0, 0)
        damagedFrom = nil
    }

    mutating func close() {
        if file >= 0 { files.close(file) }
        file = -1
    }

    /// The next whole record that ends at or before `limit`, nil when there is none.
    mutating func next(limit: UInt64) -> Record? {
        while offset < limit {
            if var record = recordHere(limit: limit) {
                offset = record.end
                record.damagedFrom = damagedFrom
                damagedFrom = nil
                return record
            }
            damagedFrom = damagedFrom ?? offset
            skipToMagic(limit: limit)
        }
        return nil
    }

    /// When the record that begins at `offset` was received; nil when there is no record. Does not
    /// move, and mostly finds it in the buffer.
    func receivedAt(_ offset: UInt64) -> UInt64? {
        let byteCount = SpoolRecordHeader.byteCount
        let end = offset + UInt64(byteCount)
        if offset >= bufferStart, end <= bufferStart + UInt64(buffered) {
            return SpoolRecordHeader.read(buffer + Int(offset - bufferStart))?
                .receivedAtMicroseconds
        }
        return withUnsafeTemporaryAllocation(byteCount: byteCount, alignment: 8) { bytes in
            let base = bytes.baseAddress!
            let got = try? files.read(file, into: base, count: byteCount, at: offset)
            guard got == byteCount else { return nil }
            return SpoolRecordHeader.read(base)?.receivedAtMicroseconds
        }
    }

    private mutating func recordHere(limit: UInt64) -> Record? {
        guard load(SpoolRecordHeader.byteCount, limit: limit) >= SpoolRecordHeader.byteCount,
            let header = SpoolRecordHeader.read(here), offset + UInt64(header.recordBytes) <= limit,
            load(header.recordBytes, limit: limit) >= header.recordBytes,
            SpoolRecordHeader.isWhole(here, byteCount: header.recordBytes)
        else { return nil }
        return Record(
            header: header,
            payload: UnsafeRawBufferPointer(
                start: here + SpoolRecordHeader.byteCount, count: Int(header.payloadBytes)),
            end: offset + UInt64(header.recordBytes))
    }

    private mutating func skipToMagic(limit: UInt64) {
        offset += 1
        while offset < limit {
            let available = load(4, limit: limit)
            guard available > 0 else {
                refusedPages += 1
                let nextPage = (offset / Self.pageBytes + 1) * Self.pageBytes
                offset = refusedPages > Self.refusedPagesMax ? limit : min(limit, nextPage)
                continue
            }
            let bytes = UnsafeRawBufferPointer(start: here, count: available)
            if let found = SpoolRecordHeader.firstMagic(in: bytes) {
                offset += UInt64(found)
                return
            }
            // The last three bytes may begin a magic.
            offset += UInt64(available > 3 ? available - 3 : available)
        }
    }

    private var here: UnsafeRawPointer { UnsafeRawPointer(buffer + Int(offset - bufferStart)) }

    /// Makes the bytes at `offset` lie in the buffer: at least `count` of them, unless `limit` or
    /// the disk stands before. Answers how many there are.
    private mutating func load(_ count: Int, limit: UInt64) -> Int {
        // A refused page is stepped over, so `offset` may lie behind what is buffered.
        let end = bufferStart + UInt64(buffered)
        let kept = end > offset ? Int(end - offset) : 0
        if kept >= count { return kept }
        makeRoom(for: count, keeping: kept)
        let room = min(UInt64(capacity - kept), limit - offset - UInt64(kept))
        let got = try? files.read(
            file, into: buffer + kept, count: Int(room), at: offset + UInt64(kept))
        buffered = kept + (got ?? 0)
        return buffered
    }

    /// Moves the `kept` bytes at `offset` to the front of a buffer that takes `count`.
    private mutating func makeRoom(for count: Int, keeping kept: Int) {
        let needed = max(count, Self.bufferBytes)
        let from = kept > 0 ? here : UnsafeRawPointer(buffer)
        if needed == capacity {
            buffer.copyMemory(from: from, byteCount: kept)
        } else {
            let other = UnsafeMutableRawPointer.allocate(byteCount: needed, alignment: 64)
            other.copyMemory(from: from, byteCount: kept)
            buffer.deallocate()
            (buffer, capacity) = (other, needed)
        }
        bufferStart = offset
    }
}
