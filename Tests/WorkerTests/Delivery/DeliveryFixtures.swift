import Core
import Foundation
import Platform
import TestSupport

@testable import Worker

/// A lane in memory: what a spool lane is to delivery. Checks that its cursor only moves forward and
/// lies between records.
final class FakeLane: DeliveryStandIn {
    struct Record {
        var rows: [String]
        var droppedBefore: UInt64 = 0
        var bytes: [UInt8] { Array(rows.map { $0 + "\n" }.joined().utf8) }
    }

    private(set) var records: [Record] = []
    private var next = 0
    private(set) var cursor = 0
    private(set) var delivered: UInt64 = 0
    private(set) var dropped: UInt64 = 0
    /// One at a time, and overwritten at the next read: nobody may look at it later.
    private var lent = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    deinit { lent.deallocate() }

    var rows: [String] { records.flatMap(\.rows) }

    /// Bytes appended.
    @discardableResult
    func append(_ rows: [String], droppedBefore: UInt64 = 0) -> Int {
        records.append(Record(rows: rows, droppedBefore: droppedBefore))
        return records.last!.bytes.count
    }

    func readNext() -> SpoolRead {
        lent.initializeMemory(as: UInt8.self, repeating: 0xFF)
        lent.deallocate()
        lent = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        if next == records.count { return .end }
        let record = records[next]
        next += 1
        let bytes = record.bytes
        lent = .allocate(byteCount: bytes.count, alignment: 1)
        lent.copyBytes(from: bytes)
        return .record(
            SpoolRecordView(
                payload: UnsafeRawBufferPointer(lent), hitCount: record.rows.count, kind: .rows,
                receivedAtMicroseconds: 0, droppedBefore: record.droppedBefore,
                end: SpoolPosition(segment: 1, offset: UInt64(next))))
    }

    func commit(_ position: SpoolPosition, _ delivered: UInt64, _ dropped: UInt64) {
        precondition(position.segment == 1 && Int(position.offset) > cursor, "cursor went back")
        precondition(Int(position.offset) <= next, "cursor passed what was never read")
        cursor = Int(position.offset)
        self.delivered += delivered
        self.dropped += dropped
    }

    var source: DeliverySource { .standIn(self) }
}

extension SeededDice {
    /// Some rows, each its own: "row-N-xxxx…".
    mutating func rows(_ count: Int, from number: inout Int, bytesMax: Int = 200) -> [String] {
        (0..<count).map { _ in
            number += 1
            let padding = String(repeating: "x", count: Int(next() % UInt64(bytesMax)))
            return "row-\(number)-\(padding)"
        }
    }
}

/// The records of a PutRecordBatch body, by another JSON reader and base64 decoder.
func recordsOfBody(_ body: UnsafeRawBufferPointer) -> [Data]? {
    guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
        let records = object["Records"] as? [[String: String]]
    else { return nil }
    let decoded = records.map { Data(base64Encoded: $0["Data"] ?? "*") }
    return decoded.contains(nil) ? nil : decoded.compactMap { $0 }
}

func rowsOf(_ data: Data) -> [String] {
    String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
}
