import Core
import Glibc

/// Bytes whose end is the end of readable memory: reading one too many is a crash.
final class GuardedBytes {
    private let mapping: UnsafeMutableRawPointer
    private let roomBytes: Int

    init(capacity: Int) {
        roomBytes = max(4096, (capacity + 4095) & ~4095)
        mapping = mmap(
            nil, roomBytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        precondition(mapping != MAP_FAILED)
        mprotect(mapping + roomBytes, 4096, PROT_NONE)
    }

    deinit { munmap(mapping, roomBytes + 4096) }

    func holding<R>(
        _ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        let start = mapping + roomBytes - bytes.count
        UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyBytes(from: bytes)
        return try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: start, count: bytes.count))
        }
    }
}

/// What a head said, copied out of its bytes.
struct ReadHead: Equatable {
    var method = RequestHead.Method.get
    var minorVersion: UInt8 = 1
    var keepAlive = true
    var contentLength = 0
    var byteCount = 0
    var target = "/"
    var userAgent = ""
    var referer = ""
    var cookie = ""

    init() {}

    init(_ head: RequestHead) {
        method = head.method
        minorVersion = head.minorVersion
        keepAlive = head.keepAlive
        contentLength = head.contentLength
        byteCount = head.byteCount
        target = String(decoding: head.target, as: UTF8.self)
        userAgent = String(decoding: head.userAgent, as: UTF8.self)
        referer = String(decoding: head.referer, as: UTF8.self)
        cookie = String(decoding: head.cookie, as: UTF8.self)
    }
}
