/// A run of bytes that a `ByteStore` keeps.
struct Segment {
    let bytes: UnsafePointer<UInt8>
    let count: Int
}

/// Memory for what requests are made of: laid down once, read by pointer, freed in one go.
struct ByteStore: ~Copyable {
    private static let chunkBytes = 64 << 10
    /// `RequestWriter` reads a segment in steps of 32 and 64 bytes.
    private static let slackBytes = 64
    private var chunks: [UnsafeMutableRawPointer] = []
    private var free: UnsafeMutableRawPointer
    private var left = 0

    init() {
        free = .allocate(byteCount: 64, alignment: 64)
        chunks.append(free)
    }

    deinit { for chunk in chunks { chunk.deallocate() } }

    private mutating func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let needed = (byteCount + Self.slackBytes + 15) & ~15
        if needed > left {
            let size = max(needed, Self.chunkBytes)
            free = .allocate(byteCount: size, alignment: 64)
            free.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            chunks.append(free)
            left = size
        }
        defer {
            free += needed
            left -= needed
        }
        return free
    }

    mutating func keep(_ bytes: some Collection<UInt8>) -> Segment {
        let count = bytes.count
        let place = take(count).assumingMemoryBound(to: UInt8.self)
        for (index, byte) in bytes.enumerated() { place[index] = byte }
        return Segment(bytes: place, count: count)
    }

    mutating func keep(_ text: String) -> Segment { keep(Array(text.utf8)) }

    /// Plain values, one after the other.
    mutating func keepAll<Value: BitwiseCopyable>(
        _ values: [Value]
    ) -> UnsafePointer<Value> {
        precondition(MemoryLayout<Value>.alignment <= 16)
        let place = take(values.count * MemoryLayout<Value>.stride).bindMemory(
            to: Value.self, capacity: values.count)
        place.initialize(from: values, count: values.count)
        return UnsafePointer(place)
    }
}
