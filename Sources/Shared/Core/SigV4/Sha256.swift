import COpenSSL

/// SHA-256 of bytes that come in slices.
public struct Sha256: ~Copyable {
    public static let byteCount = 32

    private let context: OpaquePointer

    public init() {
        context = EVP_MD_CTX_new()!
        begin()
    }

    deinit { EVP_MD_CTX_free(context) }

    private func begin() {
        // Fails only without memory or in an OpenSSL built without SHA-256.
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "SHA-256 is missing")
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count == 0 { return }
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
    }

    /// The digest, 32 bytes; the next `update` begins another.
    public mutating func finish() -> [UInt8] {
        let digest = [UInt8](unsafeUninitializedCapacity: Self.byteCount) { room, count in
            precondition(EVP_DigestFinal_ex(context, room.baseAddress, nil) == 1)
            count = Self.byteCount
        }
        begin()
        return digest
    }

    /// Forgets what came so far.
    public mutating func reset() { begin() }

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

/// Two hex digits a byte, lower case.
public func lowerHex(_ bytes: [UInt8]) -> String {
    let digits: StaticString = "0123456789abcdef"
    return String(unsafeUninitializedCapacity: bytes.count * 2) { room in
        for (at, byte) in bytes.enumerated() {
            room[at * 2] = digits.utf8Start[Int(byte >> 4)]
            room[at * 2 + 1] = digits.utf8Start[Int(byte & 15)]
        }
        return bytes.count * 2
    }
}

/// Compares secrets in a time that depends on their length only.
public func equalInConstantTime(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    return left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
