/// A hit on its way from router to worker.
///
///     offset 0   UInt32  bytes of the whole hit, this word included
///     offset 4   UInt8   route
///     offset 5   UInt8   flags (bit 0: the method was HEAD)
///     offset 6   UInt16  number of fields
///     offset 8   16 B    hit id (UUIDv7, RFC 9562)
///     offset 24  UInt64  received at, microseconds since 1970
///     offset 32  16 B    client address, IPv4 mapped into IPv6
///     offset 48  fields, each: UInt16 tag, UInt16 byte count, bytes
///
/// Little endian, nothing aligned. New request headers become new tags; the layout stays.
public enum HitLayout {
    public static let fixedBytes = 48
    public static let fieldHeaderBytes = 4

    public enum Route {
        public static let pixel: UInt8 = 1
    }

    public enum Flag {
        public static let head: UInt8 = 1
    }

    /// Fields a hit may carry. Numbers are the layout: append, never change.
    public enum Tag {
        public static let target: UInt16 = 1
        public static let userAgent: UInt16 = 2
        public static let referer: UInt16 = 3
        public static let visitorCookie: UInt16 = 4
    }
}

/// A decoded hit: pointers into the frame that holds it, valid as long as that frame.
///
/// Absent fields are empty. Unknown tags are skipped, so an older worker reads a newer router.
public struct HitView {
    public var route: UInt8
    public var flags: UInt8
    /// 16 bytes.
    public var id: UnsafePointer<UInt8>
    public var receivedAtMicroseconds: UInt64
    /// 16 bytes, IPv4 mapped into IPv6.
    public var address: UnsafePointer<UInt8>
    /// The request target as it came: path and query, nothing decoded.
    public var target: UnsafeRawBufferPointer
    public var userAgent: UnsafeRawBufferPointer
    public var referer: UnsafeRawBufferPointer
    public var visitorCookie: UnsafeRawBufferPointer

    /// Reads the hit that starts at `bytes`. Nil when it is cut or contradicts itself: the frame is
    /// then damaged as a whole, since where the next hit starts is unknown.
    @inline(always)
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= HitLayout.fixedBytes else { return nil }
        let count = Int(UInt32(littleEndian: base.loadUnaligned(as: UInt32.self)))
        guard count >= HitLayout.fixedBytes, count <= bytes.count else { return nil }
        route = base.load(fromByteOffset: 4, as: UInt8.self)
        flags = base.load(fromByteOffset: 5, as: UInt8.self)
        let fields = UInt16(littleEndian: base.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        id = (base + 8).assumingMemoryBound(to: UInt8.self)
        receivedAtMicroseconds = UInt64(
            littleEndian: base.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
        address = (base + 32).assumingMemoryBound(to: UInt8.self)
        let empty = UnsafeRawBufferPointer(start: base, count: 0)
        (target, userAgent, referer, visitorCookie) = (empty, empty, empty, empty)
        var at = HitLayout.fixedBytes
        for _ in 0..<fields {
            guard at + HitLayout.fieldHeaderBytes <= count else { return nil }
            let tag = UInt16(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt16.self))
            let length = Int(
                UInt16(littleEndian: base.loadUnaligned(fromByteOffset: at + 2, as: UInt16.self)))
            at += HitLayout.fieldHeaderBytes
            guard at + length <= count else { return nil }
            let value = UnsafeRawBufferPointer(start: base + at, count: length)
            switch tag {
            case HitLayout.Tag.target: target = value
            case HitLayout.Tag.userAgent: userAgent = value
            case HitLayout.Tag.referer: referer = value
            case HitLayout.Tag.visitorCookie: visitorCookie = value
            default: break
            }
            at += length
        }
        guard at == count else { return nil }
        byteCount = count
    }

    /// When a hit came that is not to be decoded; 0 when it is too short to say.
    public static func receivedAtMicroseconds(of hit: UnsafeRawBufferPointer) -> UInt64 {
        guard hit.count >= HitLayout.fixedBytes, let base = hit.baseAddress else { return 0 }
        return UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    /// Bytes of the whole hit: the next one starts there.
    public let byteCount: Int
}
