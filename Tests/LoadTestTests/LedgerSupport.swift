import CSQLite
import CZlib
import Config
import Core
import Foundation
import Testing

@testable import LoadTest

/// A folder that is gone when the test is over.
final class LedgerScratch {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "hydrant-ledger-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], _ name: String) {
        let folder = (path + "/" + name as NSString).deletingLastPathComponent
        try! FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try! Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func bytes(_ name: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: path + "/" + name) ?? Data())
    }

    func remove(_ name: String) { try! FileManager.default.removeItem(atPath: path + "/" + name) }

    // MARK: Ledgers

    /// A ledger through the product's writer.
    func writeLedger(
        _ entries: [LedgerEntry], run: UInt32 = 0x0a0b_0c0d, _ name: String = "run.ledger",
        startMicroseconds: UInt64 = 1_795_395_723_123_456
    ) throws {
        try LedgerFile.create(
            path: path + "/" + name,
            header: LedgerHeader(
                run: run, startMicroseconds: startMicroseconds, seed: 7, hydrantVersion: "0.1.0"))
        var writer = try LedgerWriter(path: path + "/" + name)
        for entry in entries { writer.append(entry) }
        writer.flush()
        #expect(writer.failedErrno == 0)
    }

    func report(_ ledgers: [String] = ["run.ledger"], against: [String]) throws -> LedgerFindings {
        try LedgerJoin.report(
            ledgers: ledgers.map { path + "/" + $0 }, against: against.map { path + "/" + $0 })
    }

    // MARK: Places

    func writeObject(_ rows: [[UInt8]], _ name: String) {
        write(gzipped(rows.flatMap(\.self)), name)
    }

    /// A segment as a worker writes it, a record for each group of rows.
    func writeSegment(
        _ records: [[[UInt8]]], data: String = "var", shard: UInt16 = 0,
        lane: SpoolLaneName = .good,
        number: UInt64 = 1
    ) -> [Int] {
        var bytes = [UInt8](repeating: 0, count: SegmentHead.byteCount)
        let head = SegmentHead(
            lane: lane, shard: shard, segment: number, createdAtMicroseconds: 1, cumulativeHits: 0,
            cumulativeMoved: 0)
        bytes.withUnsafeMutableBytes { head.write(to: $0.baseAddress!, origins: OriginTable()) }
        var cumulative: UInt64 = 0
        var ends: [Int] = []
        for rows in records {
            cumulative += UInt64(rows.count)
            bytes += record(rows, cumulative: cumulative)
            ends.append(bytes.count)
        }
        let digits = String(number)
        let name = String(repeating: "0", count: 16 - digits.count) + digits + ".segment"
        write(bytes, "\(data)/spool/shard-\(shard)/\(lane.folder)/\(name)")
        return ends
    }

    private func record(_ rows: [[UInt8]], cumulative: UInt64) -> [UInt8] {
        let payload = rows.flatMap(\.self)
        let header = SpoolRecordHeader(
            kind: .rows, hitCount: UInt16(rows.count), payloadBytes: UInt32(payload.count),
            origin: Origin(slot: 0, incarnation: 1), sequence: cumulative,
            cumulativeHits: cumulative, receivedAtMicroseconds: 1)
        var bytes = [UInt8](repeating: 0, count: SpoolRecordHeader.byteCount) + payload
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        return bytes
    }

    func writeCursor(
        _ position: SpoolPosition, data: String = "var", shard: UInt16 = 0,
        lane: SpoolLaneName = .good
    ) {
        var cursor = SpoolCursor(lane: lane, shard: shard)
        cursor.position = position
        var bytes = [UInt8](repeating: 0, count: SpoolCursor.slotBytes)
        bytes.withUnsafeMutableBytes { cursor.write(to: $0.baseAddress!) }
        write(bytes, "\(data)/spool/shard-\(shard)/\(lane.folder)/cursor")
    }

    func writeBuffer(_ calls: [[[UInt8]]], _ name: String) {
        var bytes: [UInt8] = []
        for rows in calls {
            let payload = rows.flatMap(\.self)
            var head = [UInt8](repeating: 0, count: BufferFrame.byteCount)
            head.withUnsafeMutableBytes {
                BufferFrame.write(payloadBytes: payload.count, to: $0.baseAddress!)
            }
            bytes += head + payload
        }
        write(bytes, name)
    }

    /// The embedded warehouse's tables, and rows in them.
    func writeWarehouse(
        good: [(id: String, extra: String)], bad: [(id: String, raw: String)] = [], _ name: String
    ) {
        let schema = SchemaFile.standard.schema
        var raw: OpaquePointer?
        #expect(sqlite3_open(path + "/" + name, &raw) == SQLITE_OK)
        defer { sqlite3_close_v2(raw) }
        func run(_ sql: String) { #expect(sqlite3_exec(raw, sql, nil, nil, nil) == SQLITE_OK) }
        run("PRAGMA journal_mode = WAL; BEGIN")
        run(schema.sqliteDDL)
        run(schema.sqliteBadDDL)
        run("CREATE TABLE _loaded_objects (object TEXT PRIMARY KEY, rows INTEGER) WITHOUT ROWID")
        for row in good {
            run(
                "INSERT INTO events (id, event, received_at, extra) VALUES ('\(row.id)', 'load', "
                    + "'2026-11-23 01:02:03', '\(row.extra)')")
        }
        for row in bad {
            run(
                "INSERT INTO bad_events (id, reason, raw) VALUES ('\(row.id)', 'missing_required',"
                    + " '\(row.raw)')")
        }
        run("COMMIT")
    }
}

