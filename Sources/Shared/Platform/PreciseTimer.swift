import CLibuv
import CLinux
import Glibc

/// A one-shot timer for an absolute time in nanoseconds, where `Timer` knows milliseconds only: a
/// timerfd under the loop. Arming is one call to the kernel, firing is none besides the loop's own.
///
/// It fires never early; how late it does is the kernel's and the loop's affair. Close it when done:
/// it lives on the heap and holds a descriptor.
public struct PreciseTimer {
    private struct Storage {
        var handle = uv_poll_t()
        let descriptor: Int32
        let owner: UnsafeMutableRawPointer
        let fire: OwnerCall
        /// Monotonic; 0 while not armed.
        var dueNanoseconds: UInt64 = 0
    }

    private let storage: UnsafeMutablePointer<Storage>

    public init(
        in loop: Loop, owner: UnsafeMutableRawPointer, fire: @escaping OwnerCall
    ) throws(Failure) {
        let descriptor = try system("timerfd_create", clinux_timerfd_create())
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(descriptor: descriptor, owner: owner, fire: fire))
        let status = uv_poll_init(loop.raw, &storage.pointee.handle, descriptor)
        if status < 0 {
            Glibc.close(descriptor)
            storage.deallocate()
        }
        try uv("uv_poll_init", status)
        must(
            "uv_poll_start",
            uv_poll_start(
                &storage.pointee.handle, Int32(UV_READABLE.rawValue), preciseTimerIsReadable))
    }

    private init(at storage: UnsafeMutablePointer<Storage>) { self.storage = storage }

    /// Fires once at that time of `monotonicNanoseconds()`, at once when it is past. What it was
    /// armed for before no longer holds.
    public func arm(atNanoseconds dueNanoseconds: UInt64) {
        // To the kernel 0 means "never", and so does it here.
        set(max(dueNanoseconds, 1))
    }

    /// It does not fire until it is armed again.
    public func disarm() {
        if isArmed { set(0) }
    }

    public var isArmed: Bool { storage.pointee.dueNanoseconds != 0 }

    /// Twice is once.
    public func close() {
        if isClosing { return }
        uv_close(uvx_handle(storage)) { UnsafeMutableRawPointer($0!).deallocate() }
        // libuv has let go of it within uv_close, and a closed descriptor is polled no more.
        Glibc.close(storage.pointee.descriptor)
    }

    private var isClosing: Bool { uv_is_closing(uvx_handle(storage)) != 0 }

    private func set(_ dueNanoseconds: UInt64) {
        storage.pointee.dueNanoseconds = dueNanoseconds
        // Fails only for a descriptor that is no timer.
        let status = clinux_timerfd_set(storage.pointee.descriptor, dueNanoseconds)
        precondition(status == 0, "timerfd_settime on a closed timer")
    }

    /// The poll is level-triggered and nobody reads the timer: to set it again is what makes it
    /// unreadable, whether the owner does so or this does.
    fileprivate static func isReadable(_ poll: UnsafeMutablePointer<uv_poll_t>) {
        let timer = PreciseTimer(
            at: UnsafeMutableRawPointer(poll).assumingMemoryBound(to: Storage.self))
        let due = timer.storage.pointee.dueNanoseconds
        // The turn may have learned of this before another callback of it set the timer anew.
        if due == 0 || monotonicNanoseconds() < due { return }
        timer.storage.pointee.dueNanoseconds = 0
        timer.storage.pointee.fire(timer.storage.pointee.owner)
        if !timer.isArmed && !timer.isClosing { timer.set(0) }
    }
}

@c(hydrant_precise_timer_is_readable)
func preciseTimerIsReadable(
    _ poll: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32
) {
    PreciseTimer.isReadable(poll!)
}
