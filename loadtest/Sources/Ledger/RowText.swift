import Glibc

/// Finds a row's label and id in its text, whatever has become of it on its way: a row as Hydrant
/// wrote it, its catch-all as an escaped string, or a line of CSV.
enum RowText {
    /// The label of a good row: the value of the key "_hl".
    ///
    ///     "extra":{"_hl":"…"}         as written; or an array, of which the first counts
    ///     "extra":"{\"_hl\":\"…\"}"   a string
    ///     "{""_hl"":""…""}"           CSV
    ///
    /// The first form is preferred: the others may also be a text that a page sent.
    static func label(_ row: RowBytes, _ count: Int) -> HitLabel? {
        var quoted: HitLabel?
        var at = 1
        while let found = key(row, count, from: at) {
            at = found + 3
            guard row[found - 1] == UInt8(ascii: "\""),
                let label = value(row, count, ofKeyEndingAt: at)
            else { continue }
            let isPlain = found < 2 || !isQuoting(row[found - 2])
            if isPlain { return label }
            if quoted == nil { quoted = label }
        }
        return quoted
    }

    /// The label in raw bytes of a hit: a parameter of a query or a form, or the key of a JSON body.
    static func rawLabel(_ raw: RowBytes, _ count: Int) -> HitLabel? {
        var at = 0
        while let found = key(raw, count, from: at) {
            at = found + 3
            // "x_hl" is another parameter.
            if found > 0, isNameByte(raw[found - 1]) { continue }
            if raw[at] == UInt8(ascii: "=") {
                guard at + 1 + HitLabel.textBytes <= count,
                    let label = HitLabel.read(raw + at + 1)
                else { continue }
                return label
            }
            if let label = value(raw, count, ofKeyEndingAt: at) { return label }
        }
        return nil
    }

    /// Where "_hl" is, with at least one byte behind it.
    @inline(__always)
    private static func key(_ text: RowBytes, _ count: Int, from start: Int) -> Int? {
        var at = start
        while at + 3 < count, let hit = memchr(text + at, Int32(UInt8(ascii: "_")), count - at - 3)
        {
            let found = UnsafeRawPointer(hit) - UnsafeRawPointer(text)
            if text[found + 1] == UInt8(ascii: "h"), text[found + 2] == UInt8(ascii: "l") {
                return found
            }
            at = found + 1
        }
        return nil
    }

    /// What follows the name of a JSON key: quotes, ':', perhaps '[', quotes, label, a quote.
    private static func value(
        _ text: RowBytes, _ count: Int, ofKeyEndingAt end: Int
    ) -> HitLabel? {
        var at = end
        while at < count, isQuoting(text[at]) { at += 1 }
        guard at > end, at < count, text[at] == UInt8(ascii: ":") else { return nil }
        at += 1
        while at < count,
            isQuoting(text[at]) || text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "[")
        { at += 1 }
        guard isQuoting(text[at - 1]), at + HitLabel.textBytes < count,
            isQuoting(text[at + HitLabel.textBytes])
        else { return nil }
        return HitLabel.read(text + at)
    }

    @inline(__always)
    private static func isQuoting(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    @inline(__always)
    private static func isNameByte(_ byte: UInt8) -> Bool {
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
    }

    // MARK: The id

    /// Stands for the row's id: the value of "id", else the first UUID, else the whole row.
    static func id(_ row: RowBytes, _ count: Int) -> UInt64 {
        // `{"id":"` in front, as Hydrant's own schema has it.
        if count > 7 + RowID.textBytes, memcmp(row, "{\"id\":\"", 7) == 0,
            row[7 + RowID.textBytes] == UInt8(ascii: "\"")
        {
            return RowID.fold(uuid: row + 7)
        }
        if let at = find("\"id\":\"", rareAt: 2, row, count), at + RowID.textBytes < count,
            RowID.isUUID(row + at)
        {
            return RowID.fold(uuid: row + at)
        }
        if let at = firstUUID(row, count) { return RowID.fold(uuid: row + at) }
        return RowID.fold(row, count)
    }

    private static func firstUUID(_ text: RowBytes, _ count: Int) -> Int? {
        var at = 8
        while at + 28 <= count, let hit = memchr(text + at, Int32(UInt8(ascii: "-")), count - at) {
            let dash = UnsafeRawPointer(hit) - UnsafeRawPointer(text)
            guard dash + 28 <= count else { return nil }
            if RowID.isUUID(text + dash - 8) { return dash - 8 }
            at = dash + 1
        }
        return nil
    }

    /// Where the bytes after the first `needle` begin. The search is for one of its bytes, which is
    /// quick when that one is rare in the text.
    static func find(
        _ needle: StaticString, rareAt: Int, _ text: RowBytes, _ count: Int
    ) -> Int? {
        let length = needle.utf8CodeUnitCount
        let rare = Int32(needle.utf8Start[rareAt])
        var at = rareAt
        while at < count, let hit = memchr(text + at, rare, count - at) {
            let start = UnsafeRawPointer(hit) - UnsafeRawPointer(text) - rareAt
            if start + length > count { return nil }
            if memcmp(text + start, needle.utf8Start, length) == 0 { return start + length }
            at = start + rareAt + 1
        }
        return nil
    }
}