func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    precondition(zlibx_gzip_init(&stream, 6) == Z_OK)
    defer { deflateEnd(&stream) }
    var source = bytes
    var out = [UInt8](repeating: 0, count: bytes.count + bytes.count / 1000 + 256)
    let status = source.withUnsafeMutableBufferPointer { source in
        out.withUnsafeMutableBufferPointer { out in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            stream.next_out = out.baseAddress
            stream.avail_out = UInt32(out.count)
            return deflate(&stream, Z_FINISH)
        }
    }
    precondition(status == Z_STREAM_END)
    return Array(out.prefix(Int(stream.total_out)))
}

func label(_ sequence: UInt64, run: UInt32 = 0x0a0b_0c0d) -> String {
    HitLabel(run: run, sequence: sequence).text
}

/// Bytes and text of the id of a row with that number.
func idBytes(_ number: UInt64) -> [UInt8] {
    [0x01, 0xa2, 0x07, 0x56, 0x34, 0xfe, 0x70, 0x00]
        + withUnsafeBytes(of: number.bigEndian) { Array($0) }
}

func idText(_ number: UInt64) -> String {
    let digits = idBytes(number).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    var text = ""
    for (at, digit) in digits.enumerated() {
        if [8, 12, 16, 20].contains(at) { text += "-" }
        text.append(digit)
    }
    return text
}

/// Rows as the product makes them of requests, by the default schema.
final class RowMaker {
    private var encoder = RowEncoder(SchemaFile.standard.schema)
    private let room = UnsafeMutablePointer<UInt8>.allocate(capacity: RowEncoder.rowBytesMax)

    deinit { room.deallocate() }

    /// The row of `GET target`. Without "event=" it is a bad one.
    func row(_ target: String, id: UInt64) -> [UInt8] {
        let bytes = framed(target, id: id)
        return bytes.withUnsafeBytes { hit in
            let result = encoder.encode(HitView(hit)!, into: room)
            return Array(UnsafeBufferPointer(start: room, count: result.byteCount))
        }
    }

    /// The row of a hit that killed its worker twice.
    func opaqueRow(_ target: String, id: UInt64) -> [UInt8] {
        framed(target, id: id).withUnsafeBytes { hit in
            let result = encoder.encodeOpaque(hit, into: room)
            return Array(UnsafeBufferPointer(start: room, count: result.byteCount))
        }
    }

    func good(_ sequence: UInt64, id: UInt64, run: UInt32 = 0x0a0b_0c0d) -> [UInt8] {
        row("/p.gif?event=load&uid=v\(id)&_hl=\(label(sequence, run: run))&z=\(id)", id: id)
    }

    func bad(_ sequence: UInt64, id: UInt64, run: UInt32 = 0x0a0b_0c0d) -> [UInt8] {
        row("/p.gif?uid=v\(id)&_hl=\(label(sequence, run: run))&z=\(id)", id: id)
    }

    private func framed(_ target: String, id: UInt64) -> [UInt8] {
        let (target, agent) = (Array(target.utf8), Array("Mozilla/5.0 (X11; _Linux)".utf8))
        let count = HitLayout.byteCount(
            target: target.count, userAgent: agent.count, referer: 0, visitorCookie: 0)
        var bytes = [UInt8](repeating: 0, count: count)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let address = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 7]
        bytes.withUnsafeMutableBytes { hit in
            target.withUnsafeBytes { target in
                agent.withUnsafeBytes { agent in
                    _ = HitLayout.write(
                        to: hit.baseAddress!, route: HitLayout.Route.pixel, flags: 0,
                        receivedAtMicroseconds: 1_795_395_723_123_456, address: address,
                        requestTarget: target, userAgent: agent, referer: none,
                        visitorCookie: none)
                }
            }
        }
        bytes.replaceSubrange(8..<24, with: idBytes(id))
        return bytes
    }
}

func entry(_ sequence: UInt64, _ outcome: UInt16) -> LedgerEntry {
    LedgerEntry(
        sequence: sequence, sentTenthMilliseconds: UInt32(truncatingIfNeeded: sequence) &* 10,
        outcome: outcome)
}

/// All rows of a text that is given to the scanner cut at the given places.
func scanned(_ text: [UInt8], cutAt cuts: [Int] = [], isCutOff: Bool = false) -> [ScannedRow] {
    var scanner = RowScanner()
    var rows: [ScannedRow] = []
    var start = 0
    for cut in cuts + [text.count] {
        Array(text[start..<cut]).withUnsafeBytes { scanner.feed($0) { rows.append($0) } }
        start = cut
    }
    if isCutOff { scanner.abandon() }
    scanner.finish { rows.append($0) }
    return rows
}
