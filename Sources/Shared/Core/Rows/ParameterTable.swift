import CBytes

/// The query parameters a schema knows: name → slot number.
///
/// Open addressing, at most a quarter full. The hash mixes the first and the last eight bytes and
/// the length; its multiplier is chosen at init so that known names collide as little as possible.
/// Up to 16 bytes those two words and the length are the whole name, so comparing them decides.
struct ParameterTable: ~Copyable {
    private struct Entry {
        var head: UInt64 = 0
        var tail: UInt64 = 0
        var name: Bytes? = nil
        var byteCount: UInt32 = 0
        /// -1 where there is none.
        var slot: Int32 = -1
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let entryCount: Int
    private let shift: UInt64
    private let multiplier: UInt64
    private let names: RowCursor

    /// Slots are the names' positions. Names are not empty and differ.
    init(_ parameters: [String]) {
        var bits = 3
        while 1 << bits < 4 * parameters.count { bits += 1 }
        entryCount = 1 << bits
        shift = UInt64(64 - bits)
        entries = .allocate(capacity: entryCount)
        entries.initialize(repeating: Entry(), count: entryCount)
        let bytes = parameters.flatMap { Array($0.utf8) }
        names = .allocate(capacity: bytes.count + 16)
        names.initialize(repeating: 0, count: bytes.count + 16)
        names.update(from: bytes, count: bytes.count)

        var at = names
        var known: [Entry] = []
        for (slot, parameter) in parameters.enumerated() {
            let count = parameter.utf8.count
            let (head, tail) = Self.words(at, count)
            known.append(
                Entry(
                    head: head, tail: tail, name: Bytes(at), byteCount: UInt32(count),
                    slot: Int32(slot)))
            at += count
        }
        multiplier = Self.bestMultiplier(for: known, shift: shift)
        for entry in known {
            var place = Self.place(
                entry.head, entry.tail, Int(entry.byteCount), multiplier, shift)
            while entries[place].slot >= 0 { place = (place + 1) & (entryCount - 1) }
            entries[place] = entry
        }
    }

    deinit {
        entries.deallocate()
        names.deallocate()
    }

    /// The slot of a decoded name, -1 when the schema does not know it.
    @inline(always)
    func slot(_ name: Bytes, _ count: Int) -> Int {
        guard count > 0 else { return -1 }
        let (head, tail) = Self.words(name, count)
        var place = Self.place(head, tail, count, multiplier, shift)
        while true {
            let entry = entries + place
            let slot = Int(entry.pointee.slot)
            if slot < 0 { return -1 }
            if entry.pointee.head == head, entry.pointee.tail == tail,
                entry.pointee.byteCount == UInt32(truncatingIfNeeded: count),
                count <= 16 || memcmp(name, entry.pointee.name!, count) == 0
            {
                return slot
            }
            place = (place &+ 1) & (entryCount &- 1)
        }
    }

    /// The first and last eight bytes; of a shorter name, loads that overlap inside it.
    @inline(always)
    private static func words(_ name: Bytes, _ count: Int) -> (head: UInt64, tail: UInt64) {
        let raw = UnsafeRawPointer(name)
        if count >= 8 {
            return (
                raw.loadUnaligned(as: UInt64.self),
                raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            )
        }
        if count >= 4 {
            return (
                UInt64(raw.loadUnaligned(as: UInt32.self)),
                UInt64(raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
            )
        }
        // One to three bytes: first, middle, last.
        return (
            UInt64(name[0]) | UInt64(name[count >> 1]) << 8 | UInt64(name[count &- 1]) << 16, 0
        )
    }

    @inline(always)
    private static func place(
        _ head: UInt64, _ tail: UInt64, _ count: Int, _ multiplier: UInt64, _ shift: UInt64
    ) -> Int {
        let mixed = head ^ (tail << 23 | tail >> 41) ^ UInt64(truncatingIfNeeded: count) &<< 56
        return Int(truncatingIfNeeded: (mixed &* multiplier) &>> shift)
    }

    /// The first of 256 odd multipliers (a fixed sequence) with the fewest collisions.
    private static func bestMultiplier(for known: [Entry], shift: UInt64) -> UInt64 {
        var best: UInt64 = 0x9E37_79B9_7F4A_7C15
        var fewest = Int.max
        var candidate = best
        for _ in 0..<256 {
            let places = Set(
                known.map { place($0.head, $0.tail, Int($0.byteCount), candidate, shift) })
            let collisions = known.count - places.count
            if collisions < fewest { (best, fewest) = (candidate, collisions) }
            if fewest == 0 { break }
            candidate = candidate &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            candidate |= 1
        }
        return best
    }
}
