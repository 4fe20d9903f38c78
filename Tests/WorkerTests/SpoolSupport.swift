import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

extension ShardSpool {
    /// Opens a shard that its last owner has let go of. A process that another test starts holds all
    /// descriptors, locks among them, for the moment in which it is forked and not yet its program.
    static func openFreed(
        spoolFolder: String, shard: Int, bytesMax: UInt64, badBytesMax: UInt64,
        segmentBytes: UInt64, files: Files = Files()
    ) throws(SpoolError) -> ShardSpool {
        let deadline = monotonicNanoseconds() + 5_000_000_000
        while true {
            do throws(SpoolError) {
                return try open(
                    spoolFolder: spoolFolder, shard: shard, bytesMax: bytesMax,
                    badBytesMax: badBytesMax, segmentBytes: segmentBytes, files: files)
            } catch {
                guard case .locked = error, monotonicNanoseconds() < deadline else { throw error }
                usleep(1000)
            }
        }
    }
}

extension TemporaryFolder: LaneFiles {
    /// A folder within one.
    struct Part: LaneFiles {
        let path: String
    }
}

/// Looking at a lane's files, and changing them behind its back.
protocol LaneFiles {
    var path: String { get }
}

extension LaneFiles {
    /// Names of the segments, in order.
    var segments: [String] {
        try! FileManager.default.contentsOfDirectory(atPath: path)
            .filter { LaneFolder.number(ofName: $0) != nil }.sorted()
    }

    func bytes(_ name: String) -> [UInt8] {
        [UInt8](FileManager.default.contents(atPath: "\(path)/\(name)")!)
    }

    func write(_ bytes: [UInt8], to name: String) {
        #expect(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data(bytes)))
    }
}

let testOrigin = Origin(slot: 3, incarnation: 77)

extension SpoolLane {
    static func open(
        _ folder: TemporaryFolder, lane: SpoolLaneName = .good, bytesMax: UInt64 = 1 << 30,
        segmentBytes: UInt64 = 64 << 20, files: Files = Files()
    ) throws -> SpoolLane {
        try SpoolLane.open(
            folder: folder.path, lane: lane, shard: 0, bytesMax: bytesMax,
            segmentBytes: segmentBytes, files: files)
    }

    /// The rows of one batch: told from those of any other.
    static func rows(_ sequence: UInt64, hits: Int, padding: Int = 0) -> String {
        (0..<hits).map {
            "{\"row\":\"\(sequence).\($0)\(String(repeating: "x", count: padding))\"}\n"
        }
        .joined()
    }

    mutating func append(
        _ sequence: UInt64, hits: Int = 1, padding: Int = 0, origin: Origin = testOrigin,
        kind: SpoolRecordHeader.Kind = .rows, receivedAt: UInt64? = nil
    ) -> AppendOutcome {
        let payload = Array(Self.rows(sequence, hits: hits, padding: padding).utf8)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.headroom + payload.count, alignment: 8)
        defer { buffer.deallocate() }
        UnsafeMutableRawBufferPointer(rebasing: buffer[Self.headroom...]).copyBytes(from: payload)
        return append(
            buffer.baseAddress!, payloadBytes: payload.count, hitCount: hits, kind: kind,
            origin: origin, sequence: sequence, receivedAtMicroseconds: receivedAt ?? sequence)
    }

    mutating func store(_ sequences: ClosedRange<UInt64>, hits: Int = 1, padding: Int = 0) {
        for sequence in sequences {
            let outcome = append(sequence, hits: hits, padding: padding)
            #expect(outcome.isStored)
        }
    }

    struct Read: Equatable {
        var rows: String
        var hits: UInt64
        var droppedBefore: UInt64
        var end: SpoolPosition
    }

    /// Copies out the next record.
    mutating func take() -> Read? {
        guard case .record(let view) = readNext() else { return nil }
        return Read(
            rows: String(decoding: view.payload, as: UTF8.self), hits: UInt64(view.hitCount),
            droppedBefore: view.droppedBefore, end: view.end)
    }

    mutating func takeAll() -> [Read] {
        var all: [Read] = []
        while let read = take() { all.append(read) }
        return all
    }

    mutating func commit(_ read: Read) {
        commit(to: read.end, delivered: read.hits, dropped: read.droppedBefore)
    }

    /// Reads and passes everything; the rows that came.
    mutating func drain() -> [String] {
        let all = takeAll()
        for read in all { commit(read) }
        #expect(take() == nil)
        return all.map(\.rows)
    }
}

extension AppendOutcome {
    var isStored: Bool { if case .stored = self { true } else { false } }
    var isFull: Bool { if case .full = self { true } else { false } }
    var failure: Int32? { if case .failed(let failure) = self { failure.number } else { nil } }
}

/// A disk that fails on command: stands in front of a lane's changes to the file system.
final class FaultyDisk {
    /// Asked for each change; see `Files.Gate` for the answers.
    var answer: (Files.Change) -> Int32 = { _ in 0 }
    private(set) var changes: [Files.Change] = []

    /// Must not outlive the disk.
    var files: Files {
        Files(
            gate: { context, change in
                let disk = Unmanaged<FaultyDisk>.fromOpaque(context!).takeUnretainedValue()
                let change = Files.Change(rawValue: change)!
                disk.changes.append(change)
                return disk.answer(change)
            }, context: Unmanaged.passUnretained(self).toOpaque())
    }
}
