import CBytes

/// The body of a PutRecordBatch call, made as its rows arrive, so that no callback is long.
///
///     {"DeliveryStreamName":"…","Records":[{"Data":"<base64>"},{"Data":"<base64>"}]}
///
/// A record's rows come in any number of pieces; the 0 to 2 bytes that do not fill a base64 group
/// wait for the next piece. SHA-256 runs behind the writing, over bytes still in the cache.
///
///     0 ..< hashed        written and hashed
///     hashed ..< filled   written
///
/// After a call that failed in part, `keepOnly` and `compact` leave the failed records alone, in
/// place: rows are sent again as they were, without being read again.
public struct PutRecordBatchBody: ~Copyable {
    /// One record: where its base64 stands, and how many bytes it stands for.
    public struct Record: Equatable, Sendable {
        public var start: Int
        public var end: Int
        public var rawBytes: Int
    }

    private let prefix: [UInt8]
    private static let separator = Array("\"},{\"Data\":\"".utf8)
    private static let suffix = Array("\"}]}".utf8)
    /// Memory that was touched up to here is kept between batches, so that a busy lane's does not
    /// come and go.
    private static let keptBytesMax = 1536 << 10
    /// Room for the largest body. Taken whole, since what is not touched costs nothing.
    private let capacityMax: Int
    /// What `append` may ask for beyond what it writes.
    private static let reserveSlack = 64

    private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var filled = 0
    /// Bytes of `storage` that earlier bodies have touched.
    private var touched = 0
    private var hashed = 0
    private var hash = Sha256()
    /// Bytes of the open record that wait for a full base64 group, in the low bytes, first highest.
    private var waiting: UInt32 = 0
    private var waitingCount = 0
    private var isOpen = false
    private var keep: Compaction?

    public private(set) var records: [Record] = []
    /// Raw bytes of all records, the open one included.
    public private(set) var rawBytes = 0
    public private(set) var isFinished = false
    private let digest = UnsafeMutableRawPointer.allocate(
        byteCount: Sha256.byteCount, alignment: 16)
    private let digestHex = UnsafeMutableRawPointer.allocate(
        byteCount: 2 * Sha256.byteCount, alignment: 16)

    /// The records that stay, and how far they were moved.
    private struct Compaction {
        var sources: [Record]
        var current = 0
        /// Moved bytes of the current source.
        var moved = 0
    }

    public init(streamName: String) {
        prefix = Array(
            "{\"DeliveryStreamName\":\(jsonQuoted(streamName)),\"Records\":[{\"Data\":\"".utf8)
        capacityMax =
            prefix.count + (Limits.firehoseCallBytesMax + 2) / 3 * 4
            + Limits.firehoseCallRecordsMax * (Self.separator.count + 4) + Self.suffix.count
            + Self.reserveSlack + prefix.count
        records.reserveCapacity(Limits.firehoseCallRecordsMax)
        begin()
    }

    deinit {
        storage.deallocate()
        digest.deallocate()
        digestHex.deallocate()
    }

