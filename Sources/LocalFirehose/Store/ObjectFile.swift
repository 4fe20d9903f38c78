import CZlib
import Glibc
import Platform

/// An object while it is made, piece by piece: its name begins with a dot until it is given its own.
final class ObjectFile {
    enum Place {
        /// This process's own, read by nobody else; what a death left half-made is written over.
        case store
        /// Anybody's; nothing in it is written over.
        case elsewhere
    }

    let path: String
    let folder: String
    let temporaryPath: String
    let descriptor: Int32
    private let isGzip: Bool
    private var deflater = z_stream()
    private let output: UnsafeMutableRawBufferPointer

    /// - Parameter path: of the finished object; its folders are made.
    init(path: String, in place: Place, isGzip: Bool) throws(Failure) {
        let slash = path.lastIndex(of: "/")!
        self.path = path
        folder = String(path[..<slash])
        temporaryPath = folder + "/." + path[path.index(after: slash)...] + ".part"
        self.isGzip = isGzip
        try Files.makeFolders(folder, mode: place == .store ? 0o700 : 0o755)
        descriptor = try Files.open(
            temporaryPath, O_WRONLY | O_CREAT | (place == .store ? O_TRUNC : O_EXCL),
            mode: place == .store ? 0o600 : 0o644)
        output = .allocate(byteCount: 64 << 10, alignment: 64)
        // Level 1: this runs beside what is measured, and nobody pays for these bytes.
        if isGzip { precondition(zlibx_gzip_init(&deflater, 1) == Z_OK, "zlib has no memory") }
    }

    deinit {
        if isGzip { deflateEnd(&deflater) }
        Files.close(descriptor)
        output.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        if isGzip {
            try compress(bytes, flush: Z_NO_FLUSH)
        } else {
            try Files.write(bytes, to: descriptor)
        }
    }

    /// Writes what compression still holds back.
    func end() throws(Failure) {
        if isGzip { try compress(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_FINISH) }
    }

    /// Gives it its own name.
    func name() throws(Failure) { try Files.rename(temporaryPath, to: path) }

    private func compress(_ bytes: UnsafeRawBufferPointer, flush: Int32) throws(Failure) {
        deflater.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        deflater.avail_in = UInt32(bytes.count)
        repeat {
            deflater.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
            deflater.avail_out = UInt32(output.count)
            deflate(&deflater, flush)
            let made = output.count - Int(deflater.avail_out)
            try Files.write(UnsafeRawBufferPointer(rebasing: output[..<made]), to: descriptor)
        } while deflater.avail_out == 0
    }
}
