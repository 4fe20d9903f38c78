import Core
import Foundation

/// A hit as the router would frame it.
struct SampleHit {
    var id: [UInt8] = Array(0x01...0x10)
    /// 2026-11-23 01:02:03.123456 UTC.
    var receivedAt: UInt64 = 1_795_395_723_123_456
    var address: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7]
    var target: [UInt8]
    var userAgent: [UInt8] = []
    var referer: [UInt8] = []
    var cookie: [UInt8] = []

    init(_ target: String) { self.target = Array(target.utf8) }
    init(bytes target: [UInt8]) { self.target = target }

    var framed: [UInt8] {
        let fields = [
            (HitLayout.Tag.target, target), (HitLayout.Tag.userAgent, userAgent),
            (HitLayout.Tag.referer, referer), (HitLayout.Tag.visitorCookie, cookie),
        ].filter { !$0.1.isEmpty }
        let body = fields.flatMap { little($0.0) + little(UInt16($0.1.count)) + $0.1 }
        let count = UInt32(HitLayout.fixedBytes + body.count)
        return little(count) + [HitLayout.Route.pixel, 0] + little(UInt16(fields.count)) + id
            + little(receivedAt) + address + body
    }
}

private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// Rows of one schema, with watched memory around the room that an encoder is promised.
final class Rows {
    private static let guardBytes = 64
    private var encoder: RowEncoder
    private let memory: UnsafeMutableBufferPointer<UInt8>

    init(_ schema: Schema) {
        encoder = RowEncoder(schema)
        memory = .allocate(capacity: RowEncoder.rowBytesMax + 2 * Self.guardBytes)
        memory.initialize(repeating: 0xA5)
    }

    deinit { memory.deallocate() }

    func encode(_ hit: HitView) -> [UInt8] {
        taken(encoder.encode(hit, into: memory.baseAddress! + Self.guardBytes).byteCount)
    }

    func encode(_ hit: SampleHit) -> (result: RowResult, row: [UInt8]) {
        hit.framed.withUnsafeBytes { bytes in
            let out = memory.baseAddress! + Self.guardBytes
            let result = encoder.encode(HitView(bytes)!, into: out)
            return (result, taken(result.byteCount))
        }
    }

    func encodeOpaque(_ bytes: [UInt8]) -> (result: RowResult, row: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            let result = encoder.encodeOpaque(bytes, into: memory.baseAddress! + Self.guardBytes)
            return (result, taken(result.byteCount))
        }
    }

    /// Nothing was written outside the promised room.
    var isWithinRoom: Bool {
        memory.prefix(Self.guardBytes).allSatisfy { $0 == 0xA5 }
            && memory.suffix(Self.guardBytes).allSatisfy { $0 == 0xA5 }
    }

    func text(_ hit: SampleHit) -> String {
        String(decoding: encode(hit).row, as: UTF8.self)
    }

    private func taken(_ count: Int) -> [UInt8] {
        Array(memory[Self.guardBytes..<Self.guardBytes + count])
    }
}

/// The row as a JSON object; nil when it is not exactly one line holding exactly one object.
func parsedRow(_ row: [UInt8]) -> [String: Any]? {
    guard row.last == UInt8(ascii: "\n"), row.dropLast().allSatisfy({ $0 >= 0x20 }),
        String(validating: row, as: UTF8.self) != nil
    else { return nil }
    return (try? JSONSerialization.jsonObject(with: Data(row))) as? [String: Any]
}

extension Schema {
    /// One column of a type, read from the parameter "v", and a rest.
    static func probe(_ type: ColumnType, required: Bool = false) -> Schema {
        Schema(columns: [
            Column(name: "id", type: .varchar(36), sources: [.hitID]),
            Column(name: "v", type: type, required: required),
            Column(name: "extra", type: .super, sources: [.rest]),
        ])
    }
}
