import CBytes

/// Where the next byte of a request goes. Copies run in whole steps, so that few branches depend on
/// what is written: up to `slackBytes` beyond the last byte are overwritten.
struct RequestWriter {
    static let slackBytes = 64
    var at: UnsafeMutablePointer<UInt8>

    init(_ start: UnsafeMutablePointer<UInt8>) { at = start }

    /// A short text of a `ByteStore`, which has room behind each segment.
    @inline(__always)
    mutating func append(_ segment: Segment) {
        let from = UnsafeRawPointer(segment.bytes)
        let to = UnsafeMutableRawPointer(at)
        to.storeBytes(of: from.loadUnaligned(as: SIMD32<UInt8>.self), as: SIMD32<UInt8>.self)
        var done = 32
        while done < segment.count {
            to.storeBytes(
                of: from.loadUnaligned(fromByteOffset: done, as: SIMD64<UInt8>.self),
                toByteOffset: done, as: SIMD64<UInt8>.self)
            done &+= 64
        }
        at += segment.count
    }

    /// The same for texts that are mostly longer than 32 bytes.
    @inline(__always)
    mutating func appendLong(_ segment: Segment) {
        let from = UnsafeRawPointer(segment.bytes)
        let to = UnsafeMutableRawPointer(at)
        var done = 0
        repeat {
            to.storeBytes(
                of: from.loadUnaligned(fromByteOffset: done, as: SIMD64<UInt8>.self),
                toByteOffset: done, as: SIMD64<UInt8>.self)
            done &+= 64
        } while done < segment.count
        at += segment.count
    }

    /// Goes back where something is not to be there after all: writing in vain is cheaper than a
    /// branch that goes either way.
    @inline(__always)
    mutating func keep(_ isKept: Bool, from start: UnsafeMutablePointer<UInt8>) {
        let written = at - start
        at = start + (written & (isKept ? -1 : 0))
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

    /// In decimal, without leading zeros: below 100,000,000.
    @inline(__always)
    mutating func append(_ value: UInt32) {
        let digits = Self.eightDigits(value)
        // The first digit is the lowest byte; the last stays, even if it is zero.
        let zeros = (digits | 1 << 56).trailingZeroBitCount & ~7
        UnsafeMutableRawPointer(at).storeBytes(
            of: (digits | 0x3030_3030_3030_3030) >> UInt64(zeros), as: UInt64.self)
        at += 8 &- zeros / 8
    }

    /// The decimal digits of a number below 100,000,000, a byte each, the first in the lowest:
    /// divisions by 10,000, 100 and 10 of all parts at once.
    @inline(__always)
    private static func eightDigits(_ value: UInt32) -> UInt64 {
        let halves = UInt64(value / 10_000) | UInt64(value % 10_000) << 32
        let hundreds = (halves &* 10_486) >> 20 & 0x7f_0000_007f
        let pairs = hundreds | (halves &- 100 &* hundreds) << 16
        let tens = (pairs &* 103) >> 10 & 0x000f_000f_000f_000f
        return tens | (pairs &- 10 &* tens) << 8
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
