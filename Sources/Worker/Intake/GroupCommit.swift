/// Which sync each frame waits for. One sync is under way at a time; a frame counts as durable when a
/// sync that *began* after its append has ended, so frames that arrive during one wait for the next.
/// That begins as soon as the other has ended and somebody waits: nothing lingers, and the slower the
/// disk the more frames share a sync.
///
/// Groups are numbered from 1: the frames that one sync is for.
struct GroupCommit: Equatable {
    /// The group that a frame appended now belongs to.
    private(set) var openGroup: UInt64 = 1
    /// All groups up to this one are durable, or refused.
    private(set) var settledGroup: UInt64 = 0
    /// Frames wait in the open group.
    private(set) var isAwaited = false

    /// A sync is under way: for the group before the open one.
    var isSyncing: Bool { settledGroup + 1 < openGroup }

    /// A frame that was just appended waits; for which group.
    mutating func join() -> UInt64 {
        isAwaited = true
        return openGroup
    }

    /// Closes the open group if its sync is to begin now.
    mutating func begin() -> Bool {
        if isSyncing || !isAwaited { return false }
        openGroup += 1
        isAwaited = false
        return true
    }

    /// The sync of the closed group has ended; up to which group all is settled.
    mutating func finish() -> UInt64 {
        precondition(isSyncing, "no sync is under way")
        settledGroup = openGroup - 1
        return settledGroup
    }
}
