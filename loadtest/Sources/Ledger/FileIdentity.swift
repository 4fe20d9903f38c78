import Glibc

/// What tells a file from all others, whatever its names.
struct FileIdentity: Hashable {
    private var device: UInt64
    private var number: UInt64

    init?(_ file: Int32) {
        var status = stat()
        guard fstat(file, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }
}
