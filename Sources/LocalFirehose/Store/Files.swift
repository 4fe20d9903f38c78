import Glibc
import Platform

/// The file calls of this process. Each throws with the call's name; EINTR is retried where Linux
/// can give it for a regular file.
enum Files {
    static func makeFolders(_ path: String, mode: mode_t = 0o700) throws(Failure) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Failure(errnoOf: "mkdir")
        }
        try makeFolders(String(path[..<slash]), mode: mode)
        if mkdir(path, mode) != 0 && errno != EEXIST { throw Failure(errnoOf: "mkdir") }
    }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(Failure) -> Int32
    {
        try system("open", Glibc.open(path, flags | O_CLOEXEC, mode))
    }

    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    /// Everything or a throw. What a failed write left behind is the caller's to cut off.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(Failure) {
        var rest = bytes
        while let base = rest.baseAddress, rest.count > 0 {
            let count = Glibc.write(descriptor, base, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(errnoOf: "write")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Up to the room's size; fewer only at the end of the file.
    static func read(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Int {
        var filled = 0
        while filled < room.count {
            let count = Glibc.read(descriptor, room.baseAddress! + filled, room.count - filled)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(errnoOf: "read")
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    static func cut(_ descriptor: Int32, to byteCount: Int) throws(Failure) {
        try system("ftruncate", ftruncate(descriptor, byteCount))
    }

    static func rename(_ from: String, to: String) throws(Failure) {
        try system("rename", Glibc.rename(from, to))
    }

    /// Removing what is not there is no failure.
    static func remove(_ path: String) throws(Failure) {
        if unlink(path) != 0 && errno != ENOENT { throw Failure(errnoOf: "unlink") }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func size(_ path: String) throws(Failure) -> Int {
        var status = stat()
        try system("stat", stat(path, &status))
        return Int(status.st_size)
    }

    /// Names in a folder, sorted, without "." and ".."; none when there is no such folder.
    static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// A small file, whole; nil when it is not there.
    static func contents(_ path: String, bytesMax: Int = 1 << 20) throws(Failure) -> [UInt8]? {
        if !exists(path) { return nil }
        let descriptor = try open(path, O_RDONLY)
        defer { close(descriptor) }
        let count = min(try fileByteCount(descriptor), bytesMax)
        var bytes = [UInt8](repeating: 0, count: count)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 8)
        defer { room.deallocate() }
        let got = try read(
            descriptor, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
        bytes = Array(room[..<got])
        return bytes
    }

    /// Replaces a small file so that a reader, or a death, sees the old or the new one whole.
    static func replace(_ path: String, with bytes: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        defer { close(descriptor) }
        var failure: Failure?
        bytes.withUnsafeBytes {
            do throws(Failure) { try write($0, to: descriptor) } catch { failure = error }
        }
        if let failure { throw failure }
        try rename(temporary, to: path)
    }
}
