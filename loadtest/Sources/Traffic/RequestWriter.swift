import CBytes

/// Where the next byte of a request goes. Copies run in whole steps: up to `slackBytes` beyond the
/// last byte are overwritten.
struct RequestWriter {
    static let slackBytes = 48
    var at: UnsafeMutablePointer<UInt8>

    init(_ start: UnsafeMutablePointer<UInt8>) { at = start }

    @inline(__always)
    mutating func append(_ segment: Segment) {
        cbytes_copy_literal(at, segment.bytes, segment.count)
        at += segment.count
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        at[0] = byte
        at += 1
    }

    @inline(__always)
    mutating func append(_ label: HitLabel) {
        label.write(to: at)
        at += HitLabel.textBytes
    }

    /// In decimal, without leading zeros.
    @inline(__always)
    mutating func append(_ value: UInt32) {
        var left = value
        var place = at + Self.digits(of: value)
        at = place
        while left >= 100 {
            place -= 2
            cbytes_two(left % 100, place)
            left /= 100
        }
        if left >= 10 {
            cbytes_two(left, place - 2)
        } else {
            place[-1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: left)
        }
    }

    @inline(__always)
    private static func digits(of value: UInt32) -> Int {
        if value < 100 { return value < 10 ? 1 : 2 }
        if value < 10_000 { return value < 1000 ? 3 : 4 }
        if value < 1_000_000 { return value < 100_000 ? 5 : 6 }
        if value < 100_000_000 { return value < 10_000_000 ? 7 : 8 }
        return value < 1_000_000_000 ? 9 : 10
    }

    /// Thirteen digits, the first not zero.
    @inline(__always)
    mutating func appendThirteenDigits(_ draw: UInt64) {
        at[0] = UInt8(ascii: "1") &+ UInt8(truncatingIfNeeded: (draw >> 40) % 9)
        cbytes_six(draw.lowHalf % 1_000_000, at + 1)
        cbytes_six(draw.highHalf % 1_000_000, at + 7)
        at += 13
    }

    @inline(__always)
    mutating func append(_ visitor: VisitorId) {
        withUnsafeBytes(of: visitor) {
            cbytes_uuid_text($0.baseAddress!.assumingMemoryBound(to: UInt8.self), at)
        }
        at += 36
    }
}

/// A version 4 UUID, as its 16 bytes lie in memory.
struct VisitorId {
    private let first: UInt64
    private let second: UInt64

    @inline(__always)
    init(_ first: UInt64, _ second: UInt64) {
        // Little-endian words: the version is the high half of byte 6, the variant the top of byte 8.
        self.first = (first & ~(0xf0 << 48) | 0x40 << 48).littleEndian
        self.second = (second & ~0xc0 | 0x80).littleEndian
    }
}
