import COpenSSL

/// SHA-256 of bytes that come in slices. Allocates when it is made, not when it is used.
public struct Sha256: ~Copyable {
    public static let byteCount = 32
    /// Bytes that the algorithm takes at a time; HMAC pads its key to as many.
    static let blockBytes = 64

    private let context: OpaquePointer

    public init() {
        context = EVP_MD_CTX_new()!
        // Fails only without memory or in an OpenSSL built without SHA-256.
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256 is missing")
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count == 0 { return }
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
    }

    /// Writes the digest, 32 bytes; the next `update` begins another.
    public mutating func finish(into room: UnsafeMutableRawPointer) {
        let bytes = room.assumingMemoryBound(to: UInt8.self)
        precondition(EVP_DigestFinal_ex(context, bytes, nil) == 1)
        reset()
    }

    /// The digest, 32 bytes; the next `update` begins another.
    public mutating func finish() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.byteCount) { room, count in
            finish(into: room.baseAddress!)
            count = Self.byteCount
        }
    }

    /// Forgets what came so far. The algorithm is not named again: to look it up by name allocates.
    public mutating func reset() {
        precondition(EVP_DigestInit_ex(context, nil, nil) == 1)
    }

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

/// HMAC-SHA-256 with one key for many messages. Allocates when it is made, not when it is used.
public struct HmacSha256: ~Copyable {
    private var hash = Sha256()
    /// The key in the two disguises in which it stands before the message, and before its digest.
    private let pads: UnsafeMutableRawBufferPointer

    public init(key: [UInt8]) {
        let blockBytes = Sha256.blockBytes
        pads = .allocate(byteCount: 2 * blockBytes, alignment: 16)
        let key = key.count > blockBytes ? key.withUnsafeBytes { Sha256.digest($0) } : key
        for at in 0..<blockBytes {
            let byte = at < key.count ? key[at] : 0
            pads[at] = byte ^ 0x36
            pads[blockBytes + at] = byte ^ 0x5C
        }
    }

    deinit {
        OPENSSL_cleanse(pads.baseAddress, pads.count)
        pads.deallocate()
    }

    /// Writes the code of a message, 32 bytes.
    public mutating func code(
        of message: UnsafeRawBufferPointer, into room: UnsafeMutableRawPointer
    ) {
        hash.update(UnsafeRawBufferPointer(rebasing: pads[..<Sha256.blockBytes]))
        hash.update(message)
        hash.finish(into: room)
        hash.update(UnsafeRawBufferPointer(rebasing: pads[Sha256.blockBytes...]))
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
