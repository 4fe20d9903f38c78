import CZlib
import Glibc
import Platform

/// Why an object cannot be read, ever: its bytes are not what an object holds.
struct ObjectFlaw: Error {
    let reason: String
}

/// Gunzips an object in pieces.
final class ObjectReader {
    private let descriptor: Int32
    private var inflater = z_stream()
    private var isAtEnd = false

    private static let sliceBytes = 64 << 10
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: sliceBytes, alignment: 64)

    init(path: String) throws(Failure) {
        descriptor = try Files.open(path, O_RDONLY)
        precondition(zlibx_gunzip_init(&inflater) == Z_OK, "zlib has no memory")
    }

    deinit {
        inflateEnd(&inflater)
        Files.close(descriptor)
        input.deallocate()
    }

    /// Bytes put into the room; 0 at the end.
    func read(into room: UnsafeMutableRawBufferPointer) throws -> Int {
        inflater.next_out = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
        inflater.avail_out = UInt32(room.count)
        while inflater.avail_out == UInt32(room.count), !isAtEnd {
            if inflater.avail_in == 0 {
                inflater.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
                inflater.avail_in = UInt32(try Files.read(descriptor, into: input))
                if inflater.avail_in == 0 { throw ObjectFlaw(reason: "the object ends too early") }
            }
            let status = inflate(&inflater, Z_NO_FLUSH)
            if status == Z_STREAM_END {
                isAtEnd = true
            } else if status != Z_OK {
                let words = inflater.msg.map { String(cString: $0) } ?? "code \(status)"
                throw ObjectFlaw(reason: "not gzip: \(words)")
            }
        }
        return room.count - Int(inflater.avail_out)
    }
}
