import Core
import Platform

/// Names in a spool, as the workers give them.
enum SpoolNames {
    static func shard(ofFolder name: String) -> UInt16? {
        name.hasPrefix("shard-") ? UInt16(name.dropFirst(6)) : nil
    }

    /// "0000000000000001.segment"
    static func segment(ofFile name: String) -> UInt64? {
        let digits = name.prefix(16)
        guard name.utf8.count == 24, name.hasSuffix(".segment"),
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return UInt64(digits)
    }
}

/// What the spool holds: the records that the cursor has not passed.
extension EvidenceReader {
    func readSpool(_ folder: String) {
        let shards = FileKind.folders(in: folder).compactMap(SpoolNames.shard(ofFolder:))
        for shard in shards.sorted() { readShard("\(folder)/shard-\(shard)") }
    }

    /// The good lane first: a row that moves from one lane to the other goes that way.
    func readShard(_ folder: String) {
        guard let shard = SpoolNames.shard(ofFolder: FileKind.lastComponent(folder)) else { return }
        for lane in SpoolLaneName.allCases {
            readLane("\(folder)/\(lane.folder)", lane, shard: shard)
        }
        readRefused("\(folder)/quarantine")
    }

    /// Rows that even the bad stream refuses: files of the quarantine.
    private func readRefused(_ folder: String) {
        for entry in (try? Files.list(folder)) ?? [] where entry.name.hasSuffix(".refused") {
            let path = "\(folder)/\(entry.name)"
            do throws(Failure) {
                let bytes = try SmallFile.read(path, byteCountMax: 64 << 20)
                var scanner = RowScanner()
                let join = self.join
                bytes.withUnsafeBytes { scanner.feed($0) { join.take($0, from: .waiting) } }
                scanner.finish { join.take($0, from: .waiting) }
                didRead(UInt64(bytes.count))
            } catch { didFail(path, error.reason) }
        }
    }

    /// The cursor first, then the list of segments: what leaves the lane meanwhile was delivered and
    /// is found there.
    private func readLane(_ folder: String, _ lane: SpoolLaneName, shard: UInt16) {
        let from = cursor(folder, lane, shard: shard)
        var segments: [UInt64] = []
        var setAside = 0
        do throws(Failure) {
            for entry in try Files.list(folder) {
                if let number = SpoolNames.segment(ofFile: entry.name) { segments.append(number) }
                if entry.name.contains(".segment.") { setAside += 1 }
            }
        } catch {
            if !error.isAbsent { didFail(folder, error.reason) }
            return
        }
        if setAside > 0 { notes.append("\(folder): \(setAside) segments set aside are not read") }
        segments.sort()
        for number in segments where number >= from.segment {
            readSegment(
                "\(folder)/\(name(of: number))",
                from: number == from.segment ? from.offset : 0,
                isLast: number == segments.last)
        }
    }

    private func name(of segment: UInt64) -> String {
        let digits = String(segment)
        return String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits + ".segment"
    }

    /// Where the lane is delivered to; the beginning, when there is no valid cursor.
    private func cursor(_ folder: String, _ lane: SpoolLaneName, shard: UInt16) -> SpoolPosition {
        let bytes = ByteRoom(byteCount: SpoolCursor.fileBytes)
        bytes.base.initialize(repeating: 0, count: SpoolCursor.fileBytes)
        if let file = try? Files.open(folder + "/cursor") {
            _ = try? Files.read(file, into: bytes.base, count: SpoolCursor.fileBytes, at: 0)
            Files.close(file)
        }
        return SpoolCursor.choose(bytes.base, lane: lane, shard: shard)?.cursor.position
            ?? SpoolPosition(segment: 0, offset: 0)
    }

    private func readSegment(_ path: String, from offset: UInt64, isLast: Bool) {
        do throws(Failure) {
            var reader = try SegmentScan(path: path, from: offset)
            guard isNew(reader.file) else { return }
            var scanner = RowScanner()
            let join = self.join
            while let payload = try reader.next() {
                scanner.feed(payload) { join.take($0, from: .waiting) }
                scanner.finish { join.take($0, from: .waiting) }
            }
            if reader.damagedBytes > 0 {
                notes.append("\(path): \(reader.damagedBytes) bytes are damaged, passed over")
            }
            if reader.tornBytes > 0, !isLast {
                notes.append("\(path): its last \(reader.tornBytes) bytes are no whole record")
            }
            didRead(reader.bytesRead)
        } catch {
            // It was delivered, and removed, since the folder was listed.
            if !error.isAbsent { didFail(path, error.reason) }
        }
    }
}

/// The whole records of one segment, in order, past what is damaged.
struct SegmentScan: ~Copyable {
    private static let readBytes = 256 << 10

    let file: Int32
    /// Bytes between whole records, and after the last one.
    private(set) var damagedBytes: UInt64 = 0
    private(set) var tornBytes: UInt64 = 0
    private(set) var bytesRead: UInt64 = 0
    private var room = ByteRoom(byteCount: readBytes)
    /// The file from `offset` on.
    private var offset: UInt64
    private var at = 0
    private var filled = 0
    private var sinceWhole: UInt64 = 0

    init(path: String, from offset: UInt64) throws(Failure) {
        file = try Files.open(path)
        self.offset = max(offset, UInt64(SegmentHead.byteCount))
    }

    deinit { Files.close(file) }

    /// The rows of the next whole record, valid until the next call; nil at the end.
    mutating func next() throws(Failure) -> UnsafeRawBufferPointer? {
        let headerBytes = SpoolRecordHeader.byteCount
        while try load(headerBytes) >= headerBytes {
            if let header = SpoolRecordHeader.read(room.base + at),
                try load(header.recordBytes) >= header.recordBytes,
                SpoolRecordHeader.isWhole(room.base + at, byteCount: header.recordBytes)
            {
                damagedBytes += sinceWhole
                sinceWhole = 0
                let payload = UnsafeRawBufferPointer(
                    start: room.base + at + headerBytes, count: Int(header.payloadBytes))
                at += header.recordBytes
                return payload
            }
            skipToMagic()
        }
        tornBytes = sinceWhole + UInt64(filled - at)
        return nil
    }

    /// To the next magic in what is loaded, or so near its end that one may begin there.
    private mutating func skipToMagic() {
        let rest = UnsafeRawBufferPointer(start: room.base + at + 1, count: filled - at - 1)
        let skipped = 1 + (SpoolRecordHeader.firstMagic(in: rest) ?? max(0, rest.count - 3))
        at += skipped
        sinceWhole += UInt64(skipped)
    }

    /// Makes at least `count` bytes lie at `at`, unless the file ends before. Answers how many do.
    private mutating func load(_ count: Int) throws(Failure) -> Int {
        if filled - at >= count { return filled - at }
        room.base.update(from: room.base + at, count: filled - at)
        offset += UInt64(at)
        filled -= at
        at = 0
        room.grow(to: count, keeping: filled)
        let got = try Files.read(
            file, into: room.base + filled, count: room.byteCount - filled,
            at: offset + UInt64(filled))
        filled += got
        bytesRead += UInt64(got)
        return filled
    }
}
