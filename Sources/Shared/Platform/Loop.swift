import CLibuv
import CLinux

/// An event loop. A process has one, made first and never freed; a process of many threads has one a
/// thread, which alone touches it and all that lives in it.
public struct Loop: @unchecked Sendable {
    let raw: UnsafeMutablePointer<uv_loop_t>

    /// Where reads land whose owner brings no buffer of its own: a read is consumed within its
    /// callback, so all streams of a loop can share it. 64 bytes of slack follow it.
    static let sharedReadBytes = 64 << 10

    public static func make() throws(Failure) -> Loop {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        try uv("uv_loop_init", uv_loop_init(raw))
        raw.pointee.data = .allocate(byteCount: sharedReadBytes + 64, alignment: 64)
        return Loop(raw: raw)
    }

    /// Frees it. All that lived in it must be closed, and the loop run until it said so: else this
    /// fails with EBUSY and the loop goes on as it was.
    public func close() throws(Failure) {
        let shared = raw.pointee.data
        try uv("uv_loop_close", uv_loop_close(raw))
        shared?.deallocate()
        raw.deallocate()
    }

    public func run() { uv_run(raw, UV_RUN_DEFAULT) }
    public func stop() { uv_stop(raw) }
    /// One turn; false when nothing is left to wait for. For tests.
    @discardableResult
    public func runOnce() -> Bool { uv_run(raw, UV_RUN_ONCE) != 0 }
    public func runNoWait() { uv_run(raw, UV_RUN_NOWAIT) }

    /// The loop's clock, read once a turn. Monotonic; for timers and ages.
    public var nowMs: UInt64 { uv_now(raw) }
    /// Makes `nowMs` true again after long work within a turn.
    public func updateTime() { uv_update_time(raw) }
}

/// The wall clock in microseconds since 1970.
public func realtimeMicroseconds() -> UInt64 { clinux_realtime_us() }

/// The monotonic clock in nanoseconds.
public func monotonicNanoseconds() -> UInt64 { clinux_monotonic_ns() }

/// Fills with the kernel's randomness.
public func fillRandom(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    precondition(clinux_random(base, bytes.count) == 0, "getrandom failed")
}

public func randomUInt64() -> UInt64 {
    var value: UInt64 = 0
    withUnsafeMutableBytes(of: &value) { fillRandom($0) }
    return value
}
