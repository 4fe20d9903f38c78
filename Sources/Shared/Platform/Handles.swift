import CLibuv
import Glibc

/// A call back to an owner: C function pointer and address.
public typealias OwnerCall = @convention(c) @Sendable (UnsafeMutableRawPointer) -> Void
public typealias OwnerCallWithNumber =
    @convention(c) @Sendable (UnsafeMutableRawPointer, Int32) -> Void

/// One libuv handle on the heap with whom it calls.
struct HandleStorage<Handle> {
    var handle: Handle
    var owner: UnsafeMutableRawPointer
    var call: OwnerCall
    var callWithNumber: OwnerCallWithNumber?
}

private func free<Handle>(_ storage: UnsafeMutablePointer<HandleStorage<Handle>>) {
    if uv_is_closing(uvx_handle(storage)) != 0 { return }
    uv_close(uvx_handle(storage)) { UnsafeMutableRawPointer($0!).deallocate() }
}

private func allocate<Handle>(
    _ handle: Handle, _ owner: UnsafeMutableRawPointer, _ call: @escaping OwnerCall,
    _ callWithNumber: OwnerCallWithNumber? = nil
) -> UnsafeMutablePointer<HandleStorage<Handle>> {
    let storage = UnsafeMutablePointer<HandleStorage<Handle>>.allocate(capacity: 1)
    storage.initialize(
        to: HandleStorage(
            handle: handle, owner: owner, call: call, callWithNumber: callWithNumber))
    return storage
}

/// A millisecond timer. Close it when done: it lives on the heap.
public struct Timer {
    private let storage: UnsafeMutablePointer<HandleStorage<uv_timer_t>>

    public init(in loop: Loop, owner: UnsafeMutableRawPointer, fire: @escaping OwnerCall) {
        storage = allocate(uv_timer_t(), owner, fire)
        must("uv_timer_init", uv_timer_init(loop.raw, &storage.pointee.handle))
    }

    /// Fires once after `delayMs` and then, when `repeatMs` > 0, every `repeatMs`. Restarts.
    public func start(afterMs delayMs: UInt64, repeatMs: UInt64 = 0) {
        must(
            "uv_timer_start",
            uv_timer_start(
                &storage.pointee.handle,
                { timer in
                    let storage = UnsafeMutableRawPointer(timer!)
                        .assumingMemoryBound(to: HandleStorage<uv_timer_t>.self)
                    storage.pointee.call(storage.pointee.owner)
                }, delayMs, repeatMs))
    }

    public func stop() { uv_timer_stop(&storage.pointee.handle) }
    public var isActive: Bool { uv_is_active(uvx_handle(storage)) != 0 }
    public func close() { free(storage) }
}

/// Called at the end of each turn's polling: after all reads of the turn, before the loop sleeps.
public struct TurnEnd {
    private let storage: UnsafeMutablePointer<HandleStorage<uv_check_t>>

    public init(in loop: Loop, owner: UnsafeMutableRawPointer, fire: @escaping OwnerCall) {
        storage = allocate(uv_check_t(), owner, fire)
        must("uv_check_init", uv_check_init(loop.raw, &storage.pointee.handle))
        must(
            "uv_check_start",
            uv_check_start(&storage.pointee.handle) { check in
                let storage = UnsafeMutableRawPointer(check!)
                    .assumingMemoryBound(to: HandleStorage<uv_check_t>.self)
                storage.pointee.call(storage.pointee.owner)
            })
    }

    public func close() { free(storage) }
}

/// While active the loop never sleeps and calls once a turn: how long work goes on in slices.
public struct Idle {
    private let storage: UnsafeMutablePointer<HandleStorage<uv_idle_t>>

    public init(in loop: Loop, owner: UnsafeMutableRawPointer, fire: @escaping OwnerCall) {
        storage = allocate(uv_idle_t(), owner, fire)
        must("uv_idle_init", uv_idle_init(loop.raw, &storage.pointee.handle))
    }

    public func start() {
        must(
            "uv_idle_start",
            uv_idle_start(&storage.pointee.handle) { idle in
                let storage = UnsafeMutableRawPointer(idle!)
                    .assumingMemoryBound(to: HandleStorage<uv_idle_t>.self)
                storage.pointee.call(storage.pointee.owner)
            })
    }

    public func stop() { uv_idle_stop(&storage.pointee.handle) }
    public func close() { free(storage) }
}

/// Tells when a descriptor that libuv does not own can be read (control channels).
public struct ReadableWatch {
    private let storage: UnsafeMutablePointer<HandleStorage<uv_poll_t>>

    public init(
        descriptor: Int32, in loop: Loop, owner: UnsafeMutableRawPointer,
        readable: @escaping OwnerCall
    ) throws(Failure) {
        storage = allocate(uv_poll_t(), owner, readable)
        let status = uv_poll_init(loop.raw, &storage.pointee.handle, descriptor)
        if status < 0 { storage.deallocate() }
        try uv("uv_poll_init", status)
        must(
            "uv_poll_start",
            uv_poll_start(&storage.pointee.handle, Int32(UV_READABLE.rawValue)) { poll, _, _ in
                let storage = UnsafeMutableRawPointer(poll!)
                    .assumingMemoryBound(to: HandleStorage<uv_poll_t>.self)
                storage.pointee.call(storage.pointee.owner)
            })
    }

    /// Close before the descriptor itself is closed.
    public func close() {
        uv_poll_stop(&storage.pointee.handle)
        free(storage)
    }
}

/// Tells of a signal's arrival, in the loop.
public struct SignalWatch {
    private let storage: UnsafeMutablePointer<HandleStorage<uv_signal_t>>

    public init(
        _ signal: Int32, in loop: Loop, owner: UnsafeMutableRawPointer,
        fire: @escaping OwnerCallWithNumber
    ) {
        storage = allocate(uv_signal_t(), owner, { _ in }, fire)
        must("uv_signal_init", uv_signal_init(loop.raw, &storage.pointee.handle))
        must(
            "uv_signal_start",
            uv_signal_start(
                &storage.pointee.handle,
                { handle, number in
                    let storage = UnsafeMutableRawPointer(handle!)
                        .assumingMemoryBound(to: HandleStorage<uv_signal_t>.self)
                    storage.pointee.callWithNumber!(storage.pointee.owner, number)
                }, signal))
    }

    public func close() { free(storage) }
}
