import Core

/// Which spool records each Firehose record of a batch stands for, and which of them Firehose has
/// taken. The cursor never passes a record that it has not.
struct BatchLedger {
    /// One Firehose record.
    private struct Entry {
        /// End of the last spool record that is whole within this and earlier entries; nil when
        /// none has ended yet (a spool record cut over several entries ends in the last).
        var end: SpoolPosition?
        /// How far into the entry that is.
        var endBytes = 0
        var hits: UInt64 = 0
        var dropped: UInt64 = 0
        /// Of the hits, given up: in spool records that end here, and in the one that goes on.
        var setAside: UInt64 = 0
        var setAsideBehindEnd: UInt64 = 0
        /// Of the last spool record that ends here.
        var receivedAtMicroseconds: UInt64 = 0
        var isTaken = false
    }

    /// How far the cursor may move, and what it passes.
    struct Advance: Equatable {
        var position: SpoolPosition
        var delivered: UInt64 = 0
        var setAside: UInt64 = 0
        var dropped: UInt64 = 0
        /// When the last spool record it passes was received.
        var receivedAtMicroseconds: UInt64 = 0
    }

    private var entries: [Entry] = []
    /// Entries before this one are behind the cursor.
    private var first = 0
    /// The entries of the call in flight, in its order.
    private var inCall: [Int] = []
    /// What entries without an end of their own carry over to the next that has one.
    private var owed = (hits: UInt64(0), setAside: UInt64(0), dropped: UInt64(0))

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

    /// A spool record ends in the newest entry, whose raw bytes are that many up to here. One that
    /// ends before any (it held no rows) is counted with the next.
    mutating func recordEnded(_ view: SpoolRecordView, entryBytes: Int) {
        guard let last = entries.indices.last else {
            owed.hits += UInt64(view.hitCount)
            owed.dropped += view.droppedBefore
            return
        }
        entries[last].end = view.end
        entries[last].endBytes = entryBytes
        entries[last].hits += UInt64(view.hitCount)
        entries[last].dropped += view.droppedBefore
        entries[last].receivedAtMicroseconds = view.receivedAtMicroseconds
    }

    /// The call was answered: all was taken but the records at these indexes of the call, which
    /// form the next. Returns how far the cursor moves, if it does.
    mutating func settle(failed: [Int]) -> Advance? {
        for index in inCall { entries[index].isTaken = true }
        for at in failed { entries[inCall[at]].isTaken = false }
        // Indexes rise, so what stays moves to the front without running into itself.
        for (to, at) in failed.enumerated() { inCall[to] = inCall[at] }
        inCall.removeSubrange(failed.count...)
        return advance()
    }

    /// The first record of the call is settled: taken but for the rows at these places in it.
    mutating func settleFirst(setAside offsets: [Int]) -> Advance? {
        let index = inCall.removeFirst()
        entries[index].isTaken = true
        for offset in offsets {
            if entries[index].end != nil, offset < entries[index].endBytes {
                entries[index].setAside += 1
            } else {
                entries[index].setAsideBehindEnd += 1
            }
        }
        return advance()
    }

    /// Passes the entries that are taken, from the first on.
    private mutating func advance() -> Advance? {
        var advance: Advance?
        while first < entries.count, entries[first].isTaken {
            let entry = entries[first]
            first += 1
            owed.hits += entry.hits
            owed.dropped += entry.dropped
            owed.setAside += entry.setAside
            if let end = entry.end {
                var it = advance ?? Advance(position: end)
                it.position = end
                it.delivered += owed.hits - owed.setAside
                it.setAside += owed.setAside
                it.dropped += owed.dropped
                it.receivedAtMicroseconds = entry.receivedAtMicroseconds
                (advance, owed) = (it, (0, 0, 0))
            }
            owed.setAside += entry.setAsideBehindEnd
        }
        return advance
    }
}
