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

    /// Reads `textBytes` bytes; nil when they are no label.
    @inline(__always)
    static func read(_ text: UnsafePointer<UInt8>) -> HitLabel? {
        guard text[8] == UInt8(ascii: "-") else { return nil }
        var run: UInt64 = 0
        var sequence: UInt64 = 0
        // The highest bit gathers whether any of them was no digit.
        var flaws: UInt64 = 0
        for at in 0..<8 {
            let digit = digit(text[at])
            flaws |= digit
            run = run << 4 | digit & 15
        }
        for at in 9..<textBytes {
            let digit = digit(text[at])
            flaws |= digit
            sequence = sequence << 4 | digit & 15
        }
        return flaws > 15
            ? nil : HitLabel(run: UInt32(truncatingIfNeeded: run), sequence: sequence)
    }

    /// The value of a hexadecimal digit, of either case; above 15 for any other byte.
    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt64 {
        let number = byte &- UInt8(ascii: "0")
        if number < 10 { return UInt64(number) }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? UInt64(letter) + 10 : 1 << 63
    }

    var text: String {
        String(unsafeUninitializedCapacity: Self.textBytes) { room in
            write(to: room.baseAddress!)
            return Self.textBytes
        }
    }

    @inline(__always)
    private static func hex(_ value: UInt64) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: value & 15)
        return digit < 10 ? digit &+ UInt8(ascii: "0") : digit &+ (UInt8(ascii: "a") - 10)
    }
}
