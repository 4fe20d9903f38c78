/// One message between supervisor and child, over a packet socket (message boundaries are kept).
/// Descriptors ride along as SCM_RIGHTS.
///
///     offset 0   UInt8   version
///     offset 1   UInt8   kind
///     offset 2   UInt16  slot (of the peer, or of the shard)
///     offset 4   4 B     zero
///     offset 8   UInt64  incarnation (of the peer)
///     offset 16  UInt64  number (meaning by kind)
///
/// Little endian, always 24 bytes.
public struct ControlMessage: Equatable, Sendable {
    public static let byteCount = 24
    public static let version: UInt8 = 1

    public enum Kind: UInt8, Sendable {
        // Child to supervisor
        /// Started and able to work.
        case ready = 1
        /// Asks to be drained: the child got a SIGTERM.
        case drainMe = 2
        /// The answer to `flush`: the number it carried, repeated.
        case flushed = 3
        /// The router has answered all it will and closed its links.
        case drained = 4
        /// Gave up its link with the peer in `slot` (whose incarnation it does not know: 0), though
        /// that peer may live: both need a new one.
        case linkBroken = 5

        // Supervisor to child
        /// One descriptor: your end of a new link with the peer in `slot`, `incarnation`.
        case link = 16
        /// Router: stop accepting, finish, leave. Number: milliseconds it may take.
        case drain = 17
        /// Worker, local Firehose: leave. Number: milliseconds it may take.
        case stop = 18
        /// Worker: deliver what is in the spool without lingering. Local Firehose: write and load
        /// what is buffered, then say `flushed` with the same number.
        case flush = 19
        /// Every child: exit at once.
        case quit = 20
        /// Worker: leave for a successor. Hits are taken until the calls in flight are done. Number:
        /// milliseconds those may take.
        case replace = 21
        /// Router: one descriptor, a listening socket to accept on besides its own.
        case listen = 22
        /// Worker: `flush`, and what waits after a failure is tried at once.
        case flushNow = 23
    }

    public var kind: Kind
    public var slot: UInt16
    public var incarnation: UInt64
    public var number: UInt64

    public init(_ kind: Kind, slot: UInt16 = 0, incarnation: UInt64 = 0, number: UInt64 = 0) {
        self.kind = kind
        self.slot = slot
        self.incarnation = incarnation
        self.number = number
    }

    public func write(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: UInt64(0), as: UInt64.self)
        target.storeBytes(of: Self.version, as: UInt8.self)
        target.storeBytes(of: kind.rawValue, toByteOffset: 1, as: UInt8.self)
        target.storeBytes(of: slot.littleEndian, toByteOffset: 2, as: UInt16.self)
        target.storeBytes(of: incarnation.littleEndian, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: number.littleEndian, toByteOffset: 16, as: UInt64.self)
    }

    /// Nil when it is not 24 bytes of this version and a known kind.
    public static func read(_ bytes: UnsafeRawBufferPointer) -> ControlMessage? {
        guard let base = bytes.baseAddress, bytes.count == byteCount,
            base.load(as: UInt8.self) == version,
            let kind = Kind(rawValue: base.load(fromByteOffset: 1, as: UInt8.self))
        else { return nil }
        return ControlMessage(
            kind,
            slot: UInt16(littleEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt16.self)),
            incarnation: UInt64(
                littleEndian: base.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            number: UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
    }
}
