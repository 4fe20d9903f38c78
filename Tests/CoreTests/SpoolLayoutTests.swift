import TestSupport
import Testing

@testable import Core

@Suite struct SpoolRecordHeaderTests {
    static let header = SpoolRecordHeader(
        kind: .moved, hitCount: 0x0201, payloadBytes: 9,
        origin: Origin(slot: 0x1211, incarnation: 0x1817_1615_1413_1211),
        sequence: 0x2827_2625_2423_2221, cumulativeHits: 0x0007_0605_0403_0201,
        receivedAtMicroseconds: 0x3837_3635_3433_3231)
    static let payload = Array("{\"a\": 1}\n".utf8)

    static func record() -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: SpoolRecordHeader.byteCount) + payload
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        return bytes
    }

    @Test func `the layout is these bytes`() {
        #expect(
            hex(Self.record()) == "4800ff52" + "01" + "02" + "0102" + "09000000" + "ea9cfecd"
                + "1112131415161718" + "2122232425262728" + "0102030405060700"
                + "3132333435363738" + "1112" + "000000000000" + hex(Self.payload))
    }

    @Test func `what is written is read back`() {
        let record = Self.record()
        record.withUnsafeBytes { bytes in
            #expect(SpoolRecordHeader.read(bytes.baseAddress!) == Self.header)
            #expect(SpoolRecordHeader.isWhole(bytes.baseAddress!, byteCount: bytes.count))
        }
    }

    @Test func `no flipped bit goes unnoticed`() {
        for bit in 0..<Self.record().count * 8 {
            var record = Self.record()
            record[bit / 8] ^= 1 << (bit % 8)
            record.withUnsafeBytes { bytes in
                guard let header = SpoolRecordHeader.read(bytes.baseAddress!) else { return }
                #expect(
                    header.recordBytes != bytes.count
                        || !SpoolRecordHeader.isWhole(bytes.baseAddress!, byteCount: bytes.count),
                    "bit \(bit)")
            }
        }
    }

    @Test func `limits are kept`() {
        func isRead(_ change: (inout SpoolRecordHeader) -> Void) -> Bool {
            var header = Self.header
            change(&header)
            var bytes = [UInt8](repeating: 0, count: SpoolRecordHeader.payloadBytesMax + 100)
            return bytes.withUnsafeMutableBytes {
                header.write(to: $0.baseAddress!)
                return SpoolRecordHeader.read($0.baseAddress!) != nil
            }
        }
        let max = UInt32(SpoolRecordHeader.payloadBytesMax)
        #expect(isRead { $0.payloadBytes = max })
        #expect(!isRead { $0.payloadBytes = max + 1 })
        #expect(!isRead { $0.payloadBytes = 0 })
        #expect(!isRead { $0.hitCount = 0 })
        #expect(isRead { $0.cumulativeHits = UInt64($0.hitCount) })
        #expect(!isRead { $0.cumulativeHits = UInt64($0.hitCount) - 1 })
        #expect(!isRead { $0.cumulativeHits = 1 << 60 })
    }

    @Test func `noise is neither a header nor a crash`() {
        var random = SeededDice(seed: 56)
        for _ in 0..<20_000 {
            var bytes = (0..<SpoolRecordHeader.byteCount).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Half of the time noise behind a right beginning.
            if Bool.random(using: &random) {
                bytes.replaceSubrange(0..<6, with: [0x48, 0, 0xFF, 0x52, 1, 1])
            }
            bytes.withUnsafeBytes {
                guard let header = SpoolRecordHeader.read($0.baseAddress!) else { return }
                #expect(
                    header.recordBytes <= SpoolRecordHeader.byteCount
                        + SpoolRecordHeader.payloadBytesMax)
                #expect(UInt64(header.hitCount) <= header.cumulativeHits)
            }
        }
    }

    @Test(arguments: 0..<40)
    func `a magic is found wherever it lies`(place: Int) {
        var bytes = [UInt8](repeating: 0x48, count: 44)
        bytes.replaceSubrange(place..<place + 4, with: [0x48, 0, 0xFF, 0x52])
        bytes.withUnsafeBytes { #expect(SpoolRecordHeader.firstMagic(in: $0) == place) }
        bytes[..<(place + 3)].withUnsafeBytes {
            #expect(SpoolRecordHeader.firstMagic(in: $0) == nil)
        }
    }
}

@Suite struct SpoolCursorTests {
    static func cursor(generation: UInt64 = 7) -> SpoolCursor {
        var cursor = SpoolCursor(lane: .bad, shard: 0x0201)
        cursor.generation = generation
        cursor.position = SpoolPosition(segment: 3, offset: 4096)
        cursor.delivered = 0x11
        cursor.setAside = 0x22
        cursor.droppedUnreadable = 0x33
        cursor.droppedEvicted = 0x44
        cursor.cumulativeHits = 0x0100
        cursor.cumulativeMoved = 0x55
        return cursor
    }

