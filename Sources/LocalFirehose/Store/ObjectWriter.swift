import CZlib
import Glibc
import Platform

/// Turns a buffer into an object, slice by slice, under a temporary name in the object's folder.
/// Made again after a death, it writes the same object over the half-made one.
final class ObjectWriter {
    enum Progress { case more, done }

    let temporaryPath: String
    private var reader: BufferReader
    private let descriptor: Int32
    private let isGzip: Bool
    private var deflater = z_stream()
    /// 0 so far: the buffer holds no whole frame, and there is no object to make.
    private(set) var payloadBytes = 0

    private static let sliceBytes = 64 << 10
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: sliceBytes, alignment: 64)
    private let output = UnsafeMutableRawBufferPointer.allocate(
        byteCount: sliceBytes, alignment: 64)

    /// - Parameter path: of the finished object; its folders are made.
    init(buffer: String, path: String, isGzip: Bool) throws(Failure) {
        let slash = path.lastIndex(of: "/")!
        let folder = path[..<slash]
        temporaryPath = folder + "/." + path[path.index(after: slash)...] + ".part"
        try Files.makeFolders(String(folder))
        reader = try BufferReader(path: buffer)
        do throws(Failure) {
            descriptor = try Files.open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC)
        } catch {
            reader.close()
            throw error
        }
        self.isGzip = isGzip
        // Level 1: this runs beside what is measured, and nobody pays for these bytes.
        if isGzip { precondition(zlibx_gzip_init(&deflater, 1) == Z_OK, "zlib has no memory") }
    }

    deinit {
        if isGzip { deflateEnd(&deflater) }
        reader.close()
        Files.close(descriptor)
        input.deallocate()
        output.deallocate()
    }

    /// Reads, compresses and writes one slice.
    func step() throws(Failure) -> Progress {
        let count = try reader.read(into: input)
        payloadBytes += count
        let slice = UnsafeMutableRawBufferPointer(rebasing: input[..<count])
        if isGzip {
            try compress(slice, flush: count == 0 ? Z_FINISH : Z_NO_FLUSH)
        } else {
            try Files.write(UnsafeRawBufferPointer(slice), to: descriptor)
        }
        return count == 0 ? .done : .more
    }

    private func compress(_ slice: UnsafeMutableRawBufferPointer, flush: Int32) throws(Failure) {
        deflater.next_in = slice.baseAddress?.assumingMemoryBound(to: UInt8.self)
        deflater.avail_in = UInt32(slice.count)
        repeat {
            deflater.next_out = output.baseAddress!.assumingMemoryBound(to: UInt8.self)
            deflater.avail_out = UInt32(output.count)
            deflate(&deflater, flush)
            let made = output.count - Int(deflater.avail_out)
            try Files.write(UnsafeRawBufferPointer(rebasing: output[..<made]), to: descriptor)
        } while deflater.avail_out == 0
    }
}
