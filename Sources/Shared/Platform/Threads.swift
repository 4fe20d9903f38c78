import CLinux
import Glibc

/// A thread that was started. A value; joined once, by one of its copies.
public struct ThreadHandle: @unchecked Sendable {
    fileprivate let raw: pthread_t

    /// Waits until its body has returned.
    public func join() {
        let failure = pthread_join(raw, nil)
        precondition(failure == 0, "pthread_join: \(String(cString: strerror(failure)))")
    }
}

/// What a thread begins with.
private struct ThreadStart {
    let name: String
    let owner: UnsafeMutableRawPointer
    let body: OwnerCall
}

/// Starts a thread that calls its owner and then ends. The owner outlives it (`join`).
///
/// It takes no signals but those of its own faults: the thread that watches for them has them.
///
/// - Parameters:
///   - name: what `ps -T` shows; the kernel keeps the first 15 bytes.
///   - stackBytes: at least 16 KiB; the kernel gives the memory as it is touched.
/// - Throws: EINVAL for too small a stack, EAGAIN when the machine has no room for more threads.
public func startThread(
    name: String, stackBytes: Int = 1 << 20, owner: UnsafeMutableRawPointer,
    body: @escaping OwnerCall
) throws(Failure) -> ThreadHandle {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    let refused = pthread_attr_setstacksize(&attributes, stackBytes)
    if refused != 0 { throw Failure(number: refused, call: "pthread_attr_setstacksize") }
    let start = UnsafeMutablePointer<ThreadStart>.allocate(capacity: 1)
    start.initialize(to: ThreadStart(name: name, owner: owner, body: body))

    // A thread inherits the mask of who starts it.
    var wanted = signalsForWatchers()
    var before = sigset_t()
    pthread_sigmask(SIG_SETMASK, &wanted, &before)
    var raw = pthread_t()
    let failure = pthread_create(&raw, &attributes, threadMain, start)
    pthread_sigmask(SIG_SETMASK, &before, nil)
    if failure != 0 {
        start.deinitialize(count: 1)
        start.deallocate()
        throw Failure(number: failure, call: "pthread_create")
    }
    return ThreadHandle(raw: raw)
}

/// CPU time that the calling thread has had, in nanoseconds.
public func threadCPUNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let at = argument!.assumingMemoryBound(to: ThreadStart.self)
    let start = at.move()
    at.deallocate()
    // Of a thread it is the thread's name.
    _ = clinux_set_process_name(start.name)
    start.body(start.owner)
    return nil
}

/// All but those a thread brings upon itself: a crash must be reported where it happens.
private func signalsForWatchers() -> sigset_t {
    var signals = sigset_t()
    sigfillset(&signals)
    for own in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, SIGPROF] {
        sigdelset(&signals, own)
    }
    return signals
}
