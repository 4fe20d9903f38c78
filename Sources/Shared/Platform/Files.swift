import CLinux
import Glibc

/// The system calls on files. As methods they go through whatever a test put in front of them or in
/// their place; what only looks is there as static functions too, for those who need no test's disk.
public struct Files {
    /// A call that is about to change the file system.
    public enum Change: Int32, Sendable {
        case makeFolder, create, write, truncate, sync, unlink, rename
    }

    /// Asked before each `Change` (its raw value). 0: let it happen. Positive: fail it with that errno. Negative n, of
    /// a write: let only the first −n − 1 bytes through.
    public typealias Gate = @convention(c) (UnsafeMutableRawPointer?, Int32) -> Int32

    private let gate: Gate?
    private let context: UnsafeMutableRawPointer?

    /// A disk that is only simulated. Plainly unowned, so that appending counts no references.
    private unowned(unsafe) let standIn: (any FileStandIn)?

    public init(gate: Gate? = nil, context: UnsafeMutableRawPointer? = nil) {
        self.gate = gate
        self.context = context
        standIn = nil
    }

    /// Everything goes to `standIn`, which must outlive this.
    public init(standIn: any FileStandIn) {
        gate = nil
        context = nil
        self.standIn = standIn
    }

    private func pass(_ change: Change, _ call: StaticString) throws(Failure) {
        guard let gate else { return }
        let answer = gate(context, change.rawValue)
        if answer > 0 { throw Failure(number: answer, call: call) }
    }

    // MARK: What changes the file system

    /// Makes the folder (0700) and those above it, each made durable in its parent.
    public func makeFolder(_ path: String) throws(Failure) {
        if let standIn { return try standIn.makeFolder(path) }
        try pass(.makeFolder, "mkdir")
        if mkdir(path, 0o700) == 0 {
            try syncFolder(parent(of: path))
            return
        }
        let failure = Failure(errnoOf: "mkdir")
        switch failure.number {
        case EEXIST where isFolder(path): return
        case ENOENT where parent(of: path) != path:
            try makeFolder(parent(of: path))
            try makeFolder(path)
        default: throw failure
        }
    }

