import Core
import Testing

@Suite struct Sha256Tests {
    @Test func `known digests come out`() {
        #expect(
            lowerHex(Sha256.digest(""))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            lowerHex(Sha256.digest("abc"))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    /// RFC 4231, test case 2.
    @Test func `a known HMAC comes out`() {
        #expect(
            lowerHex(hmacSha256(key: Array("Jefe".utf8), "what do ya want for nothing?"))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test(arguments: [0, 1, 31, 32, 63, 64, 65, 200])
    func `one key's HMACs are those of the function`(keyBytes: Int) {
        let key = (0..<keyBytes).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 1) }
        let hmac = HmacSha256(key: key)
        for text in ["", "a", String(repeating: "long ", count: 100)] {
            let code = [UInt8](unsafeUninitializedCapacity: 32) { room, count in
                Array(text.utf8).withUnsafeBytes {
                    hmac.code(of: $0, into: UnsafeMutableRawPointer(room.baseAddress!))
                }
                count = 32
            }
            #expect(code == hmacSha256(key: key, text))
        }
    }

    @Test func `how the bytes are cut does not matter`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let whole = bytes.withUnsafeBytes { Sha256.digest($0) }
        for step in [1, 3, 63, 64, 65, 999] {
            var hash = Sha256()
            for start in stride(from: 0, to: bytes.count, by: step) {
                bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { hash.update($0) }
            }
            #expect(hash.finish() == whole)
        }
    }

    @Test func `a digest begins anew after it is finished or reset`() {
        var hash = Sha256()
        "first".utf8.withContiguousStorageIfAvailable { hash.update(UnsafeRawBufferPointer($0)) }
        #expect(hash.finish() == Sha256.digest("first"))
        "lost".utf8.withContiguousStorageIfAvailable { hash.update(UnsafeRawBufferPointer($0)) }
        hash.reset()
        #expect(hash.finish() == Sha256.digest(""))
    }

    @Test func `equality in constant time is equality`() {
        #expect(equalInConstantTime("abc", "abc"))
        #expect(!equalInConstantTime("abc", "abd"))
        #expect(!equalInConstantTime("abc", "ab"))
    }
}
