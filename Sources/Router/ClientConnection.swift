import Core
import Glibc
import Platform

/// The verdicts of a connection's pending requests, in a ring of 64 by request ordinal, a bit
/// plane each: whether it is answered, and with what.
///
///     head ..< next     pending; their answers go out in this order
struct PendingAnswers {
    private(set) var head: UInt32
    private(set) var next: UInt32
    private var answered: UInt64 = 0
    private var kind0: UInt64 = 0
    private var kind1: UInt64 = 0
    private var kind2: UInt64 = 0
    private var kind3: UInt64 = 0
    private var isHead: UInt64 = 0

    /// Ordinals may begin anywhere; they wrap.
    init(firstOrdinal: UInt32 = 0) { (head, next) = (firstOrdinal, firstOrdinal) }

    var count: Int { Int(next &- head) }
    var isFull: Bool { count >= Limits.pipelinedAnswersMax }
    var isEmpty: Bool { next == head }
    var firstIsAnswered: Bool { count > 0 && answered >> UInt64(head & 63) & 1 == 1 }

    /// Takes a place for a request; its ordinal.
    mutating func open(isHead: Bool) -> UInt32 {
        let bit: UInt64 = 1 << UInt64(next & 63)
        answered &= ~bit
        self.isHead = isHead ? self.isHead | bit : self.isHead & ~bit
        next &+= 1
        return next &- 1
    }

    /// False when that request was answered already, or never was.
    mutating func answer(_ ordinal: UInt32, with answer: Answer) -> Bool {
        let bit: UInt64 = 1 << UInt64(ordinal & 63)
        guard ordinal &- head < next &- head, answered & bit == 0 else { return false }
        answered |= bit
        let raw = answer.rawValue
        kind0 = raw & 1 == 0 ? kind0 & ~bit : kind0 | bit
        kind1 = raw & 2 == 0 ? kind1 & ~bit : kind1 | bit
        kind2 = raw & 4 == 0 ? kind2 & ~bit : kind2 | bit
        kind3 = raw & 8 == 0 ? kind3 & ~bit : kind3 | bit
        return true
    }

    /// The oldest request's answer, taken off. Only when `firstIsAnswered`.
    mutating func takeFirst() -> (answer: Answer, isHead: Bool, ordinal: UInt32) {
        let shift = UInt64(head & 63)
        let low = (kind0 >> shift & 1) | (kind1 >> shift & 1) << 1
        let high = (kind2 >> shift & 1) << 2 | (kind3 >> shift & 1) << 3
        let taken = head
        head &+= 1
        return (
            Answer(rawValue: UInt8(low | high)) ?? .unavailable, isHead >> shift & 1 == 1, taken
        )
    }
}

/// One client. Lives in a slab and never moves; a slot's generation tells its tenants apart.
struct ClientConnection {
    var stream = StreamStorage()
    let router: Routing
    let slot: UInt32
    var generation: UInt32 = 0
    var pending = PendingAnswers()
    /// The loop's second in which something last came or went.
    var activeAtSeconds: UInt32 = 0
    /// Bytes of a request body still to be passed over.
    var bodyToSkip = 0
    /// What was received and not yet parsed, when a head is cut or reading is paused.
    var kept = KeptBytes()
    var address: (UInt64, UInt64) = (0, 0)
    /// Next in the list of connections whose answers go out at the end of this callback.
    var nextToFlush: UInt32 = 0
    var nextFree: UInt32 = 0
    var flags: Flags = []

    struct Flags: OptionSet {
        let rawValue: UInt16
        static let open = Flags(rawValue: 1)
        /// In the list of connections to flush.
        static let toFlush = Flags(rawValue: 2)
        /// Not read from: too much pending.
        static let paused = Flags(rawValue: 4)
        /// No request after the pending ones: the last of them says `Connection: close`.
        static let lastRequest = Flags(rawValue: 8)
        /// The client sent its end-of-file; it may still read.
        static let halfClosed = Flags(rawValue: 16)
        /// A write is queued in user space.
        static let writing = Flags(rawValue: 32)
        /// An HTTP/1.0 client that asked to be kept.
        static let keepAlive10 = Flags(rawValue: 64)
        /// The last answer is out; what still comes is thrown away until end-of-file.
        static let lingering = Flags(rawValue: 128)
        /// The last answer refused the bytes as such: more of them may still be on their way.
        static let refused = Flags(rawValue: 256)
    }
}

/// Received bytes kept over callbacks. Allocated only for connections that need it.
struct KeptBytes {
    private(set) var base: UnsafeMutablePointer<UInt8>?
    private(set) var count = 0
    private var capacity = 0

    /// More than a loop's read plus a head never has to be kept: reading stops before.
    static let bytesMax = (64 << 10) + Limits.requestHeadBytesMax

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if count + bytes.count > capacity { grow(to: count + bytes.count) }
        if let source = bytes.baseAddress {
            memcpy(base! + count, source, bytes.count)
            count += bytes.count
        }
    }

    private mutating func grow(to wanted: Int) {
        precondition(wanted <= Self.bytesMax)
        capacity = (wanted + 1023) & ~1023
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        if let base {
            memcpy(room, base, count)
            base.deallocate()
        }
        base = room
    }

    /// Drops the first `passed` bytes; gives the memory back when none is left.
    mutating func drop(_ passed: Int) {
        count -= passed
        guard let base else { return }
        if count == 0 {
            base.deallocate()
            self.base = nil
            capacity = 0
        } else if passed > 0 {
            memmove(base, base + passed, count)
        }
    }

    mutating func clear() { drop(count) }
}
