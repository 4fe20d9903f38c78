import CLinux
import Glibc

/// Memory shared with the other processes: a memory file, mapped.
public struct SharedRegion: ~Copyable {
    public let base: UnsafeMutableRawPointer
    public let byteCount: Int

    private init(base: UnsafeMutableRawPointer, byteCount: Int) {
        self.base = base
        self.byteCount = byteCount
    }

    /// Maps an inherited memory file, whole.
    public static func map(
        descriptor: Int32, byteCount: Int
    ) throws(Failure) -> SharedRegion {
        precondition(byteCount > 0 && byteCount % 4096 == 0, "whole pages only")
        let mapped = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else { throw Failure(errnoOf: "mmap") }
        return SharedRegion(base: mapped, byteCount: byteCount)
    }

    deinit { munmap(base, byteCount) }
}

/// A memory file of that size, zeroed, close-on-exec.
public func makeMemoryFile(name: String, byteCount: Int) throws(Failure) -> Int32 {
    let descriptor = try system("memfd_create", clinux_memfd_create(name))
    if ftruncate(descriptor, byteCount) < 0 {
        let failure = Failure(errnoOf: "ftruncate")
        close(descriptor)
        throw failure
    }
    return descriptor
}

/// The size of an open file.
public func fileByteCount(_ descriptor: Int32) throws(Failure) -> Int {
    var status = stat()
    try system("fstat", fstat(descriptor, &status))
    return Int(status.st_size)
}

/// Large blocks come from the kernel and go back to it when they are freed. Without this the
/// allocator, having seen one freed, keeps the next ones of its size for itself.
public func returnLargeBlocks() {
    _ = clinux_map_blocks_from(1 << 20)
}
