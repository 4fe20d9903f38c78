import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// Damaged bytes are copied aside, once, before delivery passes them.
@Suite struct SpoolQuarantineTests {
    /// A lane beside a quarantine, in one folder, as in a shard.
    private final class Shard {
        let folder = TemporaryFolder()
        let lane: TemporaryFolder.Part
        var quarantine: String { folder.path + "/quarantine" }

        init() {
            lane = TemporaryFolder.Part(path: folder.path + "/good")
        }

        func open(segmentBytes: UInt64 = 64 << 20, files: Files = Files()) throws -> SpoolLane {
            try SpoolLane.open(
                folder: lane.path, lane: .good, shard: 0, bytesMax: 1 << 30,
                segmentBytes: segmentBytes, quarantine: quarantine, files: files)
        }

        /// Stores three records, and closes the lane; the segment's name.
        @discardableResult
        func storeThree() throws -> String {
            var lane = try open()
            lane.store(1...3)
            lane.close()
            return self.lane.segments[0]
        }

        /// The same, and the first record goes bad.
        func storeDamaged() throws {
            let name = try storeThree()
            var bytes = lane.bytes(name)
            bytes[4200] ^= 1
            lane.write(bytes, to: name)
        }

        /// Name and bytes of each kept span.
        var kept: [String: [UInt8]] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: quarantine)) ?? []
            return Dictionary(
                uniqueKeysWithValues: names.map {
                    ($0, [UInt8](FileManager.default.contents(atPath: "\(quarantine)/\($0)")!))
                })
        }
    }

    private static let segment = "0000000000000001"

    @Test func `any flipped bit of a record sets that record aside, once, byte for byte`() throws {
        let shard = Shard()
        let name = try shard.storeThree()
        let whole = shard.lane.bytes(name)
        let cursor = shard.lane.bytes("cursor")
        let recordBytes = SpoolLane.headroom + SpoolLane.rows(1, hits: 1).utf8.count
        for bit in 4096 * 8..<(4096 + 2 * recordBytes) * 8 {
            try? FileManager.default.removeItem(atPath: shard.folder.path + "/good")
            try? FileManager.default.removeItem(atPath: shard.quarantine)
            try FileManager.default.createDirectory(
                atPath: shard.lane.path, withIntermediateDirectories: true)
            var bytes = whole
            bytes[bit / 8] ^= 1 << (bit % 8)
            shard.lane.write(bytes, to: name)
            shard.lane.write(cursor, to: "cursor")
            let from = bit / 8 < 4096 + recordBytes ? 4096 : 4096 + recordBytes
            for start in 0..<3 {
                var lane = try shard.open()
                #expect(lane.takeAll().count == 2)
                lane.rewind()
                #expect(lane.takeAll().count == 2)
                let copied = lane.quarantinedBytes
                #expect(copied == (start == 0 ? UInt64(recordBytes) : 0), "bit \(bit)")
            }
            let expected = [
                "good-\(Self.segment)-\(from)-\(recordBytes).damaged":
                    Array(bytes[from..<from + recordBytes])
            ]
            #expect(shard.kept == expected, "bit \(bit)")
        }
    }

    @Test func `a torn tail is no damage, and an end with hits missing is`() throws {
        let shard = Shard()
        let name = try shard.storeThree()
        var bytes = shard.lane.bytes(name)
        shard.lane.write(bytes + [1, 2, 3], to: name)
        var lane = try shard.open()
        lane.store(4...4)
        #expect(lane.takeAll().count == 4)
        #expect(shard.kept.isEmpty)
        lane.close()
        // Now the third record goes bad, and the next segment knows that it was there.
        bytes[bytes.count - 2] ^= 1
        shard.lane.write(bytes + [1, 2, 3], to: name)
        lane = try shard.open()
        #expect(lane.takeAll().map(\.droppedBefore) == [0, 0, 1])
        let recordBytes = SpoolLane.headroom + SpoolLane.rows(3, hits: 1).utf8.count
        let from = bytes.count - recordBytes
        #expect(
            shard.kept == [
                "good-\(Self.segment)-\(from)-\(recordBytes + 3).damaged":
                    Array(bytes[from...]) + [1, 2, 3]
            ])
        #expect(lane.hitsUnreadable == 1 && lane.recordsUnreadable == 1)
    }

    @Test func `the very last record goes aside when it is given up`() throws {
        let shard = Shard()
        var lane = try shard.open()
        lane.store(1...2)
        let name = shard.lane.segments[0]
        let file = FileHandle(forWritingAtPath: "\(shard.lane.path)/\(name)")!
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(shard.lane.bytes(name).count - 3))
        try file.write(contentsOf: Data([0]))
        let reads = lane.takeAll()
        #expect(reads.count == 1 && shard.kept.isEmpty)
        lane.commit(reads[0])
        #expect(lane.take() == nil)
        #expect(shard.kept.count == 1)
        #expect(lane.ledger.dropped == 1)
    }

    @Test func `what would not fit is counted only, and a full disk stops nothing`() throws {
        let folder = TemporaryFolder()
        folder.write([UInt8](repeating: 7, count: 1000), to: "source")
        let file = try Files.open(folder.path + "/source")
        defer { Files.close(file) }
        let quarantine = Quarantine(folder: folder.path + "/q", files: Files())
        var moved: [MovedAside] = []
        func span(_ offset: UInt64, _ byteCount: UInt64) -> DamagedSpan {
            DamagedSpan(lane: .bad, segment: 9, offset: offset, byteCount: byteCount)
        }
        func expectKeeping(
            _ span: DamagedSpan, _ expected: Quarantine.Outcome,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let outcome = quarantine.keep(span, from: file, bytesMax: 1000, noting: &moved)
            #expect(outcome == expected, sourceLocation: sourceLocation)
        }
        #expect(quarantine.byteCount == 0)
        expectKeeping(span(0, 600), .kept)
        expectKeeping(span(0, 600), .known)
        expectKeeping(span(600, 401), .full)
        expectKeeping(span(600, 400), .kept)
        #expect(quarantine.byteCount == 1000)
        #expect(moved.isEmpty)

        let shard = Shard()
        try shard.storeDamaged()
        let disk = FaultyDisk()
        var lane = try shard.open(files: disk.files)
        disk.answer = { _ in ENOSPC }
        #expect(lane.takeAll().count == 2)
        #expect(shard.kept.isEmpty)
        #expect(lane.quarantineRefusedBytes > 0 && lane.recordsUnreadable == 1)
        disk.answer = { _ in 0 }
        lane = try shard.open(files: disk.files)
        _ = lane.takeAll()
        #expect(shard.kept.count == 1)
    }

    @Test func `a copy that a death cut short is made anew`() throws {
        let shard = Shard()
        try shard.storeDamaged()
        let disk = FaultyDisk()
        var lane = try shard.open(files: disk.files)
        disk.answer = { $0 == .rename ? EIO : 0 }
        _ = lane.takeAll()
        #expect(Array(shard.kept.keys) == ["part"])
        disk.answer = { _ in 0 }
        lane = try shard.open(files: disk.files)
        _ = lane.takeAll()
        #expect(shard.kept.count == 1 && shard.kept["part"] == nil)
    }

    @Test(arguments: [
        "part", "good-1-4096-10.damaged", "good-0000000000000001-4096-10",
        "good-0000000000000001-04096-10.damaged", "other-0000000000000001-4096-10.damaged",
        "good-0000000000000001-4096.damaged", "good-0000000000000001--4096-10.damaged", "",
    ])
    func `a name that is not a span's is none`(name: String) {
        #expect(DamagedSpan(fileName: name) == nil)
        let span = DamagedSpan(lane: .bad, segment: 12, offset: 4096, byteCount: 77)
        #expect(span.fileName == "bad-0000000000000012-4096-77.damaged")
        #expect(DamagedSpan(fileName: span.fileName) == span)
    }
}
