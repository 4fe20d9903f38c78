import Core
import TestSupport
import Testing

/// What a hit says, copied out of its bytes.
struct ReadHit: Equatable {
    var route: UInt8 = 1
    var flags: UInt8 = 0
    var id = [UInt8](repeating: 0x5a, count: 16)
    var receivedAt: UInt64 = 0
    var address = [UInt8](0..<16)
    var target: [UInt8] = []
    var userAgent: [UInt8] = []
    var referer: [UInt8] = []
    var visitorCookie: [UInt8] = []

    init() {}

    init(_ hit: HitView) {
        (route, flags, receivedAt) = (hit.route, hit.flags, hit.receivedAtMicroseconds)
        id = Array(UnsafeBufferPointer(start: hit.id, count: 16))
        address = Array(UnsafeBufferPointer(start: hit.address, count: 16))
        (target, userAgent) = (Array(hit.target), Array(hit.userAgent))
        (referer, visitorCookie) = (Array(hit.referer), Array(hit.visitorCookie))
    }

    var byteCount: Int {
        HitLayout.byteCount(
            target: target.count, userAgent: userAgent.count, referer: referer.count,
            visitorCookie: visitorCookie.count)
    }

    /// Written into memory full of 0x5a, as the id's 16 bytes then remain.
    var written: [UInt8] {
        var bytes = [UInt8](repeating: 0x5a, count: byteCount)
        let count = bytes.withUnsafeMutableBytes { room in
            target.withUnsafeBytes { target in
                userAgent.withUnsafeBytes { userAgent in
                    referer.withUnsafeBytes { referer in
                        visitorCookie.withUnsafeBytes { cookie in
                            address.withUnsafeBufferPointer {
                                HitLayout.write(
                                    to: room.baseAddress!, route: route, flags: flags,
                                    receivedAtMicroseconds: receivedAt, address: $0.baseAddress!,
                                    requestTarget: target, userAgent: userAgent, referer: referer,
                                    visitorCookie: cookie)
                            }
                        }
                    }
                }
            }
        }
        precondition(count == byteCount)
        return bytes
    }
}

@Suite struct HitTests {
    private static let golden: [UInt8] =
        [
            0x4d, 0, 0, 0, 1, 1, 4, 0,  // 77 bytes, route, flags, four fields
            0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,  // id: not the writer's
            0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a,
            0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // received at
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,  // address
            1, 0, 6, 0,
        ] + Array("/p.gif".utf8) + [2, 0, 2, 0] + Array("UA".utf8) + [3, 0, 1, 0]
        + Array("r".utf8) + [4, 0, 4, 0] + Array("ck=1".utf8)

    private static let hit: ReadHit = {
        var hit = ReadHit()
        hit.flags = HitLayout.Flag.head
        hit.receivedAt = 0x0102_0304_0506_0708
        hit.target = Array("/p.gif".utf8)
        hit.userAgent = Array("UA".utf8)
        hit.referer = Array("r".utf8)
        hit.visitorCookie = Array("ck=1".utf8)
        return hit
    }()

    private func read(_ bytes: some Collection<UInt8>) -> (ReadHit, Int)? {
        GuardedBytes(capacity: bytes.count).holding(bytes) {
            HitView($0).map { (ReadHit($0), $0.byteCount) }
        }
    }

    @Test func `a hit is these bytes`() {
        #expect(Self.hit.written == Self.golden)
    }

    @Test func `a hit is read back as it was written, whatever follows it`() throws {
        for tail: [UInt8] in [[], [0], Self.golden] {
            let (hit, count) = try #require(read(Self.golden + tail))
            #expect(hit == Self.hit)
            #expect(count == Self.golden.count)
        }
    }

    @Test func `a hit cut anywhere is none`() {
        for cut in 0..<Self.golden.count where read(Self.golden[..<cut]) != nil {
            Issue.record("read a hit cut at \(cut)")
        }
    }

    @Test func `absent fields take no bytes and read as empty`() throws {
        var hit = ReadHit()
        #expect(hit.written.count == HitLayout.fixedBytes)
        #expect(try #require(read(hit.written)).0 == hit)
        hit.referer = [1, 2, 3]
        #expect(hit.written.count == HitLayout.fixedBytes + 7)
        #expect(try #require(read(hit.written)).0 == hit)
    }

    @Test func `fields of any size come through, up to a whole head's`() throws {
        var dice = SeededDice(seed: 0x4849_5453)
        for size in [1, 15, 16, 17, 255, 256, 4096, Limits.requestHeadBytesMax] {
            var hit = ReadHit()
            hit.target = (0..<size).map { _ in UInt8.random(in: 0...255, using: &dice) }
            hit.userAgent = Array(hit.target.prefix(200).reversed())
            #expect(try #require(read(hit.written)).0 == hit)
        }
    }

    @Test func `a field of a tag from the future is passed over`() throws {
        var bytes = Self.golden
        bytes += [0x2a, 0, 3, 0, 7, 7, 7]
        bytes[0] += 7
        bytes[6] += 1
        #expect(try #require(read(bytes)).0 == Self.hit)
    }

