import Core
import Glibc

/// Acks of one link that wait for a sync, in the order of their frames, ready to be sent.
///
///     acks    |  settled, may leave  |  waiting for a group  |  free  |
///
/// Bounded by `framesMax`, half of what a lane can tell apart when its frames come again
/// (`OriginTable.windowBatches`): who is at it stops reading the link.
struct AckQueue: ~Copyable {
    static let framesMax = 128

    private struct Entry {
        var group: UInt64
        var byteCount: Int
    }

    private static let bytesMax = framesMax * (FrameHeader.byteCount + Limits.frameHitsMax)

    private let base: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private(set) var count = 0
    private var byteCount = 0

    init() {
        base = .allocate(byteCount: Self.bytesMax, alignment: 64)
        entries = .allocate(capacity: Self.framesMax)
    }

    deinit {
        base.deallocate()
        entries.deallocate()
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count == Self.framesMax }

    /// An ack that may leave when `group` is settled, and all before it have left.
    mutating func append(_ ack: UnsafeRawBufferPointer, group: UInt64) {
        precondition(!isFull && ack.count <= FrameHeader.byteCount + Limits.frameHitsMax)
        memcpy(base + byteCount, ack.baseAddress!, ack.count)
        entries[count] = Entry(group: group, byteCount: ack.count)
        count += 1
        byteCount += ack.count
    }

    /// The acks that may leave once `group` is settled, in one piece; then `removeFirst`.
    func settled(through group: UInt64) -> (bytes: UnsafeRawBufferPointer, acks: Int) {
        var (acks, bytes) = (0, 0)
        while acks < count, entries[acks].group <= group {
            bytes += entries[acks].byteCount
            acks += 1
        }
        return (UnsafeRawBufferPointer(start: base, count: bytes), acks)
    }

    mutating func removeFirst(_ acks: Int) {
        var bytes = 0
        for index in 0..<acks { bytes += entries[index].byteCount }
        count -= acks
        byteCount -= bytes
        if count == 0 { return }
        memmove(base, base + bytes, byteCount)
        entries.update(from: entries + acks, count: count)
    }

    /// Nothing of what waits could be made durable in that lane: its hits are refused. How many.
    mutating func refuse(_ lane: SpoolLaneName) -> Int {
        let stored: Verdict = lane == .good ? .good : .bad
        var refused = 0
        var at = base
        for index in 0..<count {
            let end = at + entries[index].byteCount
            at += FrameHeader.byteCount
            while at < end {
                if at.load(as: UInt8.self) == stored.rawValue {
                    at.storeBytes(of: Verdict.refused.rawValue, as: UInt8.self)
                    refused += 1
                }
                at += 1
            }
        }
        return refused
    }
}
