import Core
import TestSupport
import Testing

@Suite struct FrameHeaderTests {
    private static let header = FrameHeader(
        byteCount: 0x1234, kind: .hits, hitCount: 0x0100,
        origin: Origin(slot: 0x0a0b, incarnation: 0x1122_3344_5566_7788),
        sequence: 0x99aa_bbcc_ddee_ff01)
    private static let golden: [UInt8] = [
        0x34, 0x12, 0x00, 0x00, 0x01, 0x01, 0x00, 0x01,  // length, version, kind, hits
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  // incarnation
        0x01, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99,  // sequence
        0x0b, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // slot, zero
    ]

    private func read(_ bytes: [UInt8]) throws -> FrameHeader {
        try GuardedBytes(capacity: bytes.count).holding(bytes) {
            try FrameHeader.read($0.baseAddress!)
        }
    }

    /// The golden header with some bytes changed.
    private func read(changing changes: [Int: UInt8]) throws -> FrameHeader {
        var bytes = Self.golden
        for (at, byte) in changes { bytes[at] = byte }
        return try read(bytes)
    }

    @Test func `a header is these bytes, whatever lay there before`() {
        for filler: UInt8 in [0, 0xff] {
            var bytes = [UInt8](repeating: filler, count: FrameHeader.byteCount)
            bytes.withUnsafeMutableBytes { Self.header.write(to: $0.baseAddress!) }
            #expect(bytes == Self.golden)
        }
    }

    @Test func `a header is read back as it was written`() throws {
        #expect(try read(Self.golden) == Self.header)
    }

    @Test func `another version or kind is refused by name`() {
        #expect(throws: FrameHeader.Flaw.version(2)) { try read(changing: [4: 2]) }
        #expect(throws: FrameHeader.Flaw.version(0)) { try read(changing: [4: 0]) }
        #expect(throws: FrameHeader.Flaw.kind(0)) { try read(changing: [5: 0]) }
        #expect(throws: FrameHeader.Flaw.kind(5)) { try read(changing: [5: 5]) }
    }

    @Test func `a lone or opaque frame has one hit`() throws {
        #expect(try read(changing: [5: 3, 6: 1, 7: 0]).kind == .opaque)
        #expect(try read(changing: [5: 4, 6: 1, 7: 0]).kind == .lone)
        for kind: UInt8 in [3, 4] {
            #expect(throws: FrameHeader.Flaw.hitCount(2)) {
                try read(changing: [5: kind, 6: 2, 7: 0])
            }
        }
    }

    @Test func `every number is held to its limit`() throws {
        // 64 KiB and 256 hits are the most, a header and something the least.
        #expect(try read(changing: [0: 0, 1: 0, 2: 1]).byteCount == 65_536)
        #expect(throws: FrameHeader.Flaw.byteCount(65_537)) {
            try read(changing: [0: 1, 1: 0, 2: 1])
        }
        #expect(throws: FrameHeader.Flaw.byteCount(.max)) {
            try read(changing: [0: 255, 1: 255, 2: 255, 3: 255])
        }
        #expect(throws: FrameHeader.Flaw.byteCount(32)) { try read(changing: [0: 32, 1: 0]) }
        #expect(throws: FrameHeader.Flaw.byteCount(0)) { try read(changing: [0: 0, 1: 0]) }
        #expect(throws: FrameHeader.Flaw.hitCount(0)) { try read(changing: [6: 0, 7: 0]) }
        #expect(throws: FrameHeader.Flaw.hitCount(257)) { try read(changing: [6: 1, 7: 1]) }
    }

    @Test func `an ack is exactly one verdict a hit`() throws {
        #expect(try read(changing: [0: 35, 1: 0, 5: 2, 6: 3, 7: 0]).kind == .ack)
        for count: UInt8 in [33, 34, 36, 64] {
            #expect(throws: FrameHeader.Flaw.byteCount(UInt32(count))) {
                try read(changing: [0: count, 1: 0, 5: 2, 6: 3, 7: 0])
            }
        }
    }

    @Test func `random headers are refused or come out within every limit`() {
        var dice = SeededDice(seed: 0x4652_414d)
        var good = 0
        for round in 0..<8_000 {
            var bytes = (0..<FrameHeader.byteCount).map { _ in
                UInt8.random(in: 0...255, using: &dice)
            }
            if round % 2 == 0 { bytes[2...5] = [0, 0, 1, UInt8.random(in: 1...3, using: &dice)] }
            guard let header = try? read(bytes) else { continue }
            good += 1
            var again = [UInt8](repeating: 0, count: FrameHeader.byteCount)
            again.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
            if again[..<26] != bytes[..<26] || header.byteCount > Limits.frameBytesMax
                || header.hitCount > Limits.frameHitsMax
            {
                Issue.record("\(bytes) read as \(header)")
            }
        }
        #expect(good > 5)
    }

    @Test func `the numbers on the wire are these`() {
        #expect(Verdict.good.rawValue == 1)
        #expect(Verdict.bad.rawValue == 2)
        #expect(Verdict.refused.rawValue == 3)
        #expect(FrameHeader.byteCount == 32)
        // A hit of the largest request head fits a frame with room to spare.
        let largest = HitLayout.byteCount(
            target: Limits.requestHeadBytesMax, userAgent: 1, referer: 1, visitorCookie: 1)
        #expect(FrameHeader.byteCount + largest < Limits.frameBytesMax)
    }
}
