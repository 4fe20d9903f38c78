/// Who numbered a batch: a router's slot and its incarnation (a random number drawn for each start,
/// so that no later cluster ever repeats it).
public struct Origin: Hashable, Sendable {
    public var slot: UInt16
    public var incarnation: UInt64

    public init(slot: UInt16, incarnation: UInt64) {
        self.slot = slot
        self.incarnation = incarnation
    }
}

/// What precedes each message on a link.
///
///     offset 0   UInt32  bytes of the whole frame, this header included
///     offset 4   UInt8   version
///     offset 5   UInt8   kind
///     offset 6   UInt16  number of hits
///     offset 8   UInt64  origin: router incarnation
///     offset 16  UInt64  batch sequence
///     offset 24  UInt16  origin: router slot
///     offset 26  6 B     zero
///     offset 32  kind hits: hits back to back; kinds lone and opaque: one hit;
///                kind ack: one verdict byte a hit
///
/// Little endian. An ack repeats the origin and sequence of the frame it answers.
public struct FrameHeader: Equatable, Sendable {
    public static let byteCount = 32
    public static let version: UInt8 = 1

    public enum Kind: UInt8, Sendable {
        case hits = 1
        case ack = 2
        /// One hit whose decoding has killed workers: to be stored without a look inside.
        case opaque = 3
        /// One hit of a batch that workers died with; see `LoneHit` for its number.
        case lone = 4

        /// One hit, numbered by `LoneHit`.
        public var isSingle: Bool { self == .opaque || self == .lone }
    }

    public enum Flaw: Error, Equatable {
        case version(UInt8), kind(UInt8), byteCount(UInt32), hitCount(UInt16)
    }

    public var byteCount: UInt32
    public var kind: Kind
    public var hitCount: UInt16
    public var origin: Origin
    public var sequence: UInt64

    public init(
        byteCount: UInt32, kind: Kind, hitCount: UInt16, origin: Origin, sequence: UInt64
    ) {
        self.byteCount = byteCount
        self.kind = kind
        self.hitCount = hitCount
        self.origin = origin
        self.sequence = sequence
    }

    public func write(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: byteCount.littleEndian, as: UInt32.self)
        target.storeBytes(of: Self.version, toByteOffset: 4, as: UInt8.self)
        target.storeBytes(of: kind.rawValue, toByteOffset: 5, as: UInt8.self)
        target.storeBytes(of: hitCount.littleEndian, toByteOffset: 6, as: UInt16.self)
        target.storeBytes(of: origin.incarnation.littleEndian, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: UInt64(origin.slot).littleEndian, toByteOffset: 24, as: UInt64.self)
    }

    /// Reads `byteCount` bytes of header and checks every field against its limit. Whether that
    /// many bytes have arrived is the caller's to see.
    public static func read(_ bytes: UnsafeRawPointer) throws(Flaw) -> FrameHeader {
        let version = bytes.load(fromByteOffset: 4, as: UInt8.self)
        guard version == Self.version else { throw .version(version) }
        let rawKind = bytes.load(fromByteOffset: 5, as: UInt8.self)
        guard let kind = Kind(rawValue: rawKind) else { throw .kind(rawKind) }
        let count = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard count > byteCount, count <= Limits.frameBytesMax else { throw .byteCount(count) }
        let hits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        guard hits > 0, hits <= Limits.frameHitsMax else { throw .hitCount(hits) }
        if kind == .ack, count != UInt32(byteCount) + UInt32(hits) { throw .byteCount(count) }
        if kind.isSingle, hits != 1 { throw .hitCount(hits) }
        return FrameHeader(
            byteCount: count,
            kind: kind,
            hitCount: hits,
            origin: Origin(
                slot: UInt16(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt16.self)),
                incarnation: UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))),
            sequence: UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
    }
}

/// What a worker says of one hit. The byte on the wire.
public enum Verdict: UInt8, Sendable {
    /// A row in the good lane: 200.
    case good = 1
    /// A bad row in the bad lane: answered by `on_invalid`.
    case bad = 2
    /// Not stored, the lane is full or its disk refuses: 503.
    case refused = 3
}
