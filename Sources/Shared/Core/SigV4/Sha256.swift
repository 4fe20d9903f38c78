import COpenSSL

/// SHA-256 of bytes that come in slices. Its state is in the value: it never allocates.
public struct Sha256: ~Copyable {
    public static let byteCount = 32
    /// Bytes that the algorithm takes at a time; HMAC pads its key to as many.
    static let blockBytes = 64

    fileprivate var context = SHA256_CTX()

    public init() { reset() }

    fileprivate init(from context: SHA256_CTX) { self.context = context }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count == 0 { return }
        precondition(cossl_sha256_update(&context, bytes.baseAddress, bytes.count) == 1)
    }

    /// Writes the digest, 32 bytes; the next `update` begins another.
    public mutating func finish(into room: UnsafeMutableRawPointer) {
        let bytes = room.assumingMemoryBound(to: UInt8.self)
        precondition(cossl_sha256_final(bytes, &context) == 1)
        reset()
    }

    /// The digest, 32 bytes; the next `update` begins another.
    public mutating func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { room, count in
            finish(into: room.baseAddress!)
            count = Self.byteCount
        }
    }

    /// Forgets what came so far.
    public mutating func reset() { precondition(cossl_sha256_init(&context) == 1) }

    public static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var it = Sha256()
        it.update(bytes)
        return it.finish()
    }

    public static func digest(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { digest(UnsafeRawBufferPointer($0)) }
    }
}

/// HMAC-SHA-256, 32 bytes.
public func hmacSha256(key: [UInt8], _ text: String) -> [UInt8] {
    var text = text
    return text.withUTF8 { bytes in
        [UInt8](unsafeUninitializedCapacity: Sha256.byteCount) { room, count in
            let mac = HMAC(
                EVP_sha256(), key, Int32(key.count), bytes.baseAddress, bytes.count,
                room.baseAddress, nil)
            precondition(mac != nil, "HMAC-SHA-256 is missing")
            count = Sha256.byteCount
        }
    }
}

/// HMAC-SHA-256 with one key for many messages: what the key alone decides is computed once.
public struct HmacSha256: ~Copyable {
    /// After the key's block, before the message and before its digest.
    private let inner: SHA256_CTX
    private let outer: SHA256_CTX

    public init(key: [UInt8]) {
        let key =
            key.count > Sha256.blockBytes ? key.withUnsafeBytes { Sha256.digest($0) } : key
        func state(_ pad: UInt8) -> SHA256_CTX {
            let block = (0..<Sha256.blockBytes).map { ($0 < key.count ? key[$0] : 0) ^ pad }
            var hash = Sha256()
            block.withUnsafeBytes { hash.update($0) }
            return hash.context
        }
        (inner, outer) = (state(0x36), state(0x5C))
    }

    /// Writes the code of a message, 32 bytes.
    public func code(of message: UnsafeRawBufferPointer, into room: UnsafeMutableRawPointer) {
        var hash = Sha256(from: inner)
        hash.update(message)
        hash.finish(into: room)
        hash = Sha256(from: outer)
        hash.update(UnsafeRawBufferPointer(start: room, count: Sha256.byteCount))
        hash.finish(into: room)
    }
}

/// Two hex digits a byte, lower case.
public func lowerHex(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { room in
        bytes.withUnsafeBytes { writeLowerHex($0, to: room.baseAddress!) }
        return bytes.count * 2
    }
}

/// Writes two hex digits a byte, lower case.
public func writeLowerHex(_ bytes: UnsafeRawBufferPointer, to room: UnsafeMutableRawPointer) {
    let digits: StaticString = "0123456789abcdef"
    for (at, byte) in bytes.enumerated() {
        room.storeBytes(
            of: digits.utf8Start[Int(byte >> 4)], toByteOffset: at * 2, as: UInt8.self)
        room.storeBytes(
            of: digits.utf8Start[Int(byte & 15)], toByteOffset: at * 2 + 1, as: UInt8.self)
    }
}

/// Compares secrets in a time that depends on their length only.
public func equalInConstantTime(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    return left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