    @Test(
        arguments: [
            ("shorter than its fixed part", [0: 47]),
            ("longer than what is there", [0: 78]),
            ("shorter than its fields", [0: 76]),
            ("fewer fields than bytes", [6: 3]),
            ("more fields than bytes", [6: 5]),
            ("a field past the end", [50: 255]),
            ("a last field past the end", [71: 5]),
            ("a last field short of the end", [71: 3]),
        ] as [(String, [Int: UInt8])])
    func `a hit that contradicts itself is none`(_ how: String, _ changes: [Int: UInt8]) {
        var bytes = Self.golden
        for (at, byte) in changes { bytes[at] = byte }
        #expect(read(bytes) == nil, "\(how)")
    }

    @Test func `mutated hits are none, or hold together`() {
        var dice = SeededDice(seed: 0x4655_5a5a)
        var good = 0
        for _ in 0..<10_000 {
            var bytes = Self.golden + Self.golden
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                let at = Int.random(in: 0..<Self.golden.count, using: &dice)
                bytes[at] = [0, 1, 4, 0x7f, 0xff, UInt8.random(in: 0...255, using: &dice)]
                    .randomElement(using: &dice)!
            }
            guard let (hit, count) = read(bytes) else { continue }
            good += 1
            // Its parts lie within it: together they are no longer than the whole.
            if count > bytes.count || hit.byteCount > count { Issue.record("\(bytes)") }
        }
        #expect(good > 100)
    }

    @Test func `random bytes are none, or hold together`() {
        var dice = SeededDice(seed: 0x5241_4e44)
        for _ in 0..<10_000 {
            let size = Int.random(in: 0...128, using: &dice)
            var bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &dice) }
            if size > 8 { bytes[0...3] = [UInt8(size), 0, 0, 0]; bytes[7] = 0 }
            if let (hit, count) = read(bytes), count > size || hit.byteCount > count {
                Issue.record("\(bytes)")
            }
        }
    }
}

@Suite struct HitIdTests {
    private func next(_ generator: inout HitIdGenerator, at now: UInt64) -> (UInt64, UInt64) {
        var id: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &id) {
            generator.write(nowMicroseconds: now, to: $0.baseAddress!)
        }
        return (UInt64(bigEndian: id.0), UInt64(bigEndian: id.1))
    }

    private static let now: UInt64 = 1_700_000_000_123_456

    @Test func `an id is a UUID of version 7 with the clock's milliseconds in front`() {
        var generator = HitIdGenerator(seed: 1)
        for step in 0..<10_000 {
            let now = Self.now + UInt64(step) * 137
            let (high, low) = next(&generator, at: now)
            if high >> 16 != now / 1000 || high >> 12 & 0xf != 7 || low >> 62 != 2 {
                Issue.record("\(String(high, radix: 16)) \(String(low, radix: 16)) at \(now)")
            }
        }
    }

    @Test func `with a known seed the ids are these`() {
        var generator = HitIdGenerator(seed: 0)
        let ids = [Self.now, Self.now, Self.now + 1000, Self.now].map { next(&generator, at: $0) }
        #expect(
            ids.map(\.0) == [
                0x018b_cfe5_687b_7000, 0x018b_cfe5_687b_7001, 0x018b_cfe5_687c_7000,
                0x018b_cfe5_687c_7001,
            ])
        // SplitMix64 from seed 0 begins e220a8397b1dcdaf, 6e789e6aa1b965f4, …
        #expect(ids.map(\.1).prefix(2) == [0xb888_2a0e_5ec7_736b, 0x9b9e_279a_a86e_597d])
    }

    @Test func `the counter carries into the milliseconds`() {
        var generator = HitIdGenerator(seed: 2)
        var last: UInt64 = 0
        for index in 0..<(3 * 4096) {
            let (high, _) = next(&generator, at: Self.now)
            let milliseconds = Self.now / 1000 + UInt64(index / 4096)
            let expected = milliseconds << 16 | 0x7000 | UInt64(index % 4096)
            if high != expected { Issue.record("\(index): \(String(high, radix: 16))") }
            last = high
        }
        // The clock has not caught up yet: the run goes on above what was carried.
        #expect(next(&generator, at: Self.now + 1000).0 == last &+ 0x1_0000 &- 0xfff)
        #expect(next(&generator, at: Self.now + 9000).0 >> 16 == Self.now / 1000 + 9)
    }

    @Test func `a million ids rise and differ, though the clock stands still or goes back`() {
        var generator = HitIdGenerator(seed: 3)
        var dice = SeededDice(seed: 0x4944_5349)
        var now = Self.now
        var last: UInt64 = 0
        var randoms = Set<UInt64>(minimumCapacity: 1_000_000)
        var falls = 0
        for _ in 0..<1_000_000 {
            switch UInt8.random(in: 0...9, using: &dice) {
            case 0: now -= UInt64.random(in: 0...5_000_000, using: &dice)
            case 1...3: now += UInt64.random(in: 0...1_300_000, using: &dice)
            default: break
            }
            let (high, low) = next(&generator, at: now)
            if high <= last { falls += 1 }
            last = high
            randoms.insert(low)
        }
        #expect(falls == 0)
        #expect(randoms.count == 1_000_000)
    }

    @Test func `two processes in the same millisecond differ`() {
        var one = HitIdGenerator(seed: 4)
        var other = HitIdGenerator(seed: 5)
        for _ in 0..<1000 {
            let (a, b) = (next(&one, at: Self.now), next(&other, at: Self.now))
            #expect(a.0 == b.0)
            #expect(a.1 != b.1)
        }
    }
}
