/// A lane of a shard's spool: rows as they should be, and rows that are not.
public enum SpoolLaneName: UInt8, Sendable, CaseIterable {
    case good = 1
    case bad = 2

    /// The lane's folder within the shard's.
    public var folder: String { self == .good ? "good" : "bad" }
}

/// The first 4,096 bytes of a segment: whose it is, and what its lane had come to when it was
/// opened, so that recovery needs no older segment.
///
///     offset 0    UInt32  magic: 'H' 0x00 0xFF 'S'
///     offset 4    UInt8   version
///     offset 5    UInt8   lane (1 good, 2 bad)
///     offset 6    UInt16  shard
///     offset 8    UInt32  number of origins, at most 64
///     offset 12   UInt32  CRC-32C of all 4,096 bytes, this word zero
///     offset 16   UInt64  segment number
///     offset 24   UInt64  created at, microseconds since 1970
///     offset 32   UInt64  hits of the lane before this segment
///     offset 40   UInt64  of these, moved from the other lane
///     offset 48   UInt64  of these, the last ones that are written again in this segment
///     offset 56   456 B   zero
///     offset 512  64 × 56 B  origins (see OriginTable), unused ones zero
///
/// Little endian. Magic, version and CRC keep their places in every version, so that a segment of
/// another version is told from a damaged one.
///
/// Hits are written again after a sync failed: the segment before may hold them or not, so this one
/// begins with copies of their records, byte for byte, cumulative counts included.
public struct SegmentHead: Equatable, Sendable {
    public static let byteCount = 4096
    public static let version: UInt8 = 1
    static let magic: UInt32 = 0x53FF_0048
    private static let originsAt = 512

    public enum Flaw: Error, Equatable {
        /// No head, or one that is not as it was written.
        case damaged
        /// Whole, but written by another version.
        case version(UInt8)
    }

    public var lane: SpoolLaneName
    public var shard: UInt16
    public var segment: UInt64
    public var createdAtMicroseconds: UInt64
    public var cumulativeHits: UInt64
    public var cumulativeMoved: UInt64
    public var rewrittenHits: UInt64

    public init(
        lane: SpoolLaneName, shard: UInt16, segment: UInt64, createdAtMicroseconds: UInt64,
        cumulativeHits: UInt64, cumulativeMoved: UInt64, rewrittenHits: UInt64 = 0
    ) {
        self.lane = lane
        self.shard = shard
        self.segment = segment
        self.createdAtMicroseconds = createdAtMicroseconds
        self.cumulativeHits = cumulativeHits
        self.cumulativeMoved = cumulativeMoved
        self.rewrittenHits = rewrittenHits
    }

    /// Hits of the lane before the first record of this segment.
    public var hitsBeforeFirstRecord: UInt64 { cumulativeHits - rewrittenHits }

    /// Writes 4,096 bytes.
    public func write(to target: UnsafeMutableRawPointer, origins: borrowing OriginTable) {
        target.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
        target.storeBytes(of: Self.magic.littleEndian, as: UInt32.self)
        target.storeBytes(of: Self.version, toByteOffset: 4, as: UInt8.self)
        target.storeBytes(of: lane.rawValue, toByteOffset: 5, as: UInt8.self)
        target.storeBytes(of: shard.littleEndian, toByteOffset: 6, as: UInt16.self)
        target.storeBytes(
            of: UInt32(origins.count).littleEndian, toByteOffset: 8, as: UInt32.self)
        target.storeBytes(of: segment.littleEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: createdAtMicroseconds.littleEndian, toByteOffset: 24, as: UInt64.self)
        target.storeBytes(of: cumulativeHits.littleEndian, toByteOffset: 32, as: UInt64.self)
        target.storeBytes(of: cumulativeMoved.littleEndian, toByteOffset: 40, as: UInt64.self)
        target.storeBytes(of: rewrittenHits.littleEndian, toByteOffset: 48, as: UInt64.self)
        origins.write(to: target + Self.originsAt)
        let crc = checksum(ofBlock: target, byteCount: Self.byteCount)
        target.storeBytes(of: crc.littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// Reads 4,096 bytes.
    public static func read(_ bytes: UnsafeRawPointer) throws(Flaw) -> SegmentHead {
        let crc = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)) == magic,
            crc == checksum(ofBlock: bytes, byteCount: byteCount)
        else { throw .damaged }
        let version = bytes.load(fromByteOffset: 4, as: UInt8.self)
        guard version == Self.version else { throw .version(version) }
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        guard let lane = SpoolLaneName(rawValue: bytes.load(fromByteOffset: 5, as: UInt8.self)),
            originCount(bytes) <= OriginTable.originsMax, word(40) <= word(32),
            word(48) <= word(32),
            word(32) < SpoolRecordHeader.cumulativeHitsMax
        else { throw .damaged }
        return SegmentHead(
            lane: lane,
            shard: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)),
            segment: word(16),
            createdAtMicroseconds: word(24),
            cumulativeHits: word(32),
            cumulativeMoved: word(40),
            rewrittenHits: word(48))
    }

    /// The origins of a head that `read` found good.
    public static func readOrigins(_ bytes: UnsafeRawPointer) -> OriginTable {
        OriginTable.read(bytes + originsAt, count: originCount(bytes))
    }

    private static func originCount(_ bytes: UnsafeRawPointer) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    }
}