    static func file(_ slots: SpoolCursor?...) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SpoolCursor.fileBytes)
        bytes.withUnsafeMutableBytes { bytes in
            for (index, slot) in slots.enumerated() {
                slot?.write(to: bytes.baseAddress! + index * SpoolCursor.slotBytes)
            }
        }
        return bytes
    }

    static func choose(_ file: [UInt8]) -> (cursor: SpoolCursor, slot: Int)? {
        file.withUnsafeBytes { SpoolCursor.choose($0.baseAddress!, lane: .bad, shard: 0x0201) }
    }

    @Test func `the layout is these bytes`() {
        let bytes = Self.file(Self.cursor())[..<SpoolCursor.slotBytes]
        #expect(
            hex(bytes) == "4800ff43" + "01" + "02" + "0102" + "00000000" + "74bd020b"
                + "0700000000000000" + "0300000000000000" + "0010000000000000"
                + "1100000000000000" + "2200000000000000" + "3300000000000000"
                + "4400000000000000" + "0001000000000000" + "5500000000000000"
                + "aa00000000000000" + String(repeating: "00", count: 416))
    }

    @Test func `the valid slot written last counts`() {
        let (older, newer) = (Self.cursor(generation: 7), Self.cursor(generation: 8))
        #expect(Self.choose(Self.file(older, newer))! == (newer, 1))
        #expect(Self.choose(Self.file(newer, older))! == (newer, 0))
        #expect(Self.choose(Self.file(nil, older))! == (older, 1))
        #expect(Self.choose(Self.file(nil, nil)) == nil)
    }

    @Test func `with any bit flipped the other slot counts`() {
        let (older, newer) = (Self.cursor(generation: 7), Self.cursor(generation: 8))
        let whole = Self.file(older, newer)
        for bit in 0..<whole.count * 8 {
            var file = whole
            file[bit / 8] ^= 1 << (bit % 8)
            let expected = bit < SpoolCursor.slotBytes * 8 ? newer : older
            #expect(Self.choose(file)?.cursor == expected, "bit \(bit)")
        }
    }

    @Test func `a cursor of another lane or shard, or one that contradicts itself, is none`() {
        var otherLane = Self.cursor()
        otherLane.lane = .good
        var otherShard = Self.cursor()
        otherShard.shard = 1
        var passedTooMuch = Self.cursor()
        passedTooMuch.cumulativeHits = passedTooMuch.passed - 1
        var segmentTooHigh = Self.cursor()
        segmentTooHigh.position.segment = .max
        for cursor in [otherLane, otherShard, passedTooMuch, segmentTooHigh] {
            #expect(Self.choose(Self.file(cursor)) == nil)
        }
    }
}

@Suite struct SegmentHeadTests {
    static let head = SegmentHead(
        lane: .good, shard: 0x0201, segment: 0x31, createdAtMicroseconds: 0x41,
        cumulativeHits: 0x61, cumulativeMoved: 0x51, rewrittenHits: 0x21)

    static func bytes(_ head: SegmentHead = head, _ notes: [(Origin, UInt64)]) -> [UInt8] {
        var table = OriginTable()
        for (origin, sequence) in notes { table.note(origin, sequence) }
        var bytes = [UInt8](repeating: 0xEE, count: SegmentHead.byteCount)
        bytes.withUnsafeMutableBytes { head.write(to: $0.baseAddress!, origins: table) }
        return bytes
    }

    static func read(_ bytes: [UInt8]) throws -> SegmentHead {
        try bytes.withUnsafeBytes { try SegmentHead.read($0.baseAddress!) }
    }

    @Test func `the layout is these bytes`() {
        let a = Origin(slot: 0x0A0A, incarnation: 0xAA)
        let b = Origin(slot: 0x0B0B, incarnation: 0xBB)
        let bytes = Self.bytes(Self.head, [(a, 5), (b, 9), (a, 7)])
        #expect(
            hex(bytes[..<56]) == "4800ff53" + "01" + "01" + "0102" + "02000000" + "e641eec1"
                + "3100000000000000" + "4100000000000000" + "6100000000000000"
                + "5100000000000000" + "2100000000000000")
        #expect(bytes[56..<512].allSatisfy { $0 == 0 })
        #expect(
            hex(bytes[512..<568]) == "bb00000000000000" + "0900000000000000"
                + "0b0b000000000000" + String(repeating: "00", count: 32))
        #expect(
            hex(bytes[568..<624]) == "aa00000000000000" + "0700000000000000"
                + "0a0a000000000000" + "02" + String(repeating: "00", count: 31))
        #expect(bytes[624...].allSatisfy { $0 == 0 })
    }

    @Test func `what is written is read back`() throws {
        #expect(try Self.read(Self.bytes(Self.head, [])) == Self.head)
    }

    @Test func `any flipped bit makes it damaged`() {
        let whole = Self.bytes(Self.head, [(Origin(slot: 1, incarnation: 2), 3)])
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: SegmentHead.Flaw.damaged, "bit \(bit)") { try Self.read(bytes) }
        }
    }

    @Test func `another version is told from damage`() {
        var bytes = Self.bytes(Self.head, [])
        bytes[4] = 2
        bytes.withUnsafeMutableBytes {
            let crc = checksum(ofBlock: $0.baseAddress!, byteCount: SegmentHead.byteCount)
            $0.storeBytes(of: crc.littleEndian, toByteOffset: 12, as: UInt32.self)
        }
        #expect(throws: SegmentHead.Flaw.version(2)) { try Self.read(bytes) }
    }
}

