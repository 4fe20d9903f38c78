import Core
import Platform

/// Answers the calls of the Firehose API (AWS JSON 1.1 over POST /).
final class FirehoseAPI {
    private let store: StreamStore
    private let region: String
    private let counters: CounterPage
    private let log: (String) -> Void
    private var signatures: SignatureCheck
    private let decoder = PutDecoder()
    private let faults: FaultDesk
    /// Record ids are unique: a random number for this process, then a count.
    private let recordIDBase = randomUInt64()
    private var recordCount: UInt64 = 0

    init(
        store: StreamStore, credentials: Credentials, region: String, counters: CounterPage,
        faults: FaultDesk? = nil, log: @escaping (String) -> Void
    ) {
        self.store = store
        self.faults = faults ?? FaultDesk(counters: counters)
        self.region = region
        self.counters = counters
        self.log = log
        signatures = SignatureCheck(credentials: credentials, region: region)
    }

    /// - Parameters:
    ///   - nowSeconds: the wall clock.
    ///   - nowMs: the loop's clock.
    func answer(_ request: HTTPRequest, nowSeconds: Int64, nowMs: UInt64) -> HTTPAnswer {
        var answer = HTTPAnswer(status: 200, contentType: "application/x-amz-json-1.1", body: [])
        answer.fields.append(.init(name: "x-amzn-RequestId", value: randomUUID()))
        do throws(APIError) {
            let skewSeconds = faults.skewSeconds(request, nowMs: nowMs)
            answer.manner.clockOffsetSeconds = skewSeconds
            try signatures.check(request, nowSeconds: nowSeconds + skewSeconds)
            try call(request, &answer, nowSeconds: nowSeconds, nowMs: nowMs)
            counters.add(to: .localCalls)
        } catch {
            answer.status = error.status
            answer.fields.append(.init(name: "x-amzn-ErrorType", value: error.type))
            answer.body = error.body
            counters.add(to: .localCallsRefused)
        }
        return answer
    }

    private func call(
        _ request: HTTPRequest, _ answer: inout HTTPAnswer, nowSeconds: Int64, nowMs: UInt64
    ) throws(APIError) {
        let target = request.head.header("x-amz-target") ?? ""
        let parts = target.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "Firehose_20150804" else {
            throw .unknownOperation(target)
        }
        switch parts[1] {
        case "PutRecordBatch":
            try put(request.body, isBatch: true, &answer, nowMs: nowMs)
        case "PutRecord":
            try put(request.body, isBatch: false, &answer, nowMs: nowMs)
        case "CreateDeliveryStream", "DescribeDeliveryStream", "ListDeliveryStreams":
            let json = try json(request.body)
            let control = FaultPlan.Call(
                operation: String(parts[1]), stream: json["DeliveryStreamName"]?.text ?? "")
            let verdict = faults.judge(control, nowMs: nowMs) { _ in false }
            if case .refuse(let refusal)? = verdict?.outcome {
                answer.take(verdict)
                throw APIError(refusal)
            }
            switch control.operation {
            case "CreateDeliveryStream":
                answer.body = try create(json, nowSeconds: nowSeconds)
            case "DescribeDeliveryStream": answer.body = try describe(json)
            default: answer.body = try list(json)
            }
            answer.take(verdict)
        default: throw .unknownOperation(target)
        }
    }

    private func json(_ body: UnsafeRawBufferPointer) throws(APIError) -> JSONValue {
        guard body.count <= 1 << 20, let json = JSONValue(parsing: Array(body)),
            case .object = json
        else { throw .serialization("The body must be a JSON object.") }
        return json
    }

    // MARK: Records

    /// Keeps a call's records and answers it, unless a fault has it otherwise.
    private func put(
        _ body: UnsafeRawBufferPointer, isBatch: Bool, _ answer: inout HTTPAnswer, nowMs: UInt64
    ) throws(APIError) {
        let call = try decoder.decode(body, isBatch: isBatch)
        guard let stream = store.streams[call.stream] else { throw .notFound(call.stream) }
        if store.isBacklogFull { throw .slowDown }
        let judged = FaultPlan.Call(
            operation: isBatch ? "PutRecordBatch" : "PutRecord", stream: call.stream,
            recordBytes: faults.isEmpty ? [] : decoder.recordBytes)
        let verdict = faults.judge(judged, nowMs: nowMs) {
            firstIndex(of: Array($0.utf8), in: call.frame) != nil
        }
        let fate = RecordFate(verdict, recordCount: call.recordCount)
        if fate.stored > 0 {
            let frame = fate.dropped.isEmpty ? call.frame : decoder.frame(without: fate.dropped)
            try store(frame, recordCount: fate.stored, in: stream, nowMs: nowMs)
        }
        if let verdict { faults.note(verdict, fate) }
        if case .refuse(let refusal)? = verdict?.outcome {
            answer.take(verdict)
            throw APIError(refusal)
        }
        answer.body = isBatch ? batchAnswer(call.recordCount, fate, verdict) : recordAnswer()
        answer.take(verdict)
    }

