import Platform

/// Reads the entries of one ledger file from the front, past what is damaged.
///
/// Blocks of several writers may lie out of step when one was cut short by a full disk. An entry
/// contains its own check, so after a bad one reading goes on at the next offset that holds a good
/// one.
struct LedgerReader: ~Copyable {
    private static let bufferBytes = 1 << 20

    private(set) var entries: UInt64 = 0
    /// Bytes between good entries that were none.
    private(set) var damagedBytes: UInt64 = 0
    /// Bytes after the last whole entry: a write that was cut short.
    private(set) var tornBytes: UInt64 = 0

    /// - Parameter didRead: bytes of the file, a piece at a time.
    /// - Parameter take: each good entry.
    mutating func read(
        path: String, didRead: (UInt64) -> Void, take: (LedgerEntry) -> Void
    ) throws(LedgerFailure) {
        let file = try LedgerFile.open(path)
        defer { Files.close(file) }
        let buffer = UnsafeMutableRawPointer.allocate(
            byteCount: Self.bufferBytes, alignment: 64)
        defer { buffer.deallocate() }
        var offset = UInt64(LedgerHeader.byteCount)
        var kept = 0
        while true {
            let got = try Self.fill(file, buffer + kept, Self.bufferBytes - kept, offset, path)
            offset += UInt64(got)
            let filled = kept + got
            let used = scan(UnsafeRawBufferPointer(start: buffer, count: filled), take)
            kept = filled - used
            if got == 0 {
                tornBytes = UInt64(kept)
                return
            }
            buffer.copyMemory(from: buffer + used, byteCount: kept)
            didRead(UInt64(got))
        }
    }

    private static func fill(
        _ file: Int32, _ room: UnsafeMutableRawPointer, _ count: Int, _ offset: UInt64,
        _ path: String
    ) throws(LedgerFailure) -> Int {
        do throws(Failure) {
            return try Files.read(file, into: room, count: count, at: offset)
        } catch {
            throw LedgerFailure(
                message: "--ledger \(path): cannot be read at byte \(offset): \(error.reason)",
                hint: "copy what can be read to another disk and name the copy")
        }
    }

    /// Takes what is there; what is left is less than an entry.
    private mutating func scan(
        _ bytes: UnsafeRawBufferPointer, _ take: (LedgerEntry) -> Void
    ) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var at = 0
        while at + LedgerEntry.byteCount <= bytes.count {
            if let entry = LedgerEntry.read(base + at) {
                entries += 1
                take(entry)
                at += LedgerEntry.byteCount
            } else {
                let next = Self.afterDamage(bytes, at)
                damagedBytes += UInt64(next - at)
                at = next
            }
        }
        return at
    }

    /// Mostly one entry is damaged and the next is in step.
    private static func afterDamage(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        let inStep = at + LedgerEntry.byteCount
        if inStep + LedgerEntry.byteCount <= bytes.count,
            LedgerEntry.read(bytes.baseAddress! + inStep) != nil
        {
            return inStep
        }
        var next = at + 1
        while next + LedgerEntry.byteCount <= bytes.count,
            LedgerEntry.read(bytes.baseAddress! + next) == nil
        { next += 1 }
        return next
    }
}
