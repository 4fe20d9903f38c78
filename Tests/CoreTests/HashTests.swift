import Core
import TestSupport
import Testing

@Suite struct HashJumpTests {
    /// Values of the paper's algorithm as other implementations publish them.
    @Test(
        arguments: [
            (1, 1, 0), (42, 57, 43), (0xdead_10cc, 1, 0), (0xdead_10cc, 666, 361), (256, 1024, 520),
        ] as [(UInt64, Int, Int)])
    func `known keys land where other implementations put them`(
        _ key: UInt64, _ buckets: Int, _ bucket: Int
    ) {
        #expect(jumpHash(key, buckets: buckets) == bucket)
    }

    @Test(
        arguments: [
            (0, [0, 0, 0, 0, 0, 0, 0]),
            (1, [0, 0, 0, 0, 6, 6, 192]),
            (2, [0, 0, 0, 3, 6, 15, 62]),
            (0xdead_beef, [0, 1, 2, 3, 5, 5, 87]),
            (0x9e37_79b9_7f4a_7c15, [0, 1, 1, 3, 3, 3, 71]),
            (.max, [0, 1, 2, 2, 7, 10, 248]),
        ] as [(UInt64, [Int])])
    func `a key's bucket among 1, 2, 3, 4, 8, 16 and 256`(_ key: UInt64, _ buckets: [Int]) {
        #expect([1, 2, 3, 4, 8, 16, 256].map { jumpHash(key, buckets: $0) } == buckets)
    }

    @Test func `one more bucket takes its share, and nothing else moves`() {
        var dice = SeededDice(seed: 0x4a55_4d50)
        let keys = (0..<10_000).map { _ in dice.next() }
        for buckets in 1..<32 {
            var moved = 0
            for key in keys {
                let before = jumpHash(key, buckets: buckets)
                let after = jumpHash(key, buckets: buckets + 1)
                if after == before { continue }
                moved += 1
                if after != buckets { Issue.record("\(key) moved to \(after) of \(buckets + 1)") }
            }
            let fair = Double(keys.count) / Double(buckets + 1)
            #expect(abs(Double(moved) - fair) < 6 * fair.squareRoot())
        }
    }
}

@Suite struct HashShardKeyTests {
    private static let standard: [Settings.ShardKeyPart] = Settings().shardKey

    private func hash(
        _ parts: [Settings.ShardKeyPart] = standard, target: String = "/p.gif", cookie: String = "",
        address: [UInt8] = localhost, userAgent: String = ""
    ) -> UInt64 {
        let key = ShardKey(parts)
        return Array(target.utf8).withUnsafeBytes { target in
            Array(cookie.utf8).withUnsafeBytes { cookie in
                Array(userAgent.utf8).withUnsafeBytes { userAgent in
                    address.withUnsafeBufferPointer {
                        key.hash(
                            target: target, cookie: cookie, address: $0.baseAddress!,
                            userAgent: userAgent)
                    }
                }
            }
        }
    }

    private static let localhost = v4(127, 0, 0, 1)

    private static func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> [UInt8] {
        [UInt8](repeating: 0, count: 10) + [0xff, 0xff, a, b, c, d]
    }

    /// Made with libxxhash and jump hash in another language. A visitor's shard is a promise that
    /// outlives versions: these values never change.
    @Test(
        arguments: [
            ("u1", 0x9dc0_2546_854d_5df1, [1, 1, 1, 4, 109]),
            ("visitor-42", 0xbcbf_a55a_fec9_46fe, [1, 1, 1, 6, 130]),
            ("a%20b", 0xd40d_cf96_72a4_a7b7, [0, 0, 0, 0, 138]),
            ("a+b", 0x3e46_ee0c_a47e_4eba, [1, 2, 2, 2, 109]),
            ("3f0c8e9a-52bb-4a1e-9c77-1d2e3f4a5b6c", 0x21ee_fe3f_2705_3c55, [1, 1, 1, 1, 233]),
            ("é", 0xf794_0a00_6cf1_0cb3, [0, 0, 3, 3, 184]),
            (String(repeating: "x", count: 300), 0xa5d1_b460_7dc8_3554, [1, 1, 3, 5, 20]),
        ] as [(String, UInt64, [Int])])
    func `a visitor's shard among 2, 3, 4, 8 and 256 never changes`(
        _ visitor: String, _ key: UInt64, _ shards: [Int]
    ) {
        #expect(hash(target: "/p.gif?uid=\(visitor)") == key)
        #expect(hash(cookie: "hy_uid=\(visitor)") == key)
        #expect([2, 3, 4, 8, 256].map { jumpHash(key, buckets: $0) } == shards)
    }

