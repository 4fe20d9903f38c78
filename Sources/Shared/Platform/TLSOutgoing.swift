import COpenSSL

/// What a TLS session has to say to the network: records land here and are sent from where they lie.
/// OpenSSL's own memory BIO hands out a copy, and wipes what it gave.
///
///     0 ..< start          taken; lent while the kernel still takes it from here
///     start ..< end        to be taken
///     end ..< capacity     free
///
/// Lives at one address, as the data of a BIO that frees it.
struct TLSOutgoing {
    typealias Pointer = UnsafeMutablePointer<TLSOutgoing>

    /// Always left free beyond what is asked for, so that an alert or new keys fit behind bytes that
    /// are lent and cannot move.
    private static let slackBytes = 1 << 10

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0
    private var isLent = false

    var byteCount: Int { end - start }

    /// False when there is no room without moving what is lent.
    fileprivate mutating func append(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        if !isLent, start == end { (start, end) = (0, 0) }
        if end + count > capacity {
            if isLent { return false }
            grow(to: end - start + count + Self.slackBytes)
        }
        (base! + end).copyMemory(from: bytes, byteCount: count)
        end += count
        return true
    }

    private mutating func grow(to needed: Int) {
        var larger = max(capacity, 4 << 10)
        while larger < needed { larger *= 2 }
        let other = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
        if let base {
            other.copyMemory(from: base + start, byteCount: byteCount)
            base.deallocate()
        }
        (base, capacity, end, start) = (other, larger, byteCount, 0)
    }

    /// Copies out as much as there is and fits.
    mutating func take(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(room.count, byteCount)
        if count > 0 { room.baseAddress!.copyMemory(from: base! + start, byteCount: count) }
        start += count
        return count
    }

    /// All there is, where it lies: valid until the session has more to say.
    mutating func drain() -> UnsafeRawBufferPointer {
        let bytes = UnsafeRawBufferPointer(start: base.map { $0 + start }, count: byteCount)
        start = end
        return bytes
    }

    /// The same, valid until `release`.
    mutating func lend() -> UnsafeRawBufferPointer {
        isLent = true
        return drain()
    }

    /// What was lent is not needed any more.
    mutating func release() { isLent = false }

    // MARK: As OpenSSL sees it

    /// A BIO that owns one of these, and the address of it.
    static func makeBIO() -> (bio: OpaquePointer, outgoing: Pointer) {
        guard let bio = BIO_new(method) else { fatalError("BIO_new: out of memory") }
        let it = Pointer.allocate(capacity: 1)
        it.initialize(to: TLSOutgoing())
        BIO_set_data(bio, it)
        BIO_set_init(bio, 1)
        return (bio, it)
    }

    nonisolated(unsafe) private static let method: OpaquePointer = {
        let kind = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = BIO_meth_new(kind, "outgoing records") else {
            fatalError("BIO_meth_new: out of memory")
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bytes, count > 0 else { return 0 }
            return TLSOutgoing.of(bio).pointee.append(bytes, Int(count)) ? count : -1
        }
        BIO_meth_set_ctrl(method) { bio, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH: 1
            case BIO_CTRL_PENDING, BIO_CTRL_WPENDING: TLSOutgoing.of(bio).pointee.byteCount
            default: 0
            }
        }
        BIO_meth_set_destroy(method) { bio in
            let it = TLSOutgoing.of(bio)
            it.pointee.base?.deallocate()
            it.deinitialize(count: 1)
            it.deallocate()
            return 1
        }
        return method
    }()

    private static func of(_ bio: OpaquePointer?) -> Pointer {
        BIO_get_data(bio).assumingMemoryBound(to: TLSOutgoing.self)
    }
}
