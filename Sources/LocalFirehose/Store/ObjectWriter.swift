import Platform

/// Turns a buffer into an object, slice by slice. Made again after a death, it writes the same
/// object over the half-made one.
final class ObjectWriter {
    enum Progress { case more, done }

    let object: ObjectFile
    private var reader: BufferReader
    /// 0 so far: the buffer holds no whole frame, and there is no object to make.
    private(set) var payloadBytes = 0
    private let slice: UnsafeMutableRawBufferPointer

    /// - Parameter path: of the finished object; its folders are made.
    init(buffer: String, path: String, isGzip: Bool) throws(Failure) {
        object = try ObjectFile(path: path, in: .store, isGzip: isGzip)
        reader = try BufferReader(path: buffer)
        slice = .allocate(byteCount: 64 << 10, alignment: 64)
    }

    deinit {
        reader.close()
        slice.deallocate()
    }

    /// Reads, compresses and writes one slice.
    func step() throws(Failure) -> Progress {
        let count = try reader.read(into: slice)
        payloadBytes += count
        if count == 0 {
            try object.end()
            return .done
        }
        try object.write(UnsafeRawBufferPointer(rebasing: slice[..<count]))
        return .more
    }
}