    @Test(
        arguments: [
            (v4(127, 0, 0, 1), "", 0x11b0_d7ce_46f1_750e),
            (v4(127, 0, 0, 1), "Mozilla/5.0", 0x18c0_ff2f_f9e7_6d68),
            (v4(203, 0, 113, 9), "curl/8.5.0", 0xf010_9d67_ee1f_3100),
            ([UInt8](repeating: 0, count: 15) + [1], "Mozilla/5.0", 0x5f09_4093_2c4e_d08f),
        ] as [([UInt8], String, UInt64)])
    func `a nameless visitor goes by address and User-Agent`(
        _ address: [UInt8], _ userAgent: String, _ key: UInt64
    ) {
        #expect(hash(address: address, userAgent: userAgent) == key)
        #expect(hash([], address: address, userAgent: userAgent) == key)
        #expect(hash([.cookie("x")], address: address, userAgent: userAgent) == key)
    }

    @Test func `the first part that is present decides`() {
        let u1 = hash(target: "/p.gif?uid=u1")
        let u2 = hash(target: "/p.gif?uid=u2")
        #expect(hash(target: "/p.gif?uid=u1", cookie: "hy_uid=u2") == u1)
        #expect(hash(target: "/p.gif?uid=", cookie: "hy_uid=u2") == u2)
        #expect(hash(target: "/p.gif?x=1", cookie: "hy_uid=u2", userAgent: "y") == u2)
        #expect(hash([.cookie("c"), .query("q")], target: "/?q=u1", cookie: "c=u2") == u2)
        #expect(hash([.cookie("c"), .query("q")], target: "/?q=u1", cookie: "d=u2") == u1)
        // Two nameless visitors behind one address are told apart, as are two addresses.
        let one = hash(userAgent: "a")
        #expect(one != hash(userAgent: "b"))
        #expect(one != hash(address: Self.v4(127, 0, 0, 2), userAgent: "a"))
        // Address and User-Agent end the list wherever they stand.
        #expect(
            hash([.addressAndUserAgent, .query("uid")], target: "/?uid=u1", userAgent: "a") == one)
    }

    @Test(arguments: [
        ("/p.gif?uid=a", "a"), ("/p.gif?x=1&uid=a&y=2", "a"), ("/p.gif?uid=a&uid=b", "a"),
        ("/p.gif?uid=a=b", "a=b"), ("/p.gif?xuid=1&uid=a", "a"), ("/p.gif?uid2=1&uid=a", "a"),
        ("/p.gif?&&uid=a&&", "a"), ("/p.gif?uid=a?uid=b", "a?uid=b"), ("/p.gif?uid", ""),
        ("/p.gif?uid=", ""), ("/p.gif?uid=&uid=a", ""), ("/p.gif?UID=a", ""), ("/p.gif", ""),
        ("/uid=a", ""), ("/p.gif?", ""), ("", ""), ("http://h/p.gif?uid=a", "a"),
        ("/p.gif?x=\(String(repeating: "y", count: 100))&uid=a", "a"),
    ])
    func `a query value is found raw, the first of its name`(_ target: String, _ value: String) {
        let found = Array("uid".utf8).withUnsafeBytes { name in
            let bytes = Array(target.utf8)
            return GuardedBytes(capacity: bytes.count).holding(bytes) {
                String(decoding: queryValue(of: name, in: $0), as: UTF8.self)
            }
        }
        #expect(found == value)
    }

    @Test(arguments: [
        ("hy=a", "a"), ("x=1; hy=a; y=2", "a"), ("hy=a; hy=b", "a"), ("hy=a=b", "a=b"),
        ("xhy=1; hy=a", "a"), ("hy2=1; hy=a", "a"), ("x=1;hy=a;", "a"), ("; ; hy=a", "a"),
        ("hy=a  ; x=1", "a"), ("hy=\"a b\"", "\"a b\""), ("hy", ""), ("hy=", ""), ("HY=a", ""),
        ("", ""), ("x=hy=a", ""), ("x; hy=a", "a"),
    ])
    func `a cookie's value is found raw, the first of its name`(_ cookie: String, _ value: String) {
        let found = Array("hy".utf8).withUnsafeBytes { name in
            let bytes = Array(cookie.utf8)
            return GuardedBytes(capacity: bytes.count).holding(bytes) {
                String(decoding: cookieValue(of: name, in: $0), as: UTF8.self)
            }
        }
        #expect(found == value)
    }

    @Test func `a thousand visitors spread over four shards within 15 percent`() {
        var byName = [0, 0, 0, 0]
        var byAddress = [0, 0, 0, 0]
        for visitor in 0..<1000 {
            byName[jumpHash(hash(target: "/p.gif?uid=visitor-\(visitor)"), buckets: 4)] += 1
            let address = Self.v4(10, 0, UInt8(visitor >> 8), UInt8(visitor & 255))
            byAddress[jumpHash(hash(address: address, userAgent: "Mozilla/5.0"), buckets: 4)] += 1
        }
        #expect(byName == [233, 270, 247, 250])
        #expect(byAddress == [272, 256, 229, 243])
        for share in byName + byAddress { #expect((213...287).contains(share)) }
    }
}
