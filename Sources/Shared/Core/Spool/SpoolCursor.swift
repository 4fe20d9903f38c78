/// A place between two records of a lane: the end of the one before.
public struct SpoolPosition: Comparable, Hashable, Sendable {
    public var segment: UInt64
    public var offset: UInt64

    public init(segment: UInt64, offset: UInt64) {
        self.segment = segment
        self.offset = offset
    }

    public static func < (a: SpoolPosition, b: SpoolPosition) -> Bool {
        (a.segment, a.offset) < (b.segment, b.offset)
    }
}

/// How far a lane has been delivered, and what became of the hits before. The cursor file is two
/// slots of 512 bytes, written in turn: a write that is cut short spoils the older one's place.
///
///     offset 0   UInt32  magic: 'H' 0x00 0xFF 'C'
///     offset 4   UInt8   version
///     offset 5   UInt8   lane (1 good, 2 bad)
///     offset 6   UInt16  shard
///     offset 8   4 B     zero
///     offset 12  UInt32  CRC-32C of all 512 bytes, this word zero
///     offset 16  UInt64  generation; the valid slot of the higher one counts
///     offset 24  UInt64  segment
///     offset 32  UInt64  offset in the segment
///     offset 40  UInt64  delivered hits
///     offset 48  UInt64  set-aside hits
///     offset 56  UInt64  dropped hits: unreadable
///     offset 64  UInt64  dropped hits: evicted
///     offset 72  UInt64  hits of the lane when the slot was written, passed or not
///     offset 80  UInt64  of these, moved from the other lane
///     offset 88  UInt64  hits passed: the sum of the four above
///     offset 96  416 B   zero
///
/// Little endian. The lane's totals are repeated here so that they survive segments that do not.
public struct SpoolCursor: Equatable, Sendable {
    public static let slotBytes = 512
    public static let fileBytes = 1024
    public static let version: UInt8 = 1
    static let magic: UInt32 = 0x43FF_0048
    /// Far above any real one, so that counting on from it cannot overflow.
    public static let segmentMax: UInt64 = 9_999_999_999_999_999

    public var lane: SpoolLaneName
    public var shard: UInt16
    public var generation: UInt64 = 0
    public var position = SpoolPosition(segment: 0, offset: 0)
    public var delivered: UInt64 = 0
    public var setAside: UInt64 = 0
    public var droppedUnreadable: UInt64 = 0
    public var droppedEvicted: UInt64 = 0
    public var cumulativeHits: UInt64 = 0
    public var cumulativeMoved: UInt64 = 0

    public init(lane: SpoolLaneName, shard: UInt16) {
        self.lane = lane
        self.shard = shard
    }

    public var dropped: UInt64 { droppedUnreadable + droppedEvicted }
    /// Hits before the position, whatever became of them.
    public var passed: UInt64 { delivered + setAside + dropped }

    /// Writes one slot: 512 bytes.
    public func write(to target: UnsafeMutableRawPointer) {
        target.initializeMemory(as: UInt8.self, repeating: 0, count: Self.slotBytes)
        func store(_ word: UInt64, at offset: Int) {
            target.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
        }
        target.storeBytes(of: Self.magic.littleEndian, as: UInt32.self)
        target.storeBytes(of: Self.version, toByteOffset: 4, as: UInt8.self)
        target.storeBytes(of: lane.rawValue, toByteOffset: 5, as: UInt8.self)
        target.storeBytes(of: shard.littleEndian, toByteOffset: 6, as: UInt16.self)
        store(generation, at: 16)
        store(position.segment, at: 24)
        store(position.offset, at: 32)
        store(delivered, at: 40)
        store(setAside, at: 48)
        store(droppedUnreadable, at: 56)
        store(droppedEvicted, at: 64)
        store(cumulativeHits, at: 72)
        store(cumulativeMoved, at: 80)
        store(passed, at: 88)
        let crc = checksum(ofBlock: target, byteCount: Self.slotBytes)
        target.storeBytes(of: crc.littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// Reads one slot: 512 bytes. Nil when it is damaged, of another version, or contradicts
    /// itself.
    public static func read(_ bytes: UnsafeRawPointer) -> SpoolCursor? {
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let crc = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)) == magic,
            crc == checksum(ofBlock: bytes, byteCount: slotBytes),
            bytes.load(fromByteOffset: 4, as: UInt8.self) == version,
            let lane = SpoolLaneName(rawValue: bytes.load(fromByteOffset: 5, as: UInt8.self))
        else { return nil }
        var cursor = SpoolCursor(
            lane: lane,
            shard: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)))
        cursor.generation = word(16)
        cursor.position = SpoolPosition(segment: word(24), offset: word(32))
        cursor.delivered = word(40)
        cursor.setAside = word(48)
        cursor.droppedUnreadable = word(56)
        cursor.droppedEvicted = word(64)
        cursor.cumulativeHits = word(72)
        cursor.cumulativeMoved = word(80)
        return cursor.isSane(passed: word(88)) ? cursor : nil
    }

    /// The sums cannot overflow and fit each other.
    private func isSane(passed stored: UInt64) -> Bool {
        let parts = [delivered, setAside, droppedUnreadable, droppedEvicted]
        return parts.allSatisfy { $0 < 1 << 60 } && passed == stored && passed <= cumulativeHits
            && cumulativeHits < 1 << 60 && cumulativeMoved <= cumulativeHits
            && position.segment <= Self.segmentMax && position.offset < 1 << 60
            && generation < 1 << 60
    }

    /// Chooses among the slots of a cursor file (1,024 bytes): the valid one of this lane that was
    /// written last, and its index. Nil when neither is.
    public static func choose(
        _ file: UnsafeRawPointer, lane: SpoolLaneName, shard: UInt16
    ) -> (cursor: SpoolCursor, slot: Int)? {
        var best: (cursor: SpoolCursor, slot: Int)?
        for slot in 0...1 {
            guard let cursor = read(file + slot * slotBytes), cursor.lane == lane,
                cursor.shard == shard
            else { continue }
            if let found = best, found.cursor.generation >= cursor.generation { continue }
            best = (cursor, slot)
        }
        return best
    }
}
