import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import Worker

/// Whatever is moved out of the way is told, with its old name and its new one.
@Suite struct SpoolNoticeTests {
    private let folder = TemporaryFolder()
    private var shardPath: String { folder.path + "/shard-3" }

    private func open() throws -> ShardSpool {
        try ShardSpool.openFreed(
            spoolFolder: folder.path, shard: 3, bytesMax: 1 << 30, badBytesMax: 1 << 30,
            segmentBytes: 64 << 10)
    }

    private func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(shardPath)/\(name)", withIntermediateDirectories: true)
    }

    /// One notice, of that path, whose new path is there.
    private func expectMoved(
        _ notices: [SpoolNotice], _ path: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard case .moved(let moved)? = notices.first, notices.count == 1 else {
            Issue.record("\(notices)", sourceLocation: sourceLocation)
            return
        }
        #expect(moved.path == path, sourceLocation: sourceLocation)
        #expect(
            FileManager.default.fileExists(atPath: moved.newPath), sourceLocation: sourceLocation)
        #expect(
            moved.line == "spool: \(path) is not of this spool, or cannot be read: kept as "
                + moved.newPath, sourceLocation: sourceLocation)
    }

    @Test func `a whole spool has nothing to tell`() throws {
        var spool = try open()
        spool.good.store(1...3)
        spool.close()
        spool = try open()
        let notices = spool.takeNotices()
        #expect(notices.isEmpty)
    }

    @Test(arguments: ["good/cursor", "lock", "bad/cursor"])
    func `a folder under a file's name`(name: String) throws {
        try makeFolder(name)
        var spool = try open()
        expectMoved(spool.takeNotices(), "\(shardPath)/\(name)")
        let again = spool.takeNotices()
        #expect(again.isEmpty, "once")
    }

    @Test func `a file under a folder's name`() throws {
        try makeFolder("bad")
        TemporaryFolder.Part(path: shardPath).write([1], to: "good")
        var spool = try open()
        expectMoved(spool.takeNotices(), shardPath + "/good")
        spool.close()
        try FileManager.default.removeItem(atPath: shardPath)
        folder.write([1], to: "shard-3")
        spool = try open()
        expectMoved(spool.takeNotices(), shardPath)
    }

    @Test func `a segment of another version, newest or not`() throws {
        for number in 1...3 as ClosedRange<UInt64> {
            let shard = try InspectedShard()
            let name = LaneFolder.name(of: number)
            var bytes = shard.lane.bytes(name)
            // The version, and the checksum for it.
            let head = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 8)
            defer { head.deallocate() }
            head.copyMemory(from: bytes, byteCount: 4096)
            var newer = SegmentHead(
                lane: .bad, shard: 3, segment: number, createdAtMicroseconds: 0, cumulativeHits: 0,
                cumulativeMoved: 0)
            newer.shard = 3
            newer.write(to: head, origins: OriginTable())
            bytes.replaceSubrange(
                0..<4096, with: UnsafeRawBufferPointer(start: head, count: 4096))
            shard.lane.write(bytes, to: name)
            var spool = try shard.open()
            var notices = spool.takeNotices().filter { if case .moved = $0 { true } else { false } }
            if number < 3 {
                #expect(notices.isEmpty, "not met yet")
                _ = spool.good.drain()
                notices = spool.takeNotices()
            }
            expectMoved(notices, "\(shard.lane.path)/\(name)")
        }
    }

    @Test func `a damaged cursor, and hits that are missing at the start`() throws {
        let shard = try InspectedShard(passed: 1)
        try shard.remove(LaneFolder.name(of: 1))
        var spool = try shard.open()
        var notices = spool.takeNotices()
        #expect(notices == [.missing(folder: shard.lane.path, hits: 6)])
        #expect(notices[0].line.contains("6 hits are missing in \(shard.lane.path)"))
        spool.close()
        shard.lane.write([UInt8](repeating: 9, count: 1024), to: "cursor")
        spool = try shard.open()
        notices = spool.takeNotices()
        #expect(notices == [.cursorDamaged(shard.lane.path + "/cursor")])
        #expect(notices[0].line.contains("delivery begins at the oldest segment"))
    }

    /// Whether that segment was delivered nothing in the folder tells; the operator may know.
    @Test func `a cursor that is gone together with the oldest segment is told`() throws {
        let shard = try InspectedShard(passed: 1)
        try shard.remove("cursor")
        var spool = try shard.open()
        #expect(spool.takeNotices() == [])
        spool.close()
        try shard.remove("cursor")
        try shard.remove(LaneFolder.name(of: 1))
        spool = try shard.open()
        let notices = spool.takeNotices()
        guard case .cursorGone(let path, let hits)? = notices.first else {
            Issue.record("told: \(notices)")
            return
        }
        #expect(path == shard.lane.path + "/cursor" && hits > 0)
        #expect(notices[0].line.contains("\(hits) hits before it count as delivered"))
    }

    @Test func `an adopted shard's are told, and after it is closed too`() throws {
        for isClosed in [false, true] {
            let folder = TemporaryFolder()
            let path = folder.path + "/shard-1"
            var spool = try ShardSpool.openFreed(
                spoolFolder: folder.path, shard: 1, bytesMax: 1 << 30, badBytesMax: 1 << 30,
                segmentBytes: 64 << 10)
            spool.good.store(1...1)
            spool.close()
            try FileManager.default.removeItem(atPath: path + "/good/cursor")
            try FileManager.default.createDirectory(
                atPath: path + "/good/cursor", withIntermediateDirectories: false)
            var adoption = Adoption(
                .init(
                    spoolFolder: folder.path, worker: 0, workers: 1, bytesMax: 1 << 30,
                    badBytesMax: 1 << 30, segmentBytes: 64 << 10))
            let (good, bad) = (Lane(folder.path + "/g"), Lane(folder.path + "/b"))
            let event = adoption.tick(
                nowMs: 0, good: &good.queue.pointee, bad: &bad.queue.pointee)
            #expect(event == .adopted(shard: 1))
            if isClosed { adoption.close() }
            expectMoved(adoption.takeNotices(), path + "/good/cursor")
        }
    }

    /// A queue of a lane of its own.
    private final class Lane {
        let own = UnsafeMutablePointer<SpoolLane>.allocate(capacity: 1)
        let queue = UnsafeMutablePointer<LaneQueue>.allocate(capacity: 1)

        init(_ path: String) {
            own.initialize(
                to: try! SpoolLane.open(
                    folder: path, lane: .good, shard: 0, bytesMax: 1 << 30, segmentBytes: 1 << 20))
            queue.initialize(to: LaneQueue(own: own))
        }

        deinit {
            queue.deinitialize(count: 1)
            queue.deallocate()
            own.deinitialize(count: 1)
            own.deallocate()
        }
    }
}
