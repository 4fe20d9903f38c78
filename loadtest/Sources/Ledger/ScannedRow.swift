/// What the join needs to know of a row.
struct ScannedRow: Equatable {
    /// Nil: not of a run that keeps a ledger.
    var label: HitLabel?
    /// Stands for the row's id: the same of a row that comes again, another of any other row of
    /// the same label (64 bits of hash). Of no meaning without a label.
    var id: UInt64 = 0
    /// Its label is in its raw bytes: a bad row.
    var isBad = false
}

/// Where a row was found.
enum RowPlace: Int, CaseIterable {
    /// In the spool, or in a buffer of the local Firehose: it has not arrived yet.
    case waiting
    case objects
    case warehouse
}

typealias RowBytes = UnsafePointer<UInt8>

/// Folds ids, so that eight bytes stand for one.
enum RowID {
    static let textBytes = 36

    /// Of a UUID's text, of either case.
    @inline(__always)
    static func fold(uuid text: RowBytes) -> UInt64 {
        // Digits and '-' have the bit of lower case already.
        let lower: UInt64 = 0x2020_2020_2020_2020
        let text = UnsafeRawPointer(text)
        @inline(__always) func word(_ offset: Int) -> UInt64 {
            text.loadUnaligned(fromByteOffset: offset, as: UInt64.self) | lower
        }
        return mix(mix(mix(mix(word(0), word(8)), word(16)), word(24)), word(28))
    }

    /// Of a row without an id, or any other text: a row that is sent again is the same to the byte.
    static func fold(_ text: RowBytes, _ count: Int) -> UInt64 {
        let bytes = UnsafeRawPointer(text)
        var folded = UInt64(count)
        var at = 0
        while at + 8 <= count {
            folded = mix(folded, bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        var rest: UInt64 = 0
        while at < count {
            rest = rest << 8 | UInt64(text[at])
            at += 1
        }
        return mix(folded, rest)
    }

    @inline(__always)
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = (a ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: b ^ 0xBF58_476D_1CE4_E5B9)
        return (product.high ^ product.low) &+ a.byteSwapped
    }

    /// Whether 36 bytes are a UUID's text.
    @inline(__always)
    static func isUUID(_ text: RowBytes) -> Bool {
        for at in [8, 13, 18, 23] where text[at] != UInt8(ascii: "-") { return false }
        for at in 0..<textBytes where at != 8 && at != 13 && at != 18 && at != 23 {
            let letter = (text[at] | 0x20) &- UInt8(ascii: "a")
            guard text[at] &- UInt8(ascii: "0") < 10 || letter < 6 else { return false }
        }
        return true
    }
}
