import Synchronization

/// Short texts of a counter page, for what no number says: why a lane is not delivering, or the
/// spool not taking hits.
///
///     offset 0   UInt64  sequence: odd while the text is being written
///     offset 8   504 B   UTF-8, ended by the first zero byte
///
/// A seqlock with one writer. A reader that meets an odd or changing sequence tries again; a
/// process that died while writing leaves it odd, and the text reads as absent.
public enum CounterText: Int, CaseIterable, Sendable {
    case goodDeliveryError
    case badDeliveryError
    /// Why the process ends, written by itself just before.
    case lastWords
    case spoolError

    public static let byteCount = 512
    public static let utf8BytesMax = byteCount - 8
    static let words = utf8BytesMax / 8
    /// The end of the page: counters grow towards it.
    public static let offset = CounterPage.textsOffset

    var offset: Int { Self.offset + rawValue * Self.byteCount }
}

extension CounterPage {
    /// Writes a text; one that does not fit is cut at a character, and ends with "…". Allocates
    /// nothing; for rare events all the same, each call costs a store for each eight bytes of room.
    public func write(_ text: CounterText, _ utf8: UnsafeRawBufferPointer) {
        let sequence = textWords(text)
        let words = sequence + 1
        let fits = utf8.count <= CounterText.utf8BytesMax
        let count = fits ? utf8.count : Self.wholeCharacters(utf8, max: Self.cutBytesMax)
        let before = sequence.pointee.load(ordering: .relaxed) | 1
        sequence.pointee.store(before, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        for index in 0..<CounterText.words {
            var word: UInt64 = 0
            for byte in 0..<8 {
                let at = index * 8 + byte
                if at < count {
                    word |= UInt64(utf8[at]) << (UInt64(byte) * 8)
                } else if !fits, at < count + Self.ellipsisBytes {
                    word |= (Self.ellipsis >> (UInt64(at - count) * 8) & 0xFF) << (UInt64(byte) * 8)
                }
            }
            words[index].store(word.littleEndian, ordering: .relaxed)
        }
        sequence.pointee.store(before &+ 1, ordering: .releasing)
    }

    public func write(_ text: CounterText, _ string: String) {
        var string = string
        string.withUTF8 { write(text, UnsafeRawBufferPointer($0)) }
    }

    /// The text, or "" when there is none or its writer was interrupted for good. What is not
    /// UTF-8 is repaired: the writer is another process.
    public func text(_ text: CounterText) -> String {
        let sequence = textWords(text)
        for _ in 0..<8 {
            let before = sequence.pointee.load(ordering: .acquiring)
            if before % 2 == 1 { continue }
            let bytes = textBytes(sequence + 1)
            atomicMemoryFence(ordering: .acquiring)
            if sequence.pointee.load(ordering: .relaxed) == before {
                return String(decoding: bytes, as: UTF8.self)
            }
        }
        return ""
    }

    private func textBytes(_ words: UnsafeMutablePointer<Atomic<UInt64>>) -> [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<CounterText.words {
            let word = UInt64(littleEndian: words[index].load(ordering: .relaxed))
            for byte in 0..<8 {
                let value = UInt8(truncatingIfNeeded: word >> (UInt64(byte) * 8))
                if value == 0 { return bytes }
                bytes.append(value)
            }
        }
        return bytes
    }

    private func textWords(_ text: CounterText) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (base + text.offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// "…" in UTF-8, its first byte lowest.
    private static let ellipsis: UInt64 = 0xA680E2
    private static let ellipsisBytes = 3
    private static let cutBytesMax = CounterText.utf8BytesMax - ellipsisBytes

    /// The longest prefix of at most `max` bytes that ends with a whole character, of a longer text.
    private static func wholeCharacters(_ utf8: UnsafeRawBufferPointer, max: Int) -> Int {
        var count = max
        while count > 0, utf8[count] & 0xC0 == 0x80 { count -= 1 }
        return count
    }
}