    /// The finished body. Valid until the next change.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.baseAddress, count: filled)
    }

    /// Lower-case hex SHA-256 of the finished body, 64 bytes. Valid until the next change.
    public var payloadHash: UnsafeRawBufferPointer {
        precondition(isFinished)
        return UnsafeRawBufferPointer(start: digestHex, count: 2 * Sha256.byteCount)
    }

    /// Bytes of memory in use, near enough.
    public var touchedBytes: Int { max(touched, filled) }
    /// Between `keepOnly` and the last `compact`.
    public var isCompacting: Bool { keep != nil }
    /// Raw bytes of the record that `append` continues; 0 when it would open one.
    public var openRecordBytes: Int { isOpen ? records[records.count - 1].rawBytes : 0 }

    // MARK: Writing

    /// Forgets what there was; the memory stays.
    public mutating func begin() {
        touched = touchedBytes
        (filled, hashed, rawBytes, waiting, waitingCount) = (0, 0, 0, 0, 0)
        (isOpen, isFinished) = (false, false)
        keep = nil
        records.removeAll(keepingCapacity: true)
        hash.reset()
    }

    /// Adds rows to the open record, or opens one. The caller keeps to Firehose's limits.
    public mutating func append(_ rows: UnsafeRawBufferPointer) {
        precondition(!isFinished)
        precondition(rawBytes + rows.count <= Limits.firehoseCallBytesMax, "call too large")
        reserve(prefix.count + Self.separator.count + rows.count / 3 * 4 + 16)
        if !isOpen { openRecord() }
        rawBytes += rows.count
        records[records.count - 1].rawBytes += rows.count
        encode(rows)
    }

    private mutating func openRecord() {
        precondition(records.count < Limits.firehoseCallRecordsMax, "too many records")
        put(records.isEmpty ? prefix : Self.separator)
        records.append(Record(start: filled, end: filled, rawBytes: 0))
        isOpen = true
    }

    private mutating func encode(_ rows: UnsafeRawBufferPointer) {
        guard let base = rows.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        var at = 0
        while waitingCount > 0, waitingCount < 3, at < rows.count {
            waiting = waiting << 8 | UInt32(base[at])
            waitingCount += 1
            at += 1
        }
        if waitingCount == 3 { putWaiting() }
        let whole = (rows.count - at) / 3 * 3
        if whole > 0 {
            let out = (storage.baseAddress! + filled).assumingMemoryBound(to: UInt8.self)
            filled += cbytes_base64_encode(base + at, whole, out)
            at += whole
        }
        while at < rows.count {
            waiting = waiting << 8 | UInt32(base[at])
            waitingCount += 1
            at += 1
        }
    }

    /// Writes the 1 to 3 waiting bytes as one group.
    private mutating func putWaiting() {
        var three: (UInt8, UInt8, UInt8) = (0, 0, 0)
        let bits = waiting << UInt32(8 * (3 - waitingCount))
        three = (
            UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8),
            UInt8(truncatingIfNeeded: bits)
        )
        let out = (storage.baseAddress! + filled).assumingMemoryBound(to: UInt8.self)
        filled += withUnsafeBytes(of: &three) {
            cbytes_base64_encode(
                $0.baseAddress!.assumingMemoryBound(to: UInt8.self), waitingCount, out)
        }
        (waiting, waitingCount) = (0, 0)
    }

    /// Ends the open record; the next `append` opens another.
    public mutating func closeRecord() {
        guard isOpen else { return }
        reserve(4)
        if waitingCount > 0 { putWaiting() }
        records[records.count - 1].end = filled
        isOpen = false
    }

    /// Runs the hash up to what is written. Once a slice of work, not once a row.
    public mutating func hashWritten() {
        if hashed == filled { return }
        hash.update(UnsafeRawBufferPointer(rebasing: storage[hashed..<filled]))
        hashed = filled
    }

    /// Ends the body. There must be a record.
    public mutating func finish() {
        precondition(!records.isEmpty && !isFinished)
        closeRecord()
        reserve(Self.suffix.count)
        put(Self.suffix)
        hashWritten()
        hash.finish(into: digest)
        writeLowerHex(
            UnsafeRawBufferPointer(start: digest, count: Sha256.byteCount), to: digestHex)
        isFinished = true
    }

    /// Writes the rows of a finished body's record to `out`, where its `rawBytes` are free. Returns
    /// how many those are.
    public func decode(record index: Int, into out: UnsafeMutableRawPointer) -> Int {
        precondition(isFinished)
        let record = records[index]
        let count = cbytes_base64_decode(
            (bytes.baseAddress! + record.start).assumingMemoryBound(to: UInt8.self),
            record.end - record.start, out.assumingMemoryBound(to: UInt8.self))
        precondition(count == record.rawBytes)
        return count
    }

    // MARK: Sending some of it again

    /// Begins to leave only these of a finished body's records, given in rising order. `compact`
    /// does the work.
    public mutating func keepOnly(_ indexes: [Int]) {
        precondition(isFinished && !indexes.isEmpty)
        let sources = indexes.map { records[$0] }
        records.removeAll(keepingCapacity: true)
        keep = Compaction(sources: sources)
        (filled, hashed) = (0, 0)
        rawBytes = sources.reduce(0) { $0 + $1.rawBytes }
        isFinished = false
        hash.reset()
    }

    /// Moves and hashes up to `sliceBytes` of what stays; true when the body is finished again.
    public mutating func compact(sliceBytes: Int) -> Bool {
        guard var plan = keep else { return isFinished }
        let source = plan.sources[plan.current]
        if plan.moved == 0 {
            put(records.isEmpty ? prefix : Self.separator)
            records.append(Record(start: filled, end: filled, rawBytes: source.rawBytes))
        }
        // What is written never overtakes what is read: the same framing stood before each source.
        let count = min(sliceBytes, source.end - source.start - plan.moved)
        let base = storage.baseAddress!
        (base + filled).copyMemory(from: base + source.start + plan.moved, byteCount: count)
        filled += count
        plan.moved += count
        if plan.moved == source.end - source.start {
            records[records.count - 1].end = filled
            plan.current += 1
            plan.moved = 0
        }
        hashWritten()
        keep = plan.current == plan.sources.count ? nil : plan
        if keep == nil { finish() }
        return keep == nil
    }

    // MARK: Memory

    private mutating func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes {
            (storage.baseAddress! + filled).copyMemory(
                from: $0.baseAddress!, byteCount: $0.count)
        }
        filled += bytes.count
    }

    private mutating func reserve(_ count: Int) {
        if storage.baseAddress == nil {
            storage = .allocate(byteCount: capacityMax, alignment: 64)
        }
        precondition(
            filled + count <= storage.count, "Firehose's limits keep a body below its maximum")
    }

    /// Forgets the body, and gives its memory back when it is more than a small batch needs.
    public mutating func beginSmall() {
        begin()
        if touched > Self.keptBytesMax {
            storage.deallocate()
            storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            touched = 0
        }
    }
}

/// A JSON string with its quotes.
func jsonQuoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\u{0}"..<"\u{20}":
            out += "\\u00" + lowerHex([UInt8(scalar.value)])
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
