import CZlib
import Glibc
import Platform

/// Writes rows that are not in any stream's buffer as objects, named and compressed as the local
/// Firehose does it: `<folder>/<stream>/2026/01/02/03/<stream>-1-2026-01-02-03-04-05-5f0c….gz`.
///
/// An object has its name once it is whole and durable; what a death leaves begins with a dot.
public final class ObjectExport {
    /// Rows of one object, before compression. About what Firehose's own buffers hold.
    public static let objectBytes = 64 << 20
    private static let outputBytes = 256 << 10

    private let folder: String
    private let stream: String
    private let output = UnsafeMutableRawBufferPointer.allocate(
        byteCount: outputBytes, alignment: 64)
    private var deflater = z_stream()
    private var object: Open?
    /// Paths of the objects that are finished.
    public private(set) var objects: [String] = []

    private struct Open {
        var descriptor: Int32
        var path: String
        var temporaryPath: String
        var folder: String
        var byteCount = 0
    }

    public init(folder: String, stream: String) {
        self.folder = folder
        self.stream = stream
    }

    deinit {
        if let object {
            deflateEnd(&deflater)
            Files.close(object.descriptor)
            unlink(object.temporaryPath)
        }
        output.deallocate()
    }

    /// Whole rows.
    public func append(_ rows: UnsafeRawBufferPointer) throws(Failure) {
        if object == nil { try begin() }
        try compress(rows, flush: Z_NO_FLUSH)
        object!.byteCount += rows.count
        if object!.byteCount >= Self.objectBytes { try finish() }
    }

    /// Ends the object that is being written, if one is.
    public func finish() throws(Failure) {
        guard let done = object else { return }
        try compress(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_FINISH)
        try system("fsync", fsync(done.descriptor))
        try Files.rename(done.temporaryPath, to: done.path)
        deflateEnd(&deflater)
        Files.close(done.descriptor)
        object = nil
        objects.append(done.path)
        try Platform.Files().syncFolder(done.folder)
    }

    private func begin() throws(Failure) {
        let name = ObjectName(
            number: objects.count, unixSeconds: Int64(realtimeMicroseconds() / 1_000_000))
        let path = folder + "/" + name.key(stream: stream, prefix: stream + "/", isGzip: true)
        let slash = path.lastIndex(of: "/")!
        let parent = String(path[..<slash])
        let temporaryPath = parent + "/." + path[path.index(after: slash)...] + ".part"
        try Files.makeFolders(parent, mode: 0o755)
        let descriptor = try Files.open(
            temporaryPath, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
        precondition(zlibx_gzip_init(&deflater, 1) == Z_OK, "zlib has no memory")
        object = Open(
            descriptor: descriptor, path: path, temporaryPath: temporaryPath, folder: parent)
    }

    private func compress(_ bytes: UnsafeRawBufferPointer, flush: Int32) throws(Failure) {
        deflater.next_in = UnsafeMutablePointer(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        deflater.avail_in = UInt32(bytes.count)
        repeat {
            deflater.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
            deflater.avail_out = UInt32(output.count)
            deflate(&deflater, flush)
            let made = output.count - Int(deflater.avail_out)
            try Files.write(
                UnsafeRawBufferPointer(rebasing: output[..<made]), to: object!.descriptor)
        } while deflater.avail_out == 0
    }
}
