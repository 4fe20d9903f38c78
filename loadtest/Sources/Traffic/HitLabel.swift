/// The mark a request carries so that its row can be found again: `_hl=RRRRRRRR-SSSSSSSSSS`, run and
/// sequence number in hexadecimal of fixed width. The schema's catch-all keeps it in the row; a bad
/// row has it in its raw bytes.
struct HitLabel: Hashable, Sendable {
    static let parameter = "_hl"
    static let textBytes = 19
    /// Ten hexadecimal digits.
    static let sequenceMax: UInt64 = 1 << 40 - 1

    var run: UInt32
    /// 0, 1, 2 … over all threads of the run, in the order they are due.
    var sequence: UInt64

    /// Writes `textBytes` bytes.
    @inline(__always)
    func write(to out: UnsafeMutablePointer<UInt8>) {
        for digit in 0..<8 { out[digit] = Self.hex(UInt64(run) >> UInt64(28 - 4 * digit)) }
        out[8] = UInt8(ascii: "-")
        for digit in 0..<10 { out[9 + digit] = Self.hex(sequence >> UInt64(36 - 4 * digit)) }
    }

    @inline(__always)
    private static func hex(_ value: UInt64) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: value & 15)
        return digit < 10 ? digit &+ UInt8(ascii: "0") : digit &+ (UInt8(ascii: "a") - 10)
    }
}
