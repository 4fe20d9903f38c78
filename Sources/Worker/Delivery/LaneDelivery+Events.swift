import Core

import Platform

/// Where the handles' calls arrive: one change of state, then the owner's closures, which may use
/// the lane again.
extension LaneDelivery {
    static let timerFired: OwnerCall = { owner in
        let it = pointer(owner)
        it.pointee.timeHasCome()
        tellOwner(it)
    }

    static let sliceIsDue: OwnerCall = { owner in
        let it = pointer(owner)
        it.pointee.advance()
        tellOwner(it)
    }

    static let callFinished: OwnerCall = { owner in
        let it = pointer(owner)
        it.pointee.callHasFinished()
        tellOwner(it)
    }

    /// Stops and tells. See the method of the same name.
    static func stop(_ it: Pointer, deadlineMs: UInt64, done: @escaping () -> Void) {
        it.pointee.stop(deadlineMs: deadlineMs, done: done)
        tellOwner(it)
    }

    /// Gives the memory back, after `done`.
    static func free(_ it: Pointer) {
        it.deinitialize(count: 1)
        it.deallocate()
    }

    private static func pointer(_ owner: UnsafeMutableRawPointer) -> Pointer {
        owner.assumingMemoryBound(to: LaneDelivery.self)
    }

    private static func tellOwner(_ it: Pointer) {
        if let caughtUp = it.pointee.takeCatchUp() { caughtUp() }
        // Last, since the owner may free the lane.
        if let stopped = it.pointee.takeStopped() { stopped() }
    }
}