    private func store(
        _ frame: UnsafeRawBufferPointer, recordCount: Int, in stream: DeliveryStream,
        nowMs: UInt64
    ) throws(APIError) {
        if store.options.sink != .discard {
            do throws(Failure) {
                try store.append(frame: frame, to: stream, nowMs: nowMs)
            } catch {
                log("cannot write to the buffer of \(stream.definition.name): \(error)")
                throw .storage
            }
        }
        counters.add(UInt64(recordCount), to: .localRecords)
    }

    private func recordAnswer() -> [UInt8] {
        JSONValue.object(["RecordId": .text(nextRecordID()), "Encrypted": .bool(false)]).bytes
    }

    private func batchAnswer(
        _ recordCount: Int, _ fate: RecordFate, _ verdict: FaultPlan.Verdict?
    ) -> [UInt8] {
        var resultCount = recordCount
        var failedCount = fate.failed.count
        if case .results(let difference)? = verdict?.outcome {
            resultCount = max(0, recordCount + difference)
        }
        if case .failedPutCount(let count)? = verdict?.outcome { failedCount = count }
        var writer = JSONWriter()
        writer.raw("{\"FailedPutCount\":")
        writer.write(.integer(Int64(failedCount)))
        writer.raw(",\"Encrypted\":false,\"RequestResponses\":[")
        for index in 0..<resultCount {
            if index > 0 { writer.raw(",") }
            if let refusal = fate.refusal, fate.failed.contains(index) {
                writer.write(
                    .object([
                        "ErrorCode": .text(refusal.code), "ErrorMessage": .text(refusal.message),
                    ]))
            } else {
                writer.raw("{\"RecordId\":")
                writer.write(nextRecordID())
                writer.raw("}")
            }
        }
        writer.raw("]}")
        return writer.bytes
    }

    private func nextRecordID() -> String {
        recordCount += 1
        return String(recordIDBase, radix: 36) + "-" + String(recordCount, radix: 36)
    }

    // MARK: Streams

    private func create(_ request: JSONValue, nowSeconds: Int64) throws(APIError) -> [UInt8] {
        let definition = try StreamCreation.definition(request, nowSeconds: nowSeconds)
        if store.streams[definition.name] != nil { throw .inUse(definition.name) }
        if store.streams.count >= store.options.streamsMax {
            throw APIError(
                type: "LimitExceededException",
                message: "You have already consumed your firehose quota of "
                    + "\(store.options.streamsMax) hoses")
        }
        do {
            try store.add(definition)
        } catch {
            log("cannot keep the stream \(definition.name): \(error)")
            throw .storage
        }
        return JSONValue.object(["DeliveryStreamARN": .text(arn(definition.name))]).bytes
    }

    private func describe(_ request: JSONValue) throws(APIError) -> [UInt8] {
        guard let name = request["DeliveryStreamName"]?.text else {
            throw .validation("null", at: "deliveryStreamName", "not be null")
        }
        try PutDecoder.check(streamName: name)
        guard let stream = store.streams[name]?.definition else { throw .notFound(name) }
        return JSONValue.object([
            "DeliveryStreamDescription": .object([
                "DeliveryStreamName": .text(name),
                "DeliveryStreamARN": .text(arn(name)),
                "DeliveryStreamStatus": .text("ACTIVE"),
                "DeliveryStreamType": .text("DirectPut"),
                "DeliveryStreamEncryptionConfiguration": .object(["Status": .text("DISABLED")]),
                "VersionId": .text("1"),
                "CreateTimestamp": .integer(stream.createdAtSeconds),
                "Destinations": .array([stream.destination]),
                "HasMoreDestinations": .bool(false),
            ])
        ]).bytes
    }

    private func list(_ request: JSONValue) throws(APIError) -> [UInt8] {
        let limit = request["Limit"]?.integer ?? 10
        guard (1...10_000).contains(limit) else {
            throw .validation(
                "'\(limit)'", at: "limit",
                limit < 1
                    ? "have value greater than or equal to 1"
                    : "have value less than or equal to 10000")
        }
        let start = request["ExclusiveStartDeliveryStreamName"]?.text
        let type = request["DeliveryStreamType"]?.text ?? "DirectPut"
        let names = store.streams.keys.sorted().filter {
            type == "DirectPut" && (start == nil || $0 > start!)
        }
        return JSONValue.object([
            "DeliveryStreamNames": .array(names.prefix(Int(limit)).map { .text($0) }),
            "HasMoreDeliveryStreams": .bool(names.count > Int(limit)),
        ]).bytes
    }

    private func arn(_ name: String) -> String {
        "arn:aws:firehose:\(region):\(StreamDefinition.accountID):deliverystream/\(name)"
    }
}
