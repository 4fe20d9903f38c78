import Platform

/// All client connections, in chunks that never move and are never given back: a slot's address
/// and generation stay meaningful for as long as the process lives.
struct ConnectionSlab: ~Copyable {
    private static let chunkSlots = 256
    static let none = UInt32.max

    private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<ClientConnection>>
    private let chunksMax: Int
    private var chunkCount = 0
    private var firstFree = Self.none
    private(set) var openCount = 0
    let slotsMax: Int

    init(slotsMax: Int) {
        self.slotsMax = slotsMax
        chunksMax = (slotsMax + Self.chunkSlots - 1) / Self.chunkSlots
        chunks = .allocate(capacity: chunksMax)
    }

    deinit { chunks.deallocate() }

    /// Slots that were ever used: `0 ..< slotCount`.
    var slotCount: Int { chunkCount * Self.chunkSlots }

    subscript(slot: UInt32) -> UnsafeMutablePointer<ClientConnection> {
        chunks[Int(slot) / Self.chunkSlots] + Int(slot) % Self.chunkSlots
    }

    /// A free slot, or nil at the limit.
    mutating func take(for router: Routing) -> UnsafeMutablePointer<ClientConnection>? {
        if openCount >= slotsMax { return nil }
        if firstFree == Self.none { addChunk(for: router) }
        let connection = self[firstFree]
        firstFree = connection.pointee.nextFree
        openCount += 1
        return connection
    }

    private mutating func addChunk(for router: Routing) {
        precondition(chunkCount < chunksMax)
        let chunk = UnsafeMutablePointer<ClientConnection>.allocate(capacity: Self.chunkSlots)
        let first = UInt32(chunkCount * Self.chunkSlots)
        for index in (0..<Self.chunkSlots).reversed() {
            var fresh = ClientConnection(router: router, slot: first + UInt32(index))
            fresh.nextFree = firstFree
            (chunk + index).initialize(to: fresh)
            firstFree = first + UInt32(index)
        }
        chunks[chunkCount] = chunk
        chunkCount += 1
    }

    /// Back to the free ones, under a new generation.
    mutating func give(back connection: UnsafeMutablePointer<ClientConnection>) {
        connection.pointee.generation &+= 1
        connection.pointee.flags = []
        connection.pointee.pending = PendingAnswers()
        connection.pointee.bodyToSkip = 0
        connection.pointee.kept.clear()
        connection.pointee.nextFree = firstFree
        firstFree = connection.pointee.slot
        openCount -= 1
    }
}
