import CBytes

/// What precedes the rows of one frame in a segment of the spool. A record is written once, in one
/// piece, and never touched again.
///
///     offset 0   UInt32  magic: 'H' 0x00 0xFF 'R'
///     offset 4   UInt8   version
///     offset 5   UInt8   kind (1 rows, 2 moved)
///     offset 6   UInt16  number of hits, never 0
///     offset 8   UInt32  bytes of payload
///     offset 12  UInt32  CRC-32C of header, this word zero, and payload
///     offset 16  UInt64  origin: router incarnation
///     offset 24  UInt64  batch sequence
///     offset 32  UInt64  hits of the lane since it began, this record's included
///     offset 40  UInt64  when its first hit was received, microseconds since 1970
///     offset 48  UInt16  origin: router slot
///     offset 50  6 B     zero
///     offset 56  payload: whole rows, each with its line feed
///
/// Little endian, nothing aligned. Rows are UTF-8 text without control characters, so neither 0x00
/// nor 0xFF is ever in a payload: a magic that is found marks a record or damage, not data.
public struct SpoolRecordHeader: Equatable, Sendable {
    public static let byteCount = 56
    public static let version: UInt8 = 1
    /// One frame is at most 64 KiB of hits in at most 256 hits. No byte of a hit becomes more than
    /// eight of a row (a 16 KiB hit makes at most 128 KiB), and what a row adds by itself is about
    /// 1 KiB: under 1 MiB in all. The cap leaves room for richer rows; it also bounds what a
    /// damaged length can make a reader read.
    public static let payloadBytesMax = 4 << 20
    /// Far above any real one, so that counting on from it cannot overflow.
    static let cumulativeHitsMax: UInt64 = 1 << 60
    static let magic: UInt32 = 0x52FF_0048

    public enum Kind: UInt8, Sendable {
        /// Rows of a router's frame.
        case rows = 1
        /// Rows that were good and that Firehose refuses: moved here from the good lane.
        case moved = 2
    }

    public var kind: Kind
    public var hitCount: UInt16
    public var payloadBytes: UInt32
    public var origin: Origin
    public var sequence: UInt64
    public var cumulativeHits: UInt64
    public var receivedAtMicroseconds: UInt64

    public init(
        kind: Kind, hitCount: UInt16, payloadBytes: UInt32, origin: Origin, sequence: UInt64,
        cumulativeHits: UInt64, receivedAtMicroseconds: UInt64
    ) {
        self.kind = kind
        self.hitCount = hitCount
        self.payloadBytes = payloadBytes
        self.origin = origin
        self.sequence = sequence
        self.cumulativeHits = cumulativeHits
        self.receivedAtMicroseconds = receivedAtMicroseconds
    }

    /// Bytes of the whole record.
    public var recordBytes: Int { Self.byteCount + Int(payloadBytes) }

    /// Writes the header in front of the payload, which must already lie at `record + 56`.
    public func write(to record: UnsafeMutableRawPointer) {
        record.storeBytes(of: Self.magic.littleEndian, as: UInt32.self)
        record.storeBytes(of: Self.version, toByteOffset: 4, as: UInt8.self)
        record.storeBytes(of: kind.rawValue, toByteOffset: 5, as: UInt8.self)
        record.storeBytes(of: hitCount.littleEndian, toByteOffset: 6, as: UInt16.self)
        record.storeBytes(of: payloadBytes.littleEndian, toByteOffset: 8, as: UInt32.self)
        record.storeBytes(of: 0, toByteOffset: 12, as: UInt32.self)
        record.storeBytes(of: origin.incarnation.littleEndian, toByteOffset: 16, as: UInt64.self)
        record.storeBytes(of: sequence.littleEndian, toByteOffset: 24, as: UInt64.self)
        record.storeBytes(of: cumulativeHits.littleEndian, toByteOffset: 32, as: UInt64.self)
        record.storeBytes(
            of: receivedAtMicroseconds.littleEndian, toByteOffset: 40, as: UInt64.self)
        record.storeBytes(of: UInt64(origin.slot).littleEndian, toByteOffset: 48, as: UInt64.self)
        let checksum = cbytes_crc32c(0, record, recordBytes)
        record.storeBytes(of: checksum.littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// Reads 56 bytes; nil when they are no header. That the record is undamaged only `isWhole`
    /// can say.
    public static func read(_ bytes: UnsafeRawPointer) -> SpoolRecordHeader? {
        guard UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)) == magic,
            bytes.load(fromByteOffset: 4, as: UInt8.self) == version,
            let kind = Kind(rawValue: bytes.load(fromByteOffset: 5, as: UInt8.self))
        else { return nil }
        let slotAndZeros = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 48, as: UInt64.self))
        let header = SpoolRecordHeader(
            kind: kind,
            hitCount: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)),
            payloadBytes: UInt32(
                littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)),
            origin: Origin(
                slot: UInt16(truncatingIfNeeded: slotAndZeros),
                incarnation: UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))),
            sequence: UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
            cumulativeHits: UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: 32, as: UInt64.self)),
            receivedAtMicroseconds: UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self)))
        guard slotAndZeros <= UInt16.max, header.payloadBytes > 0,
            header.payloadBytes <= payloadBytesMax, header.hitCount > 0,
            UInt64(header.hitCount) <= header.cumulativeHits,
            header.cumulativeHits < cumulativeHitsMax
        else { return nil }
        return header
    }

    /// Whether the record of that many bytes (header and payload) is as it was written.
    public static func isWhole(_ record: UnsafeRawPointer, byteCount: Int) -> Bool {
        let stored = UInt32(
            littleEndian: record.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        return stored == checksum(ofBlock: record, byteCount: byteCount)
    }

    /// Where in `bytes` the next magic starts; nil when there is none.
    public static func firstMagic(in bytes: UnsafeRawBufferPointer) -> Int? {
        // Its third byte, 0xFF, is the rarest of the four.
        var at = 2
        while at + 1 < bytes.count {
            if bytes[at] == 0xFF,
                UInt32(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: at - 2, as: UInt32.self))
                    == magic
            {
                return at - 2
            }
            at += 1
        }
        return nil
    }
}

/// CRC-32C of a block whose bytes 12 ..< 16 hold the checksum itself and count as zero. Records,
/// segment heads and cursor slots all keep it there.
func checksum(ofBlock block: UnsafeRawPointer, byteCount: Int) -> UInt32 {
    var zero: UInt32 = 0
    var crc = cbytes_crc32c(0, block, 12)
    crc = cbytes_crc32c(crc, &zero, 4)
    return cbytes_crc32c(crc, block + 16, byteCount - 16)
}
