import CJSON
import Core
import Glibc
import Platform

/// What a PutRecord or PutRecordBatch asks for.
struct PutCall {
    var stream: String
    var recordCount: Int
    /// A buffer frame (see `BufferFrame`) with all records joined. In the decoder, until its next
    /// call.
    var frame: UnsafeRawBufferPointer
}

/// Takes the records out of a call's body: checks every limit first, then decodes them one behind
/// the other into room that is kept for the next call.
final class PutDecoder {
    /// As the service counts: raw bytes, before base64.
    static let callBytesMax = 4 << 20
    static let recordBytesMax = Limits.firehoseRecordBytesMax
    static let recordsMax = Limits.firehoseCallRecordsMax

    private let parser = cjson_make(HTTPLimit.bodyBytesMax)!
    /// The last group of four characters may write three bytes where only one counts.
    private let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: BufferFrame.byteCount + callBytesMax + 16, alignment: 64)
    private var records: [cjson_text] = []
    /// Raw, of each record of the last call.
    private(set) var recordBytes: [Int] = []

    deinit {
        cjson_free(parser)
        room.deallocate()
    }

    /// - Parameter isBatch: PutRecordBatch, with "Records"; else PutRecord, with "Record".
    func decode(_ body: UnsafeRawBufferPointer, isBatch: Bool) throws(APIError) -> PutCall {
        let root = try parse(body)
        var stream: String?
        var list: cjson_value?
        var cursor = cjson_begin(root)
        var key = cjson_text()
        var value = cjson_value()
        while cjson_next_field(&cursor, &key, &value) != 0 {
            switch String(key) {
            case "DeliveryStreamName": stream = try Self.name(value)
            case isBatch ? "Records" : "Record": list = value
            default: break
            }
        }
        guard let stream else {
            throw .validation("null", at: "deliveryStreamName", "not be null")
        }
        try Self.check(streamName: stream)
        try collect(list, isBatch: isBatch)
        return PutCall(
            stream: stream, recordCount: records.count, frame: try joined(isBatch: isBatch))
    }

    private func parse(_ body: UnsafeRawBufferPointer) throws(APIError) -> cjson_value {
        var root = cjson_value()
        let text = body.baseAddress!.assumingMemoryBound(to: CChar.self)
        if let error = cjson_parse(parser, text, body.count, &root) {
            throw .serialization("The body is no JSON: \(String(cString: error))")
        }
        guard cjson_kind_of(root) == .object else {
            throw .serialization("The body must be a JSON object.")
        }
        return root
    }

    private static func name(_ value: cjson_value) throws(APIError) -> String? {
        switch cjson_kind_of(value) {
        case .text: return String(cjson_text_of(value))
        case .null: return nil
        default: throw .serialization("DeliveryStreamName must be a string.")
        }
    }

    static func check(streamName name: String) throws(APIError) {
        let shown = "'\(name.prefix(128))'"
        if name.isEmpty {
            throw .validation(
                shown, at: "deliveryStreamName", "have length greater than or equal to 1")
        }
        if name.utf8.count > StreamDefinition.nameBytesMax {
            throw .validation(
                shown, at: "deliveryStreamName", "have length less than or equal to 64")
        }
        if !name.utf8.allSatisfy(StreamDefinition.isNameByte) {
            throw .validation(
                shown, at: "deliveryStreamName",
                "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
        }
    }

    // MARK: Records

    /// Fills `records` with the base64 texts.
    private func collect(_ list: cjson_value?, isBatch: Bool) throws(APIError) {
        records.removeAll(keepingCapacity: true)
        guard let list, cjson_kind_of(list) != .null else {
            throw .validation("null", at: isBatch ? "records" : "record", "not be null")
        }
        if !isBatch { return try collectRecord(list, at: "record") }
        guard cjson_kind_of(list) == .array else {
            throw .serialization("Records must be an array.")
        }
        var cursor = cjson_begin(list)
        var record = cjson_value()
        while cjson_next_element(&cursor, &record) != 0 {
            if records.count == Self.recordsMax {
                throw .validation("'[…]'", at: "records", "have length less than or equal to 500")
            }
            try collectRecord(record, at: "records.\(records.count + 1).member")
        }
        if records.isEmpty {
            throw .validation("'[]'", at: "records", "have length greater than or equal to 1")
        }
    }

    private func collectRecord(_ record: cjson_value, at place: String) throws(APIError) {
        guard cjson_kind_of(record) == .object else {
            throw .serialization("\(place) must be an object.")
        }
        var cursor = cjson_begin(record)
        var key = cjson_text()
        var value = cjson_value()
        var data: cjson_text?
        while cjson_next_field(&cursor, &key, &value) != 0 {
            guard String(key) == "Data" else { continue }
            switch cjson_kind_of(value) {
            case .text: data = cjson_text_of(value)
            case .null: data = nil
            default: throw .serialization("\(place).data must be a base64 string.")
            }
        }
        guard let data else { throw .validation("null", at: place + ".data", "not be null") }
        records.append(data)
    }

    /// Sizes are judged from the base64 alone, so nothing too large is ever decoded.
    private func joined(isBatch: Bool) throws(APIError) -> UnsafeRawBufferPointer {
        var total = 0
        for (index, text) in records.enumerated() {
            let byteCount = Self.rawByteCount(text)
            if byteCount > Self.recordBytesMax {
                throw .validation(
                    "'java.nio.HeapByteBuffer[pos=0 lim=\(byteCount) cap=\(byteCount)]'",
                    at: isBatch ? "records.\(index + 1).member.data" : "record.data",
                    "have length less than or equal to \(Self.recordBytesMax)")
            }
            total += byteCount
        }
        if total > Self.callBytesMax { throw .invalidArgument("Records size exceeds 4 MB limit") }
        let payload = room.baseAddress! + BufferFrame.byteCount
        var filled = 0
        recordBytes.removeAll(keepingCapacity: true)
        for text in records {
            let source = UnsafeRawBufferPointer(start: text.bytes, count: text.count)
            guard let count = decodeBase64(source, into: payload + filled) else {
                throw .serialization("Data is not base64.")
            }
            filled += count
            recordBytes.append(count)
        }
        BufferFrame.write(payloadBytes: filled, to: room.baseAddress!)
        return UnsafeRawBufferPointer(rebasing: room[..<(BufferFrame.byteCount + filled)])
    }

    /// The last call's frame without these records. Once a call: it moves what it keeps together.
    func frame(without dropped: Set<Int>) -> UnsafeRawBufferPointer {
        let payload = room.baseAddress! + BufferFrame.byteCount
        var (read, filled) = (0, 0)
        for (index, byteCount) in recordBytes.enumerated() {
            if !dropped.contains(index) {
                memmove(payload + filled, payload + read, byteCount)
                filled += byteCount
            }
            read += byteCount
        }
        BufferFrame.write(payloadBytes: filled, to: room.baseAddress!)
        return UnsafeRawBufferPointer(rebasing: room[..<(BufferFrame.byteCount + filled)])
    }

    /// What a base64 text decodes to, if it is one.
    private static func rawByteCount(_ text: cjson_text) -> Int {
        var count = text.count / 4 * 3
        if text.count >= 4 {
            if text.bytes[text.count - 1] == 0x3d { count -= 1 }
            if text.bytes[text.count - 2] == 0x3d { count -= 1 }
        }
        return max(count, 0)
    }
}
