import Glibc

/// Takes text in pieces, cut anywhere, and tells of each row in it. A row is a line: as the spool,
/// objects and UNLOAD have them.
struct RowScanner: ~Copyable {
    /// Longer lines are passed over. Firehose's error objects hold a record, 1,000 KiB, in base64.
    static let lineBytesMax = 4 << 20
    /// Decoded at a time when a bad row's label is looked for.
    private static let sliceBytes = 4096
    /// No label with what surrounds it is longer; so much of a slice is looked at again.
    private static let overlapBytes = 64
    /// Shorter fields of a line cannot hold a label in base64.
    private static let base64BytesMin = 32

    /// Lines longer than `lineBytesMax`.
    private(set) var linesTooLong: UInt64 = 0
    /// Lines that are neither JSON nor hold a label: a CSV header, a manifest.
    private(set) var linesOfNoRow: UInt64 = 0

    private let base64 = Base64Decoder()
    private var decoded = ByteRoom(byteCount: overlapBytes + sliceBytes)
    /// The beginning of a line whose end has not come yet.
    private var begun = ByteRoom(byteCount: 64 << 10)
    private var begunBytes = 0
    private var isPassingOver = false

    init() {}

    /// - Parameter take: called with each row that ends in these bytes, or that ended before.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: (ScannedRow) -> Void) {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        var at = 0
        while at < bytes.count,
            let hit = memchr(base + at, Int32(UInt8(ascii: "\n")), bytes.count - at)
        {
            let end = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
            if begunBytes == 0, !isPassingOver {
                scanLine(base + at, end - at, take)
            } else {
                keep(base + at, end - at)
                endLine(take)
            }
            at = end + 1
        }
        if at < bytes.count { keep(base + at, bytes.count - at) }
    }

    /// The text is over: what has no line feed is a line too.
    mutating func finish(_ take: (ScannedRow) -> Void) { endLine(take) }

    /// The text was cut off: what has no line feed is no row.
    mutating func abandon() { (begunBytes, isPassingOver) = (0, false) }

    private mutating func keep(_ bytes: RowBytes, _ count: Int) {
        if begunBytes + count > Self.lineBytesMax { isPassingOver = true }
        if isPassingOver { return }
        begun.grow(to: begunBytes + count, keeping: begunBytes)
        (begun.base + begunBytes).update(from: bytes, count: count)
        begunBytes += count
    }

    private mutating func endLine(_ take: (ScannedRow) -> Void) {
        if isPassingOver { linesTooLong += 1 }
        let count = isPassingOver ? 0 : begunBytes
        abandon()
        if count > 0 { scanLine(RowBytes(begun.base), count, take) }
    }

    // MARK: One line

    private mutating func scanLine(
        _ line: RowBytes, _ count: Int, _ take: (ScannedRow) -> Void
    ) {
        if count == 0 || (count == 1 && line[0] == UInt8(ascii: "\r")) { return }
        if let label = RowText.label(line, count) {
            take(ScannedRow(label: label, id: RowText.id(line, count)))
        } else {
            scanUnlabelled(line, count, take)
        }
    }

    /// The fields of a row, as a table has them.
    /// - Parameter raw: the raw bytes of a bad row in base64; nil for a good row.
    mutating func scanFields(
        id: UnsafeBufferPointer<UInt8>, rest: UnsafeBufferPointer<UInt8>, isRaw: Bool
    ) -> ScannedRow {
        guard let text = rest.baseAddress else { return ScannedRow(isBad: isRaw) }
        let label =
            isRaw ? rawLabel(text, rest.count) : RowText.label(text, rest.count)
        guard let label else { return ScannedRow(isBad: isRaw) }
        return ScannedRow(label: label, id: Self.fold(id, else: rest), isBad: isRaw)
    }

    private static func fold(
        _ id: UnsafeBufferPointer<UInt8>, else rest: UnsafeBufferPointer<UInt8>
    ) -> UInt64 {
        if let text = id.baseAddress, id.count == RowID.textBytes { return RowID.fold(uuid: text) }
        if let text = id.baseAddress, id.count > 0 { return RowID.fold(text, id.count) }
        return RowID.fold(rest.baseAddress!, rest.count)
    }

    private mutating func scanUnlabelled(
        _ line: RowBytes, _ count: Int, _ take: (ScannedRow) -> Void
    ) {
        let isObject = line[0] == UInt8(ascii: "{")
        if let at = RowText.find("\"raw\":\"", rareAt: 3, line, count) {
            let label = rawLabel(line + at, count - at)
            take(
                ScannedRow(
                    label: label, id: label == nil ? 0 : RowText.id(line, count), isBad: true))
        } else if let at = RowText.find("\"rawData\":\"", rareAt: 4, line, count) {
            scanErrorRecord(line + at, count - at, take)
        } else if !isObject, let label = base64FieldLabel(line, count) {
            take(ScannedRow(label: label, id: RowText.id(line, count), isBad: true))
        } else if isObject {
            take(ScannedRow())
        } else {
            linesOfNoRow += 1
        }
    }

    /// Firehose's error objects hold in "rawData" the record that it could not deliver: rows.
    private func scanErrorRecord(
        _ text: RowBytes, _ count: Int, _ take: (ScannedRow) -> Void
    ) {
        let rows = ByteRoom(byteCount: count)
        let byteCount = base64.decode(text, count, into: rows.base)
        var inner = RowScanner()
        inner.feed(UnsafeRawBufferPointer(start: rows.base, count: byteCount), take)
        inner.finish(take)
    }

    /// The label in the raw bytes of a hit, given in base64.
    private mutating func rawLabel(_ text: RowBytes, _ count: Int) -> HitLabel? {
        var at = 0
        var kept = 0
        while at < count {
            // Whole groups of four digits, so that the next slice begins with one.
            let slice = min(count - at, Self.sliceBytes)
            let got = base64.decode(text + at, slice, into: decoded.base + kept)
            if let label = RowText.rawLabel(RowBytes(decoded.base), kept + got) { return label }
            if got < slice / 4 * 3 { return nil }
            at += slice
            let filled = kept + got
            kept = min(filled, Self.overlapBytes)
            decoded.base.update(from: decoded.base + (filled - kept), count: kept)
        }
        return nil
    }

    /// The label of a bad row in a line of CSV: in whichever field is base64.
    private mutating func base64FieldLabel(_ line: RowBytes, _ count: Int) -> HitLabel? {
        var at = 0
        while at < count {
            let start = at
            while at < count, base64.isDigit(line[at]) { at += 1 }
            if at - start >= Self.base64BytesMin,
                let label = rawLabel(line + start, at - start)
            {
                return label
            }
            at += 1
        }
        return nil
    }
}

/// Bytes that grow when they must.
struct ByteRoom: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var byteCount: Int

    init(byteCount: Int) {
        self.byteCount = max(byteCount, 64)
        base = .allocate(capacity: self.byteCount)
    }

    deinit { base.deallocate() }

    mutating func grow(to needed: Int, keeping kept: Int) {
        if needed <= byteCount { return }
        let larger = max(needed, 2 * byteCount)
        let other = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        other.update(from: base, count: kept)
        base.deallocate()
        (base, byteCount) = (other, larger)
    }
}
