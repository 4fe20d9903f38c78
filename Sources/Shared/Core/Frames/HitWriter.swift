extension HitLayout {
    /// Bytes a hit with these fields takes; absent (empty) fields take none.
    public static func byteCount(
        target: Int, userAgent: Int, referer: Int, visitorCookie: Int
    ) -> Int {
        fixedBytes + fieldBytes(target) + fieldBytes(userAgent) + fieldBytes(referer)
            + fieldBytes(visitorCookie)
    }

    private static func fieldBytes(_ count: Int) -> Int {
        count == 0 ? 0 : fieldHeaderBytes + count
    }

    /// Writes all of a hit but its id (16 bytes at offset 8, the generator's to write). `target`
    /// points at `byteCount(…)` free bytes. Returns the bytes written.
    @discardableResult
    public static func write(
        to target: UnsafeMutableRawPointer, route: UInt8, flags: UInt8,
        receivedAtMicroseconds: UInt64, address: UnsafePointer<UInt8>,
        requestTarget: UnsafeRawBufferPointer, userAgent: UnsafeRawBufferPointer,
        referer: UnsafeRawBufferPointer, visitorCookie: UnsafeRawBufferPointer
    ) -> Int {
        var at = fixedBytes
        var fields: UInt16 = 0
        append(Tag.target, requestTarget, to: target, &at, &fields)
        append(Tag.userAgent, userAgent, to: target, &at, &fields)
        append(Tag.referer, referer, to: target, &at, &fields)
        append(Tag.visitorCookie, visitorCookie, to: target, &at, &fields)
        target.storeBytes(of: UInt32(truncatingIfNeeded: at).littleEndian, as: UInt32.self)
        target.storeBytes(of: route, toByteOffset: 4, as: UInt8.self)
        target.storeBytes(of: flags, toByteOffset: 5, as: UInt8.self)
        target.storeBytes(of: fields.littleEndian, toByteOffset: 6, as: UInt16.self)
        target.storeBytes(
            of: receivedAtMicroseconds.littleEndian, toByteOffset: 24, as: UInt64.self)
        (target + 32).copyMemory(from: address, byteCount: 16)
        return at
    }

    private static func append(
        _ tag: UInt16, _ value: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer,
        _ at: inout Int, _ fields: inout UInt16
    ) {
        guard value.count > 0, let bytes = value.baseAddress else { return }
        let length = UInt16(truncatingIfNeeded: value.count)  // a head is at most 16 KiB
        target.storeBytes(of: tag.littleEndian, toByteOffset: at, as: UInt16.self)
        target.storeBytes(of: length.littleEndian, toByteOffset: at + 2, as: UInt16.self)
        (target + at + fieldHeaderBytes).copyMemory(from: bytes, byteCount: value.count)
        at += fieldHeaderBytes + value.count
        fields &+= 1
    }
}
