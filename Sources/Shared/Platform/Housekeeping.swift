import CLinux
import Glibc

/// Small files and process facts, blocking: for starting, stopping and commands, never for a loop
/// under load.
public enum SmallFile {
    /// The file's bytes, at most `byteCountMax`. `waits`: a FIFO's writer is waited for; else it is
    /// read as it is, empty without one.
    public static func read(
        _ path: String, byteCountMax: Int = 1 << 20, waits: Bool = true
    ) throws(Failure) -> [UInt8] {
        let flags = O_RDONLY | (waits ? 0 : O_NONBLOCK)
        let descriptor = try system("open", clinux_open(path, flags, 0))
        defer { Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < byteCountMax {
            let got = Glibc.read(descriptor, &chunk, min(chunk.count, byteCountMax - bytes.count))
            if got < 0 && errno == EINTR { continue }
            if got < 0 { throw Failure(errnoOf: "read") }
            if got == 0 { break }
            bytes += chunk[..<got]
        }
        return bytes
    }

    /// Replaces the file as a whole: a reader sees the old or the new one, never half of it.
    public static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o644
    ) throws(Failure) {
        let temporary = path + ".new"
        unlink(temporary)
        do throws(Failure) {
            try writeNew(bytes, to: temporary, mode: mode)
            try system("rename", rename(temporary, path))
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// The same; on a disk that is full, into the room that the old file has. For files that nobody
    /// reads meanwhile.
    public static func writeEvenIfFull(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o644
    ) throws(Failure) {
        do throws(Failure) {
            try write(bytes, to: path, mode: mode)
        } catch {
            guard error.number == ENOSPC || error.number == EDQUOT else { throw error }
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw error }
            defer { Glibc.close(descriptor) }
            // Not shortened first: the blocks stay this file's.
            try writeAll(bytes, to: descriptor)
            try system("ftruncate", ftruncate(descriptor, off_t(bytes.count)))
        }
    }

    /// Writes a file that must not be there yet.
    public static func writeNew(
        _ bytes: [UInt8], to path: String, mode: UInt32
    ) throws(Failure) {
        let descriptor = try system(
            "open", clinux_open(path, O_WRONLY | O_CREAT | O_EXCL, mode))
        defer { Glibc.close(descriptor) }
        try writeAll(bytes, to: descriptor)
    }

    /// Writes every byte, waiting as long as it takes.
    public static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
            }
            if wrote < 0 && errno == EINTR { continue }
            if wrote < 0 { throw Failure(errnoOf: "write") }
            done += wrote
        }
    }

    public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Removes it if it is there.
    public static func remove(_ path: String) { unlink(path) }
    /// One that holds anything stays.
    public static func removeFolder(_ path: String) { rmdir(path) }

    /// Makes the folder and those above it, each durable in its parent if so wanted.
    public static func makeFolder(
        _ path: String, isDurable: Bool = false
    ) throws(Failure) {
        if mkdir(path, 0o755) == 0 {
            if isDurable { syncParent(of: path) }
            return
        }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try makeFolder(String(path[..<slash]), isDurable: isDurable)
            return try makeFolder(path, isDurable: isDurable)
        }
        let failure = Failure(errnoOf: "mkdir")
        var status = stat()
        if stat(path, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFDIR { return }
            throw Failure(number: ENOTDIR, call: "mkdir")
        }
        throw failure
    }

    /// As far as the file system knows how: some network file systems know no sync of a folder, and
    /// one that may be written to but not read cannot be opened.
    private static func syncParent(of path: String) {
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        _ = fsync(folder)
        close(folder)
    }

    /// The names in a folder, "." and ".." left out; empty when it cannot be read.
    public static func names(in folder: String) -> [String] {
        guard let open = opendir(folder) else { return [] }
        defer { closedir(open) }
        var names: [String] = []
        while let entry = readdir(open) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Where a symbolic link points; nil when it is none or may not be read.
    public static func linkTarget(_ path: String) -> String? {
        var room = [UInt8](repeating: 0, count: 256)
        let count = room.withUnsafeMutableBytes {
            readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return count < 0 ? nil : String(decoding: room[..<count], as: UTF8.self)
    }
}

/// Whether some process holds a `FileLock` on the file. Looks only (`/proc/locks`, proc(5)): to try
/// it would be in the way of whoever wants it at that moment.
public func isLocked(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0, let locks = try? SmallFile.read("/proc/locks") else {
        return false
    }
    return String(decoding: locks, as: UTF8.self).contains(":\(status.st_ino) ")
}

/// A file held locked while its process lives. The kernel lets go of it at any death.
public struct FileLock: ~Copyable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Nil when another process holds it.
    public static func take(_ path: String) throws(Failure) -> FileLock? {
        while true {
            let descriptor = try system("open", clinux_open(path, O_RDWR | O_CREAT, 0o600))
            guard clinux_flock_exclusive(descriptor) == 0 else {
                let failure = Failure(errnoOf: "flock")
                close(descriptor)
                if failure.number == EWOULDBLOCK { return nil }
                throw failure
            }
            if isNamed(path, descriptor) { return FileLock(descriptor: descriptor) }
            // Removed between the two calls: a lock without a name keeps nobody out.
            close(descriptor)
        }
    }

    private static func isNamed(_ path: String, _ descriptor: Int32) -> Bool {
        var (held, named) = (stat(), stat())
        return fstat(descriptor, &held) == 0 && stat(path, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }

    /// Replaces the file's words, for whoever finds it locked.
    public func note(_ words: String) {
        let bytes = Array(words.utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }

    deinit { close(descriptor) }
}

/// Opens /dev/null where standard input, output or error is closed, so that no socket of ours ever
/// gets the number to which others print. Call before anything is opened.
public func ensureStandardDescriptors() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 {
        _ = Glibc.open("/dev/null", O_RDWR)
    }
}

/// Lifts the soft limit of open files to the hard one; children inherit it. Answers what holds now.
@discardableResult
public func raiseOpenFilesLimit() -> UInt64 {
    var limit = rlimit()
    let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(which, &limit) == 0 else { return 0 }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(which, &limit)
    _ = getrlimit(which, &limit)
    return UInt64(limit.rlim_cur)
}

/// Whether a process that crashes may write its memory to a file.
public func coreDumpsAreAllowed() -> Bool {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 && limit.rlim_cur > 0
}

/// Makes this process deaf to a signal.
public func ignoreSignal(_ number: Int32) { signal(number, SIG_IGN) }

public func closeDescriptor(_ descriptor: Int32) { close(descriptor) }
public var ownPid: Int32 { getpid() }
public func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }
public func sleepMs(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }

/// Writes what the descriptor takes and forgets the rest, a full pipe included: a log must not
/// stop who logs.
public func writeLine(_ line: String, to descriptor: Int32) {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&wanted, 1, 0) == 1 else { return }
    let bytes = Array((line + "\n").utf8)
    _ = write(descriptor, bytes, bytes.count)
}

/// Reads what has come, waiting for at least a byte; empty at the end.
public func readSome(_ descriptor: Int32) throws(Failure) -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let got = read(descriptor, &chunk, chunk.count)
        if got >= 0 { return Array(chunk[..<got]) }
        if errno != EINTR { throw Failure(errnoOf: "read") }
    }
}

/// This host's name, "localhost" when it has none.
public func hostName() -> String {
    var room = [CChar](repeating: 0, count: 256)
    guard gethostname(&room, room.count - 1) == 0 else { return "localhost" }
    return room.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
}
