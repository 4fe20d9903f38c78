import CJSON
import Glibc

/// Memory for one request's body and the padding that JSON parsing wants behind it. Straight from
/// the kernel and straight back: through malloc, bodies of megabytes stay in the heap for good
/// (measured: 55 MB held after the last body was freed).
struct BodyRoom {
    /// Sizes are multiples of this, so that a room serves the next body too, which is seldom of the
    /// same length. What is not touched costs nothing.
    private static let stepBytes = 512 << 10

    private(set) var byteCount: Int
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        self.byteCount = byteCount
        let wanted =
            (byteCount + Int(CJSON_PADDING) + Self.stepBytes - 1) / Self.stepBytes * Self.stepBytes
        let mapped = mmap(
            nil, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("no memory for a request's body") }
        bytes = UnsafeMutableRawBufferPointer(start: mapped, count: wanted)
    }

    /// The same memory for another body; nil when it is too small for that.
    func reused(byteCount: Int) -> BodyRoom? {
        if byteCount + Int(CJSON_PADDING) > bytes.count { return nil }
        var room = self
        room.byteCount = byteCount
        return room
    }

    func free() { munmap(bytes.baseAddress, bytes.count) }
}
