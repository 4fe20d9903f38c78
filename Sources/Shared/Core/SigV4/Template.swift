/// Text that is written once and whose holes are filled again and again, in place.
struct Template: ~Copyable {
    typealias Hole = Range<Int>

    private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var byteCount = 0

    deinit { storage.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<byteCount]) }

    func bytes(upTo end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: storage[..<end])
    }

    /// Where a hole's bytes go.
    func room(in hole: Hole) -> UnsafeMutableRawPointer { storage.baseAddress! + hole.lowerBound }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            let hole = addHole(utf8.count)
            if !hole.isEmpty {
                room(in: hole).copyMemory(from: utf8.baseAddress!, byteCount: utf8.count)
            }
        }
    }

    mutating func addHole(_ count: Int) -> Hole {
        let hole = byteCount..<byteCount + count
        if hole.upperBound > storage.count { grow(to: max(512, 2 * hole.upperBound)) }
        byteCount = hole.upperBound
        return hole
    }

    private mutating func grow(to capacity: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        larger.initializeMemory(as: UInt8.self, repeating: 0)
        larger.copyMemory(from: bytes)
        storage.deallocate()
        storage = larger
    }
}
