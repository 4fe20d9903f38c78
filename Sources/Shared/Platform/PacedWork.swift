import CLibuv
import Glibc

/// Long work in slices that others hardly notice. While active it calls after each turn's polling,
/// and between two calls the loop sleeps until something happens, for a millisecond at most. So
/// whoever shares the CPU has a turn after each slice, and what arrives wakes the loop for both.
/// Slices follow one another for as long as passed since the last, up to a millisecond: work gets
/// its half of the time, be the turns short or long.
///
/// Neither an idle handle nor sched_yield(2) does that: with the first the process never sleeps,
/// and runs until the kernel takes the CPU from it; the second costs it a whole turn of its own
/// (since Linux 6.18), and with it everybody who waits for it.
public struct PacedWork {
    private struct Storage {
        var check = uv_check_t()
        var timer = uv_timer_t()
        /// Of the two handles, those libuv has not let go of.
        var open = 2
        let owner: UnsafeMutableRawPointer
        let fire: OwnerCall
        var isActive = false
        var lastEnd: UInt64 = 0
    }

    private static let sleepMs: UInt64 = 1
    private static let budgetNanosecondsMax: UInt64 = 1_000_000

    private let storage: UnsafeMutablePointer<Storage>

    public init(in loop: Loop, owner: UnsafeMutableRawPointer, fire: @escaping OwnerCall) {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(owner: owner, fire: fire))
        must("uv_check_init", uv_check_init(loop.raw, &storage.pointee.check))
        must("uv_timer_init", uv_timer_init(loop.raw, &storage.pointee.timer))
        storage.pointee.check.data = UnsafeMutableRawPointer(storage)
        storage.pointee.timer.data = UnsafeMutableRawPointer(storage)
    }

    private init(data: UnsafeMutableRawPointer?) {
        storage = data!.assumingMemoryBound(to: Storage.self)
    }

    public func start() {
        if storage.pointee.isActive { return }
        storage.pointee.isActive = true
        storage.pointee.lastEnd = monotonicNanoseconds()
        must(
            "uv_check_start",
            uv_check_start(&storage.pointee.check) { PacedWork(data: $0!.pointee.data).work() })
        // Only so that the loop does not sleep for longer.
        must(
            "uv_timer_start",
            uv_timer_start(&storage.pointee.timer, { _ in }, Self.sleepMs, Self.sleepMs))
    }

    public func stop() {
        storage.pointee.isActive = false
        uv_check_stop(&storage.pointee.check)
        uv_timer_stop(&storage.pointee.timer)
    }

    private func work() {
        let now = monotonicNanoseconds()
        let end = now + min(now - storage.pointee.lastEnd, Self.budgetNanosecondsMax)
        repeat {
            storage.pointee.fire(storage.pointee.owner)
            storage.pointee.lastEnd = monotonicNanoseconds()
        } while storage.pointee.isActive && storage.pointee.lastEnd < end
    }

    public func close() {
        if uv_is_closing(uvx_handle(&storage.pointee.check)) != 0 { return }
        storage.pointee.isActive = false
        uv_close(uvx_handle(&storage.pointee.check)) { Self.closed($0!.pointee.data) }
        uv_close(uvx_handle(&storage.pointee.timer)) { Self.closed($0!.pointee.data) }
    }

    private static func closed(_ data: UnsafeMutableRawPointer?) {
        let storage = PacedWork(data: data).storage
        storage.pointee.open -= 1
        if storage.pointee.open == 0 { storage.deallocate() }
    }
}