@Suite struct OriginTableTests {
    private let origin = Origin(slot: 1, incarnation: 2)

    /// Which of these sequences are held. (`#expect` cannot look at a noncopyable value itself.)
    private func held(
        _ sequences: ClosedRange<UInt64>, by table: borrowing OriginTable, of origin: Origin? = nil
    ) -> [UInt64] {
        var found: [UInt64] = []
        for sequence in sequences where table.holds(origin ?? self.origin, sequence) {
            found.append(sequence)
        }
        return found
    }

    @Test func `only what was noted is held`() {
        var table = OriginTable()
        for sequence: UInt64 in [10, 11, 13, 200] { table.note(origin, sequence) }
        #expect(held(0...300, by: table) == [10, 11, 13, 200])
        #expect(held(0...300, by: table, of: Origin(slot: 2, incarnation: 2)) == [])
        #expect(held(0...300, by: table, of: Origin(slot: 1, incarnation: 3)) == [])
    }

    @Test func `a batch that was refused and comes again after its successors is noted late`() {
        var table = OriginTable()
        table.note(origin, 7)
        table.note(origin, 9)
        #expect(held(0...20, by: table) == [7, 9])
        table.note(origin, 8)
        #expect(held(0...20, by: table) == [7, 8, 9])
    }

    @Test func `what is far below was settled long ago`() {
        var table = OriginTable()
        table.note(origin, 1000)
        #expect(held(740...1001, by: table) == [740, 741, 742, 743, 1000])
    }

    @Test func `the origin not used for longest gives way`() {
        var table = OriginTable()
        for slot in 0..<UInt16(OriginTable.originsMax) {
            table.note(Origin(slot: slot, incarnation: 1), 5)
        }
        table.note(Origin(slot: 0, incarnation: 1), 6)
        table.note(Origin(slot: 99, incarnation: 1), 5)
        var holding: [UInt16] = []
        for slot: UInt16 in [0, 1, 2, 99]
        where !held(5...6, by: table, of: Origin(slot: slot, incarnation: 1)).isEmpty {
            holding.append(slot)
        }
        #expect(holding == [0, 2, 99])
    }

    @Test(arguments: 0..<20)
    func `it agrees with a set, also after a segment's head carried it`(seed: Int) {
        var random = SeededDice(seed: UInt64(seed))
        var table = OriginTable()
        var model: [Origin: Set<UInt64>] = [:]
        var newest: UInt64 = 500
        for _ in 0..<400 {
            let origin = Origin(slot: UInt16.random(in: 0..<3, using: &random), incarnation: 1)
            let leap: UInt64 = [0, 1, 70, 300].randomElement(using: &random)!
            newest += UInt64.random(in: 0...leap, using: &random)
            let sequence = newest - UInt64.random(in: 0...200, using: &random)
            table.note(origin, sequence)
            model[origin, default: []].insert(sequence)
        }
        let bytes = UnsafeMutableRawPointer.allocate(
            byteCount: SegmentHead.byteCount, alignment: 8)
        defer { bytes.deallocate() }
        SegmentHeadTests.head.write(to: bytes, origins: table)
        let read = SegmentHead.readOrigins(bytes)
        for (origin, sequences) in model {
            let top = sequences.max()!
            let window = (top - OriginTable.windowBatches)...(top + 2)
            #expect(held(window, by: table, of: origin) == window.filter(sequences.contains))
            #expect(held(window, by: read, of: origin) == window.filter(sequences.contains))
        }
    }
}

@Suite struct SpoolLedgerTests {
    @Test func `a set-aside hit counts once, a dropped bad row as dropped`() {
        var ledger = SpoolLedger()
        ledger.good.cumulativeHits = 100
        ledger.good.delivered = 60
        ledger.good.setAside = 5
        ledger.good.dropped = 3
        ledger.bad.cumulativeHits = 25
        ledger.bad.cumulativeMoved = 5
        ledger.bad.delivered = 10
        ledger.bad.dropped = 2
        #expect(ledger.accepted == 120)
        #expect(ledger.spooled == 32)
        #expect(ledger.badKept == 23)
        #expect(ledger.dropped == 5)
        #expect(ledger.closes)
    }
}
