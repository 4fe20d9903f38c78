import Core

/// Which spool records each Firehose record of a batch stands for, and which of them Firehose has
/// taken. The cursor never passes a record that it has not.
struct BatchLedger {
    /// One Firehose record.
    private struct Entry {
        /// End of the last spool record that is whole within this and earlier entries; nil when
        /// none has ended yet (a spool record cut over several entries ends in the last).
        var end: SpoolPosition?
        var delivered: UInt64 = 0
        var dropped: UInt64 = 0
        var isTaken = false
    }

    /// How far the cursor may move, and what it passes.
    struct Advance: Equatable {
        var position: SpoolPosition
        var delivered: UInt64
        var dropped: UInt64
    }

    private var entries: [Entry] = []
    /// Entries before this one are behind the cursor.
    private var first = 0
    /// The entries of the call in flight, in its order.
    private var inCall: [Int] = []
    /// What entries without an end of their own carry over to the next that has one.
    private var owed: (delivered: UInt64, dropped: UInt64) = (0, 0)

    var callRecordCount: Int { inCall.count }

    mutating func begin() {
        entries.removeAll(keepingCapacity: true)
        inCall.removeAll(keepingCapacity: true)
        first = 0
    }

    mutating func openEntry() {
        inCall.append(entries.count)
        entries.append(Entry())
    }

    /// A spool record ends in the newest entry. One that ends before any (it held no rows) is
    /// counted with the next.
    mutating func recordEnded(at end: SpoolPosition, hits: Int, droppedBefore: UInt64) {
        guard let last = entries.indices.last else {
            owed.delivered += UInt64(hits)
            owed.dropped += droppedBefore
            return
        }
        entries[last].end = end
        entries[last].delivered += UInt64(hits)
        entries[last].dropped += droppedBefore
    }

    /// The call was answered: all was taken but the records at these indexes of the call, which
    /// form the next. Returns how far the cursor moves, if it does.
    mutating func settle(failed: [Int]) -> Advance? {
        for index in inCall { entries[index].isTaken = true }
        for at in failed { entries[inCall[at]].isTaken = false }
        // Indexes rise, so what stays moves to the front without running into itself.
        for (to, at) in failed.enumerated() { inCall[to] = inCall[at] }
        inCall.removeSubrange(failed.count...)
        var position: SpoolPosition?
        while first < entries.count, entries[first].isTaken {
            owed.delivered += entries[first].delivered
            owed.dropped += entries[first].dropped
            position = entries[first].end ?? position
            first += 1
        }
        guard let position else { return nil }
        let advance = Advance(
            position: position, delivered: owed.delivered, dropped: owed.dropped)
        owed = (0, 0)
        return advance
    }
}
