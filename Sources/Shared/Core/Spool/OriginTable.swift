/// Which batches a lane holds, so that a batch that comes again is not written again.
///
/// For each origin: its highest sequence, and one bit for each of the 256 sequences below. So it is
/// exact over the batches that can come again: one that the lane refused in between (full, or the
/// disk failed) has no bit and is not taken for stored. What is further below was settled long ago
/// and counts as held; a worker therefore never has more than 256 batches of one link unanswered.
///
/// At most 64 origins; the one not used for longest gives way. In a segment's head an entry is
///
///     offset 0   UInt64  origin: router incarnation
///     offset 8   UInt64  highest sequence
///     offset 16  UInt16  origin: router slot
///     offset 18  6 B     zero
///     offset 24  32 B    bit i: sequence `highest − 1 − i` is held
///
/// Little endian, least recently used first.
public struct OriginTable: ~Copyable {
    public static let originsMax = 64
    public static let entryBytes = 56
    /// Sequences below the highest whose presence is known one by one.
    public static let windowBatches: UInt64 = 256

    private struct Entry {
        var origin: Origin
        var highest: UInt64
        var below: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var lastUse: UInt64

        mutating func shift(by distance: UInt64) {
            guard distance < OriginTable.windowBatches else {
                below = (0, 0, 0, 0)
                return
            }
            for _ in 0..<(distance >> 6) { below = (0, below.0, below.1, below.2) }
            let bits = distance & 63
            guard bits > 0 else { return }
            below = (
                below.0 << bits,
                below.1 << bits | below.0 >> (64 - bits),
                below.2 << bits | below.1 >> (64 - bits),
                below.3 << bits | below.2 >> (64 - bits)
            )
        }

        func isSet(_ bit: UInt64) -> Bool {
            let word =
                switch bit >> 6 {
                case 0: below.0
                case 1: below.1
                case 2: below.2
                default: below.3
                }
            return word >> (bit & 63) & 1 == 1
        }

        mutating func set(_ bit: UInt64) {
            let mask = UInt64(1) << (bit & 63)
            switch bit >> 6 {
            case 0: below.0 |= mask
            case 1: below.1 |= mask
            case 2: below.2 |= mask
            default: below.3 |= mask
            }
        }
    }

    private let entries = UnsafeMutablePointer<Entry>.allocate(capacity: originsMax)
    public private(set) var count = 0
    private var uses: UInt64 = 0

    public init() {}
    deinit { entries.deallocate() }

    /// Another table of the same content.
    public func copy() -> OriginTable {
        var other = OriginTable()
        other.entries.update(from: entries, count: count)
        (other.count, other.uses) = (count, uses)
        return other
    }

    /// Whether the lane holds that batch.
    public func holds(_ origin: Origin, _ sequence: UInt64) -> Bool {
        guard let entry = find(origin) else { return false }
        if sequence >= entry.pointee.highest { return sequence == entry.pointee.highest }
        let bit = entry.pointee.highest - sequence - 1
        return bit >= Self.windowBatches || entry.pointee.isSet(bit)
    }

    /// The highest sequences of origins with that slot.
    public func highest(ofSlot slot: UInt16) -> [UInt64] {
        (0..<count).filter { entries[$0].origin.slot == slot }.map { entries[$0].highest }
    }

    /// The lane now holds that batch.
    public mutating func note(_ origin: Origin, _ sequence: UInt64) {
        uses &+= 1
        guard let entry = find(origin) else {
            slotForNewcomer().initialize(
                to: Entry(origin: origin, highest: sequence, lastUse: uses))
            return
        }
        entry.pointee.lastUse = uses
        let highest = entry.pointee.highest
        if sequence > highest {
            let distance = sequence - highest
            entry.pointee.shift(by: distance)
            entry.pointee.highest = sequence
            if distance <= Self.windowBatches { entry.pointee.set(distance - 1) }
        } else if sequence < highest, highest - sequence <= Self.windowBatches {
            entry.pointee.set(highest - sequence - 1)
        }
    }

    private func find(_ origin: Origin) -> UnsafeMutablePointer<Entry>? {
        for index in 0..<count where entries[index].origin == origin { return entries + index }
        return nil
    }

    private mutating func slotForNewcomer() -> UnsafeMutablePointer<Entry> {
        if count < Self.originsMax {
            count += 1
            return entries + (count - 1)
        }
        var oldest = entries
        for index in 1..<count where entries[index].lastUse < oldest.pointee.lastUse {
            oldest = entries + index
        }
        return oldest
    }

    /// Writes `count` entries of 56 bytes.
    func write(to target: UnsafeMutableRawPointer) {
        let order = (0..<count).sorted { entries[$0].lastUse < entries[$1].lastUse }
        var at = target
        for index in order {
            let entry = entries[index]
            at.storeBytes(of: entry.origin.incarnation.littleEndian, as: UInt64.self)
            at.storeBytes(of: entry.highest.littleEndian, toByteOffset: 8, as: UInt64.self)
            at.storeBytes(
                of: UInt64(entry.origin.slot).littleEndian, toByteOffset: 16, as: UInt64.self)
            at.storeBytes(of: entry.below.0.littleEndian, toByteOffset: 24, as: UInt64.self)
            at.storeBytes(of: entry.below.1.littleEndian, toByteOffset: 32, as: UInt64.self)
            at.storeBytes(of: entry.below.2.littleEndian, toByteOffset: 40, as: UInt64.self)
            at.storeBytes(of: entry.below.3.littleEndian, toByteOffset: 48, as: UInt64.self)
            at += Self.entryBytes
        }
    }

    /// Reads `count` (at most 64) entries of 56 bytes.
    static func read(_ bytes: UnsafeRawPointer, count: Int) -> OriginTable {
        precondition(count <= originsMax)
        var table = OriginTable()
        for index in 0..<count {
            let at = bytes + index * entryBytes
            func word(_ offset: Int) -> UInt64 {
                UInt64(littleEndian: at.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            table.uses += 1
            (table.entries + index).initialize(
                to: Entry(
                    origin: Origin(
                        slot: UInt16(truncatingIfNeeded: word(16)), incarnation: word(0)),
                    highest: word(8),
                    below: (word(24), word(32), word(40), word(48)),
                    lastUse: table.uses))
        }
        table.count = count
        return table
    }
}
