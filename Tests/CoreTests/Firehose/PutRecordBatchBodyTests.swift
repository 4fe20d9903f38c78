import Core
import Foundation
import TestSupport
import Testing

@Suite struct PutRecordBatchBodyTests {
    /// What the body says, by another JSON reader and another base64 decoder.
    static func decoded(_ body: borrowing PutRecordBatchBody) throws -> (String, [Data]) {
        let object = try JSONSerialization.jsonObject(with: Data(body.bytes)) as? [String: Any]
        let records = try #require(object?["Records"] as? [[String: String]])
        return (
            try #require(object?["DeliveryStreamName"] as? String),
            try records.map { record in
                let text = try #require(record["Data"])
                return try #require(Data(base64Encoded: text))
            }
        )
    }

    static func add(_ bytes: [UInt8], to body: inout PutRecordBatchBody) {
        bytes.withUnsafeBytes { body.append($0) }
    }

    static func random(_ count: Int, _ random: inout SeededDice) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    @Test func `a body is these bytes`() {
        var body = PutRecordBatchBody(streamName: "px-w0")
        Self.add(Array("hit\n".utf8), to: &body)
        body.closeRecord()
        Self.add(Array("h".utf8), to: &body)
        Self.add(Array("it2\n".utf8), to: &body)
        body.finish()
        let expected =
            #"{"DeliveryStreamName":"px-w0","Records":[{"Data":"aGl0Cg=="},{"Data":"aGl0Mgo="}]}"#
        #expect(String(decoding: body.bytes, as: UTF8.self) == expected)
        #expect(
            String(decoding: body.payloadHash, as: UTF8.self) == lowerHex(Sha256.digest(expected)))
    }

    /// However rows are cut into pieces, the base64 groups run on across the cuts.
    @Test(arguments: 0..<60)
    func `random pieces come out as their records`(seed: UInt64) throws {
        var random = SeededDice(seed: seed)
        var body = PutRecordBatchBody(streamName: "s")
        for _ in 0..<2 {  // The second time in memory that has been used.
            body.begin()
            var expected: [Data] = []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                var record = Data()
                repeat {
                    let count = [0, 1, 2, 3, 5, 47, 64, 1000, 30_000].randomElement(using: &random)!
                    let piece = Self.random(count, &random)
                    Self.add(piece, to: &body)
                    record += piece
                    if Bool.random(using: &random) { body.hashWritten() }
                } while Int.random(in: 0..<4, using: &random) > 0
                body.closeRecord()
                expected.append(record)
            }
            body.finish()
            let (_, records) = try Self.decoded(body)
            #expect(records == expected)
            #expect(body.records.map(\.rawBytes) == expected.map(\.count))
            #expect(body.rawBytes == expected.reduce(0) { $0 + $1.count })
            #expect(
                String(decoding: body.payloadHash, as: UTF8.self)
                    == lowerHex(Sha256.digest(body.bytes)))
        }
    }

    @Test(arguments: 0..<40)
    func `what is kept after a partial failure is a body of the same records`(seed: UInt64) throws {
        var random = SeededDice(seed: seed)
        var body = PutRecordBatchBody(streamName: "stream")
        var expected: [Data] = []
        for _ in 0..<Int.random(in: 1...9, using: &random) {
            let record = Self.random(Int.random(in: 1...3000, using: &random), &random)
            Self.add(record, to: &body)
            body.closeRecord()
            expected.append(Data(record))
        }
        body.finish()
        while expected.count > 1 {
            var kept = expected.indices.filter { _ in Bool.random(using: &random) }
            if kept.isEmpty { kept = [expected.count - 1] }
            body.keepOnly(kept)
            #expect(body.isCompacting && !body.isFinished)
            var slices = 1
            while !body.compact(sliceBytes: 1000) { slices += 1 }
            #expect(slices >= kept.count)
            expected = kept.map { expected[$0] }
            let (name, records) = try Self.decoded(body)
            #expect(name == "stream" && records == expected)
            #expect(
                String(decoding: body.payloadHash, as: UTF8.self)
                    == lowerHex(Sha256.digest(body.bytes)))
        }
    }

    @Test func `the largest call fits, in records of any sizes`() throws {
        for records in [4, 5, 500] {
            var body = PutRecordBatchBody(streamName: String(repeating: "n", count: 64))
            let each = Limits.firehoseCallBytesMax / records
            let bytes = [UInt8](repeating: 0x41, count: each)
            for _ in 0..<records {
                Self.add(bytes, to: &body)
                body.closeRecord()
            }
            body.finish()
            #expect(try Self.decoded(body).1.map(\.count) == Array(repeating: each, count: records))
        }
    }

    @Test func `a small batch holds little memory, and a large one gives it back`() {
        var body = PutRecordBatchBody(streamName: "s")
        #expect(body.touchedBytes == 0)
        let slice = [UInt8](repeating: 0x41, count: 64 << 10)
        for _ in 0..<4 { Self.add(slice, to: &body) }
        #expect(body.touchedBytes <= 512 << 10)
        for _ in 0..<40 {
            body.closeRecord()
            Self.add(slice, to: &body)
        }
        #expect(body.touchedBytes > 3 << 20)
        body.begin()
        #expect(body.touchedBytes > 3 << 20)
        body.beginSmall()
        #expect(body.touchedBytes == 0)
    }

    @Test func `a strange stream name cannot break the JSON`() throws {
        let name = "a\"b\\c\n\u{1}é"
        var body = PutRecordBatchBody(streamName: name)
        Self.add([1], to: &body)
        body.finish()
        #expect(try Self.decoded(body).0 == name)
    }
}
