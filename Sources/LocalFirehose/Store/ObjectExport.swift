import Glibc
import Platform

/// Writes rows that are not in any stream's buffer as objects, named and compressed as the local
/// Firehose does it: `<folder>/<stream>/2026/01/02/03/<stream>-1-2026-01-02-03-04-05-5f0c….gz`.
///
/// An object has its name once it is whole and durable; what a death leaves begins with a dot.
public final class ObjectExport {
    /// Rows of one object, before compression. About what Firehose's own buffers hold.
    public static let objectBytes = 64 << 20

    private let folder: String
    private let stream: String
    private var object: ObjectFile?
    /// Rows in `object`, before compression.
    private var byteCount = 0
    /// Paths of the objects that are finished.
    public private(set) var objects: [String] = []

    public init(folder: String, stream: String) {
        self.folder = folder
        self.stream = stream
    }

    deinit {
        if let object { unlink(object.temporaryPath) }
    }

    /// Whole rows.
    public func append(_ rows: UnsafeRawBufferPointer) throws(Failure) {
        if object == nil { try begin() }
        try object!.write(rows)
        byteCount += rows.count
        if byteCount >= Self.objectBytes { try finish() }
    }

    /// Ends the object that is being written, if one is.
    public func finish() throws(Failure) {
        guard let done = object else { return }
        try done.end()
        try system("fsync", fsync(done.descriptor))
        try done.name()
        object = nil
        objects.append(done.path)
        try Platform.Files().syncFolder(done.folder)
    }

    private func begin() throws(Failure) {
        let name = ObjectName(
            number: objects.count, unixSeconds: Int64(realtimeMicroseconds() / 1_000_000))
        let key = name.key(stream: stream, prefix: stream + "/", isGzip: true)
        object = try ObjectFile(path: folder + "/" + key, in: .elsewhere, isGzip: true)
        byteCount = 0
    }
}
