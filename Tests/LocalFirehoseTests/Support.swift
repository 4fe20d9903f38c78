import CZlib
import Core
import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

extension TemporaryFolder {
    /// Regular files below the folder, relative paths, sorted.
    func files(below folder: String = "") -> [String] {
        let root = folder.isEmpty ? path : path + "/" + folder
        let all = FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []
        return all.filter { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isFolder)
            return !isFolder.boolValue
        }.sorted()
    }

    func contents(_ name: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: path + "/" + name) ?? Data())
    }
}

/// A page of counters that nobody shares.
final class OwnCounters {
    let page: CounterPage
    init() {
        let room = UnsafeMutableRawPointer.allocate(
            byteCount: CounterPage.byteCount, alignment: 4096)
        memset(room, 0, CounterPage.byteCount)
        page = CounterPage(at: room)
    }
    deinit { page.base.deallocate() }
}

let goodTable = WarehouseTable(
    name: "events",
    columns: [
        .init(name: "id", sqliteType: "TEXT", kind: .text, isRequired: true),
        .init(name: "event", sqliteType: "TEXT", kind: .text, isRequired: true),
        .init(name: "position", sqliteType: "INTEGER", kind: .integer),
        .init(name: "value", sqliteType: "REAL", kind: .double),
        .init(name: "viewable", sqliteType: "INTEGER", kind: .boolean),
        .init(name: "extra", sqliteType: "TEXT", kind: .super),
    ])
let badTable = WarehouseTable(
    name: "bad_events",
    columns: [.init(name: "reason", sqliteType: "TEXT", kind: .text)])

func makeStore(
    _ folder: TemporaryFolder, sink: StreamStore.Sink = .warehouse, counters: OwnCounters,
    bufferBytesMax: Int = 5 << 20, backlogBytesMax: Int = 1 << 30
) throws -> StreamStore {
    try StreamStore(
        options: .init(
            dataFolder: folder.path, sink: sink, bufferBytesMax: bufferBytesMax,
            backlogBytesMax: backlogBytesMax, good: goodTable, bad: badTable),
        goodStreams: ["good"], badStreams: ["bad"], counters: counters.page, log: { _ in })
}

extension StreamStore {
    func append(_ text: String, to stream: String, nowMs: UInt64 = 0) throws {
        let payload = Array(text.utf8)
        var frame = [UInt8](repeating: 0, count: BufferFrame.byteCount)
        frame.withUnsafeMutableBytes {
            BufferFrame.write(payloadBytes: payload.count, to: $0.baseAddress!)
        }
        frame += payload
        try frame.withUnsafeBytes {
            try append(frame: $0, to: streams[stream]!, nowMs: nowMs)
        }
    }

    /// One step; false when there is no more work. A store in trouble fails the test.
    func stepOnce() -> Bool {
        #expect(step(untilNanoseconds: 0), "\(trouble ?? "")")
        return hasWork
    }

    func finishAll() {
        sealAll()
        while stepOnce(), trouble == nil {}
    }

    func rows(_ sql: String) throws -> [[DatabaseValue]] {
        let statement = try warehouse!.database.prepare(sql)
        var rows: [[DatabaseValue]] = []
        while try statement.step() {
            rows.append((0..<statement.columnCount).map(statement.value))
        }
        return rows
    }
}

func gunzip(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    guard zlibx_gunzip_init(&stream) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    var source = bytes
    var out = [UInt8](repeating: 0, count: 16 << 20)
    let status = source.withUnsafeMutableBufferPointer { source in
        out.withUnsafeMutableBufferPointer { out in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            stream.next_out = out.baseAddress
            stream.avail_out = UInt32(out.count)
            return inflate(&stream, Z_FINISH)
        }
    }
    return status == Z_STREAM_END ? Array(out.prefix(Int(stream.total_out))) : nil
}

func row(_ id: Int, event: String = "load") -> String {
    "{\"id\":\"\(id)\",\"event\":\"\(event)\"}\n"
}
