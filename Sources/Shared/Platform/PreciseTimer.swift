import CLibuv
import CLinux
import Glibc

/// A one-shot timer for an absolute time in nanoseconds, where `Timer` knows milliseconds only: a
/// timerfd under the loop, one call to the kernel an arming.
///
/// It fires never early. How late it is depends on what waking costs this machine (`TimerCost`):
/// some microseconds on bare metal, tens of them where a hypervisor takes part in every timer
/// interrupt. Hence `awakeNanoseconds`: for so long before its time it keeps the loop turning instead
/// of asleep, and then it is late by one turn. That burns CPU, but little more than the sleep would
/// have cost when it is set to `TimerCost.awakeNanoseconds`.
///
/// Close it when done: it lives on the heap and holds a descriptor.
public struct PreciseTimer {
    private struct Storage {
        var poll = uv_poll_t()
        var idle = uv_idle_t()
        /// Of the two handles, those libuv has not let go of.
        var open = 2
        let descriptor: Int32
        let owner: UnsafeMutableRawPointer
        let fire: OwnerCall
        let awakeNanoseconds: UInt64
        /// Monotonic; 0 while not armed.
        var due: UInt64 = 0
        /// What the timerfd is set to; 0: to nothing, and it is not readable.
        var wake: UInt64 = 0
        /// The last idle turn; 0 when the loop slept or worked since.
        var lastTurn: UInt64 = 0
        var spun: UInt64 = 0
    }

    /// A turn that takes longer had something to do.
    private static let emptyTurnNanosecondsMax: UInt64 = 2000

    private let storage: UnsafeMutablePointer<Storage>

    public init(
        in loop: Loop, owner: UnsafeMutableRawPointer, awakeNanoseconds: UInt64 = 0,
        fire: @escaping OwnerCall
    ) throws(Failure) {
        let descriptor = try system("timerfd_create", clinux_timerfd_create())
        storage = .allocate(capacity: 1)
        storage.initialize(
            to: Storage(
                descriptor: descriptor, owner: owner, fire: fire,
                awakeNanoseconds: awakeNanoseconds))
        let status = uv_poll_init(loop.raw, &storage.pointee.poll, descriptor)
        if status < 0 {
            Glibc.close(descriptor)
            storage.deallocate()
        }
        try uv("uv_poll_init", status)
        must("uv_idle_init", uv_idle_init(loop.raw, &storage.pointee.idle))
        storage.pointee.poll.data = UnsafeMutableRawPointer(storage)
        storage.pointee.idle.data = UnsafeMutableRawPointer(storage)
        must(
            "uv_poll_start",
            uv_poll_start(&storage.pointee.poll, Int32(UV_READABLE.rawValue)) { poll, _, _ in
                PreciseTimer(data: poll!.pointee.data).wakes()
            })
    }

    private init(data: UnsafeMutableRawPointer?) {
        storage = data!.assumingMemoryBound(to: Storage.self)
    }

    // MARK: What the owner does

    /// Fires once at that time of `monotonicNanoseconds()`; in the next turn when it is past. What it
    /// was armed for before no longer holds.
    public func arm(atNanoseconds due: UInt64) {
        storage.pointee.due = max(due, 1)
        let awake = storage.pointee.awakeNanoseconds
        // To the kernel 0 means "never".
        let wake = due > awake ? due - awake : 1
        if wake <= monotonicNanoseconds() {
            // Not by the kernel even if it is past: a timer that is due when it is set costs it an
            // interrupt all the same.
            setKernel(0)
            turnOn()
        } else {
            turnOff()
            setKernel(wake)
        }
    }

    /// It does not fire until it is armed again.
    public func disarm() {
        storage.pointee.due = 0
        setKernel(0)
        turnOff()
    }

    public var isArmed: Bool { storage.pointee.due != 0 }

    /// How long it kept the loop awake with nothing to do: CPU time that was free for work.
    public var spunNanoseconds: UInt64 { storage.pointee.spun }

    /// Twice is once.
    public func close() {
        if isClosing { return }
        let letGo: uv_close_cb = { handle in
            let storage = handle!.pointee.data.assumingMemoryBound(to: Storage.self)
            storage.pointee.open -= 1
            if storage.pointee.open == 0 { storage.deallocate() }
        }
        uv_close(uvx_handle(&storage.pointee.idle), letGo)
        uv_close(uvx_handle(&storage.pointee.poll), letGo)
        // libuv stopped polling it within uv_close.
        Glibc.close(storage.pointee.descriptor)
    }

    private var isClosing: Bool { uv_is_closing(uvx_handle(&storage.pointee.poll)) != 0 }

    // MARK: What the loop does

    private func wakes() {
        let now = monotonicNanoseconds()
        // The turn may have learned of this before another callback of it set the timer anew.
        if storage.pointee.wake == 0 || now < storage.pointee.wake { return }
        if now >= storage.pointee.due {
            fire()
        } else {
            setKernel(0)
            turnOn()
        }
    }

    private func turns() {
        let now = monotonicNanoseconds()
        let last = storage.pointee.lastTurn
        if last != 0 && now - last < Self.emptyTurnNanosecondsMax {
            storage.pointee.spun += now - last
        }
        storage.pointee.lastTurn = now
        if now >= storage.pointee.due { fire() }
    }

    /// The poll is level-triggered and nobody reads the timerfd: to set it anew is what makes it
    /// unreadable, whether the owner does so by arming or this does.
    private func fire() {
        storage.pointee.due = 0
        storage.pointee.fire(storage.pointee.owner)
        if !isArmed && !isClosing { disarm() }
    }

    private func setKernel(_ wake: UInt64) {
        if wake == 0 && storage.pointee.wake == 0 { return }
        storage.pointee.wake = wake
        // Fails only for a descriptor that is no timer.
        let status = clinux_timerfd_set(storage.pointee.descriptor, wake)
        precondition(status == 0, "timerfd_settime on a closed timer")
    }

    private func turnOn() {
        if uv_is_active(uvx_handle(&storage.pointee.idle)) != 0 { return }
        storage.pointee.lastTurn = 0
        must(
            "uv_idle_start",
            uv_idle_start(&storage.pointee.idle) { PreciseTimer(data: $0!.pointee.data).turns() })
    }

    private func turnOff() { uv_idle_stop(&storage.pointee.idle) }
}
