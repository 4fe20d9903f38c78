import CLibuv
import CLinux
import Glibc

/// What every process of the cluster does first.
public func prepareProcess(name: String, isChild: Bool) {
    clinux_ignore_write_signals()
    if isChild { clinux_ignore_stray_signals() }
    _ = clinux_set_process_name(name)
}

/// How a child ended.
public struct ChildEnd: Sendable {
    public let status: Int64
    /// 0 when it exited by itself.
    public let signal: Int32
}

public typealias ChildExited =
    @convention(c) @Sendable (UnsafeMutableRawPointer, Int32, Int64, Int32) -> Void

/// Starts a program with chosen descriptors. `descriptors[i]` becomes descriptor i of the child (-1:
/// none); the others do not reach it as long as they are close-on-exec, which is how everything in
/// this layer opens them. `ownGroup`: it leads a process group (and session) of its own, which a
/// signal to minus its pid reaches whole. `exited(owner, pid, status, signal)` is called once.
/// Returns the pid.
public func spawn(
    path: String, arguments: [String], descriptors: [Int32], ownGroup: Bool = false, in loop: Loop,
    owner: UnsafeMutableRawPointer, exited: @escaping ChildExited
) throws(Failure) -> Int32 {
    struct Storage {
        var handle = uv_process_t()
        var owner: UnsafeMutableRawPointer
        var exited: ChildExited
    }
    let storage = UnsafeMutablePointer<Storage>.allocate(capacity: 1)
    storage.initialize(to: Storage(owner: owner, exited: exited))

    var options = uv_process_options_t()
    options.exit_cb = { handle, status, signal in
        let storage = UnsafeMutableRawPointer(handle!).assumingMemoryBound(to: Storage.self)
        storage.pointee.exited(storage.pointee.owner, handle!.pointee.pid, status, signal)
        uv_close(uvx_handle(storage)) { UnsafeMutableRawPointer($0!).deallocate() }
    }
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    words.append(nil)
    defer { words.forEach { Glibc.free($0) } }
    var containers = descriptors.map { descriptor in
        var container = uv_stdio_container_t()
        container.flags = descriptor < 0 ? UV_IGNORE : UV_INHERIT_FD
        container.data.fd = descriptor
        return container
    }
    let status = path.withCString { file in
        words.withUnsafeMutableBufferPointer { words in
            containers.withUnsafeMutableBufferPointer { containers in
                options.file = file
                options.args = words.baseAddress
                options.flags = ownGroup ? UV_PROCESS_DETACHED.rawValue : 0
                options.stdio_count = Int32(containers.count)
                options.stdio = containers.baseAddress
                return uv_spawn(loop.raw, &storage.pointee.handle, &options)
            }
        }
    }
    if status < 0 {
        // libuv initialized the handle before it failed, so it must be closed, not freed.
        uv_close(uvx_handle(storage)) { UnsafeMutableRawPointer($0!).deallocate() }
        throw Failure(number: -status, call: "uv_spawn")
    }
    return storage.pointee.handle.pid
}

@discardableResult
public func sendSignal(_ signal: Int32, to pid: Int32) -> Bool { kill(pid, signal) == 0 }

/// Keeps an inherited descriptor from the programs this process may start.
public func closeOnExec(_ descriptor: Int32) { _ = clinux_set_cloexec(descriptor, 1) }

/// Raises the soft limit of open files to the hard one. The limit now in force.
@discardableResult
public func raiseFileLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(min(limit.rlim_cur, 1 << 30))
}