    /// Creates a file (0600) for reading and writing that did not exist.
    public func create(_ path: String) throws(Failure) -> Int32 {
        if let standIn { return try standIn.create(path) }
        try pass(.create, "open")
        return try system(
            "open", clinux_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600))
    }

    /// Opens a regular file for reading and writing, created (0600) when absent. A link, a folder or
    /// anything else in its place is a failure.
    public func openOrCreate(_ path: String) throws(Failure) -> Int32 {
        if let standIn { return try standIn.openOrCreate(path) }
        try pass(.create, "open")
        return try requireRegular(
            clinux_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600))
    }

    /// One pwrite: how many bytes the file took, which may be fewer than given.
    public func write(
        _ file: Int32, _ bytes: UnsafeRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        if let standIn { return try standIn.write(file, bytes, count: count, at: offset) }
        var count = count
        if let gate {
            let answer = gate(context, Change.write.rawValue)
            if answer > 0 { throw Failure(number: answer, call: "pwrite") }
            if answer < 0 { count = min(count, Int(-answer) - 1) }
        }
        while true {
            let written = pwrite(file, bytes, count, off_t(offset))
            if written >= 0 { return written }
            if errno != EINTR { throw Failure(errnoOf: "pwrite") }
        }
    }

    public func truncate(_ file: Int32, to byteCount: UInt64) throws(Failure) {
        if let standIn { return try standIn.truncate(file, to: byteCount) }
        try pass(.truncate, "ftruncate")
        while ftruncate(file, off_t(byteCount)) < 0 {
            if errno != EINTR { throw Failure(errnoOf: "ftruncate") }
        }
    }

    /// Makes the file's bytes durable. After a failure the kernel may have dropped them: never try
    /// the same descriptor again.
    public func syncData(_ file: Int32) throws(Failure) {
        if let standIn { return try standIn.syncData(file) }
        try pass(.sync, "fdatasync")
        try Self.syncData(file)
    }

    /// Makes the folder's entries durable: after files in it were created, renamed or unlinked.
    public func syncFolder(_ path: String) throws(Failure) {
        if let standIn { return try standIn.syncFolder(path) }
        try pass(.sync, "fsync")
        let folder = try system("open", clinux_open(path, O_RDONLY | O_DIRECTORY, 0))
        defer { Glibc.close(folder) }
        // Some network file systems know no sync of a folder.
        if fsync(folder) < 0, errno != EINVAL { throw Failure(errnoOf: "fsync") }
    }

    public func unlink(_ path: String) throws(Failure) {
        if let standIn { return try standIn.unlink(path) }
        try pass(.unlink, "unlink")
        try system("unlink", Glibc.unlink(path))
    }

    /// Takes a file's name away and hands its bytes over, which are freed later. Where it cannot be
    /// opened they are freed now; where it has another name (somebody's copy by link) they stay.
    public func unlink(_ path: String, into leaving: inout LeavingFiles) throws(Failure) {
        if let standIn { return try standIn.unlink(path) }
        let descriptor = clinux_open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0)
        do throws(Failure) {
            try unlink(path)
        } catch {
            if descriptor >= 0 { Glibc.close(descriptor) }
            throw error
        }
        if descriptor < 0 { return }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink == 0, status.st_size > 0 else {
            Glibc.close(descriptor)
            return
        }
        leaving.take(descriptor, byteCount: UInt64(status.st_size))
    }

    public func rename(_ path: String, to other: String) throws(Failure) {
        if let standIn { return try standIn.rename(path, to: other) }
        try pass(.rename, "rename")
        try system("rename", Glibc.rename(path, other))
    }

    // MARK: What only looks

    public func open(_ path: String) throws(Failure) -> Int32 {
        if let standIn { return try standIn.open(path) }
        return try Self.open(path)
    }

    public func close(_ file: Int32) {
        if let standIn { return standIn.close(file) }
        Self.close(file)
    }

    public func read(
        _ file: Int32, into target: UnsafeMutableRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        if let standIn { return try standIn.read(file, into: target, count: count, at: offset) }
        return try Self.read(file, into: target, count: count, at: offset)
    }

    public func list(_ path: String) throws(Failure) -> [Entry] {
        if let standIn { return try standIn.list(path) }
        return try Self.list(path)
    }

    public func lock(_ file: Int32) throws(Failure) -> Bool {
        if let standIn { return try standIn.lock(file) }
        return try Self.lock(file)
    }

    /// As the method; any thread may call it.
    public static func syncData(_ file: Int32) throws(Failure) {
        try system("fdatasync", fdatasync(file))
    }

    /// Whether the path still leads to that open file: somebody may have removed or moved it, or
    /// mounted something over it. True when it cannot be told.
    public func leads(_ path: String, to file: Int32) -> Bool {
        if standIn != nil { return true }
        var (named, opened) = (stat(), stat())
        guard fstat(file, &opened) == 0 else { return true }
        if stat(path, &named) != 0 { return errno != ENOENT && errno != ENOTDIR }
        return named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
    }

    /// Opens a regular file for reading; anything else in its place is a failure.
    public static func open(_ path: String) throws(Failure) -> Int32 {
        try requireRegular(clinux_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0))
    }

    public static func close(_ file: Int32) { _ = Glibc.close(file) }

    /// Reads up to `count` bytes at `offset`; fewer only where the file ends, or where the disk
    /// fails behind what was read. Throws when it fails before the first byte.
    public static func read(
        _ file: Int32, into target: UnsafeMutableRawPointer, count: Int, at offset: UInt64
    ) throws(Failure) -> Int {
        var done = 0
        while done < count {
            let got = pread(file, target + done, count - done, off_t(offset) + off_t(done))
            if got > 0 {
                done += got
            } else if got == 0 {
                break
            } else if errno != EINTR {
                let failure = Failure(errnoOf: "pread")
                if done == 0 { throw failure }
                break
            }
        }
        return done
    }

    public struct Entry: Sendable {
        public var name: String
        public var byteCount: UInt64
        /// A plain file: no link, folder, pipe, socket or device.
        public var isRegular: Bool

        public init(name: String, byteCount: UInt64, isRegular: Bool) {
            self.name = name
            self.byteCount = byteCount
            self.isRegular = isRegular
        }
    }

    /// What is in a folder, in no order.
    public static func list(_ path: String) throws(Failure) -> [Entry] {
        guard let folder = opendir(path) else { throw Failure(errnoOf: "opendir") }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                if errno != 0 { throw Failure(errnoOf: "readdir") }
                return entries
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard name != ".", name != "..",
                fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0
            else { continue }
            entries.append(
                Entry(
                    name: name, byteCount: UInt64(max(0, status.st_size)),
                    isRegular: status.st_mode & S_IFMT == S_IFREG))
        }
    }

    /// Takes the file's exclusive lock; false when another open of it has it. The kernel lets go of
    /// it when the file is closed, however the process ends.
    public static func lock(_ file: Int32) throws(Failure) -> Bool {
        if clinux_flock_exclusive(file) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw Failure(errnoOf: "flock")
    }
}

private func requireRegular(_ opened: Int32) throws(Failure) -> Int32 {
    let file = try system("open", opened)
    var status = stat()
    let known = fstat(file, &status) == 0
    if known, status.st_mode & S_IFMT == S_IFREG { return file }
    close(file)
    throw Failure(number: known ? EISDIR : EIO, call: "open")
}

private func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

extension Failure {
    /// No space, or no more than one's share of it: passes when something is deleted.
    public var isSpace: Bool { number == ENOSPC || number == EDQUOT }
    /// The process may not make a file that large (RLIMIT_FSIZE).
    public var isFileLimit: Bool { number == EFBIG }
    public var isAbsent: Bool { number == ENOENT || number == ENOTDIR }
    public var exists: Bool { number == EEXIST }
    /// Something that is no file of ours has the name.
    public var isObstacle: Bool { [EISDIR, ELOOP, EACCES, EPERM, ENXIO].contains(number) }
    /// The process or the machine is short of something; the file may be fine.
    public var isShortage: Bool { [EMFILE, ENFILE, ENOMEM].contains(number) }

    /// A write that the disk took only in part.
    public static let cutShort = Failure(number: ENOSPC, call: "pwrite")
    /// What was written before may not be on the disk.
    public static let inDoubt = Failure(number: EIO, call: "fdatasync")
    /// The folder is gone and cannot be made again.
    public static let removed = Failure(number: ENOENT, call: "append")
    public static let tooLarge = Failure(number: EMSGSIZE, call: "append")
    public static let numbersExhausted = Failure(number: EOVERFLOW, call: "open")
}

/// This process's id.
public func processId() -> Int32 { getpid() }

/// The folder a path is in.
func parent(of path: String) -> String {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
}
