/// What came of one PutRecordBatch call, judged.
public enum FirehoseReply: Equatable, Sendable {
    case delivered
    /// Records at these indexes were not taken, in rising order; the others were.
    case partial(failed: [Int], fault: FirehoseFault, text: String)
    /// Nothing counts as taken.
    case failed(Failure)

    public struct Failure: Equatable, Sendable {
        public var fault: FirehoseFault
        /// For people: code, message, status.
        public var text: String
        /// The service's wish, from x-amz-retry-after; or Retry-After (RFC 9110, 10.2.3), which
        /// whatever stands before it may send.
        public var retryAfterMs: UInt64?
        /// The service's clock, from its `Date`.
        public var serverUnixSeconds: Int64?

        public init(
            fault: FirehoseFault, text: String, retryAfterMs: UInt64? = nil,
            serverUnixSeconds: Int64? = nil
        ) {
            self.fault = fault
            self.text = text
            self.retryAfterMs = retryAfterMs
            self.serverUnixSeconds = serverUnixSeconds
        }
    }

    /// Judges the whole response to a call of `recordCount` records.
    public init(_ response: HTTPResponseReader, recordCount: Int) {
        self = response.body.withUnsafeBytes { body in
            response.status == 200
                ? Self.accepted(body, recordCount) : Self.refused(response, body)
        }
    }

    private static func accepted(
        _ body: UnsafeRawBufferPointer, _ recordCount: Int
    ) -> FirehoseReply {
        do throws(PutRecordBatchAnswer.Flaw) {
            let answer = try PutRecordBatchAnswer(parsing: body, recordCount: recordCount)
            guard let first = answer.failed.first else { return .delivered }
            let faults = answer.failed.map { FirehoseFault.ofRecord(code: $0.code) }
            return .partial(
                failed: answer.failed.map(\.index),
                fault: Self.worst(faults),
                text: "\(answer.failed.count) of \(recordCount) records were not taken: "
                    + printable("\(first.code): \(first.message)"))
        } catch {
            return .failed(Failure(fault: .notFirehose, text: "\(error)"))
        }
    }

    /// What all the failed records together ask for. Only if none may pass as it is are they refused.
    private static func worst(_ faults: [FirehoseFault]) -> FirehoseFault {
        if faults.contains(.throttled) { return .throttled }
        return faults.allSatisfy { $0 == .invalid } ? .invalid : .retry
    }

    private static func retryAfterMs(_ response: HTTPResponseReader) -> UInt64? {
        if let ms = response.header("x-amz-retry-after").flatMap({ UInt64($0) }) { return ms }
        let seconds = response.header("retry-after").flatMap { UInt32($0) }
        return seconds.map { UInt64($0) * 1000 }
    }

    private static func refused(
        _ response: HTTPResponseReader, _ body: UnsafeRawBufferPointer
    ) -> FirehoseReply {
        let error = FirehoseError(
            errorTypeHeader: response.header("x-amzn-errortype"), body: body)
        let name = error.code.isEmpty ? "status \(response.status)" : error.code
        return .failed(
            Failure(
                fault: .of(status: response.status, code: error.code, message: error.message),
                text: error.message.isEmpty ? name : "\(name): \(error.message)",
                retryAfterMs: Self.retryAfterMs(response),
                serverUnixSeconds: response.header("date").flatMap { parseHTTPDate($0) }))
    }
}
