/// What a PutRecordBatch call with status 200 says: which records were taken, which were not.
///
///     {"FailedPutCount":1,"Encrypted":false,"RequestResponses":[
///         {"RecordId":"…"},
///         {"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."}]}
public struct PutRecordBatchAnswer: Equatable, Sendable {
    public struct Failed: Equatable, Sendable {
        /// Of the record in the call.
        public var index: Int
        public var code: String
        public var message: String

        public init(index: Int, code: String, message: String) {
            self.index = index
            self.code = code
            self.message = message
        }
    }

    /// In the call's order. Empty: everything was taken.
    public var failed: [Failed]

    public init(failed: [Failed]) { self.failed = failed }

    /// Why an answer is not believed. Nothing of its call then counts as delivered.
    public enum Flaw: Error, Equatable, CustomStringConvertible {
        case notJSON
        case missing(String)
        case resultCount(Int, expected: Int)
        case failedPutCount(Int, counted: Int)
        case emptyResult(index: Int)

        public var description: String {
            switch self {
            case .notJSON: "the answer is not the JSON of PutRecordBatch"
            case .missing(let name): "the answer has no \(name)"
            case .resultCount(let count, let expected):
                "the answer has \(count) results for \(expected) records"
            case .failedPutCount(let count, let counted):
                "FailedPutCount is \(count), but \(counted) results are failures"
            case .emptyResult(let index):
                "result \(index) has neither RecordId nor ErrorCode"
            }
        }
    }

    /// Reads a whole answer to a call of `recordCount` records.
    public init(parsing body: UnsafeRawBufferPointer, recordCount: Int) throws(Flaw) {
        var reader = Reader()
        do {
            var scanner = JSONScanner(body)
            try scanner.object { (it, name) throws(JSONScanner.Flaw) in
                try reader.member(name, &it)
            }
            try scanner.end()
        } catch { throw .notJSON }
        guard let failedPutCount = reader.failedPutCount else { throw .missing("FailedPutCount") }
        guard let resultCount = reader.resultCount else { throw .missing("RequestResponses") }
        guard resultCount == recordCount
        else { throw .resultCount(resultCount, expected: recordCount) }
        if let index = reader.emptyResult { throw .emptyResult(index: index) }
        guard failedPutCount == reader.failed.count
        else { throw .failedPutCount(failedPutCount, counted: reader.failed.count) }
        failed = reader.failed
    }

    private struct Reader {
        var failedPutCount: Int?
        var resultCount: Int?
        var emptyResult: Int?
        var failed: [Failed] = []

        mutating func member(
            _ name: JSONText, _ scanner: inout JSONScanner
        ) throws(JSONScanner.Flaw) {
            switch name {
            case "FailedPutCount": failedPutCount = try scanner.count()
            case "RequestResponses":
                // Named twice, the results of a call would be counted twice.
                guard resultCount == nil else { throw .unexpected(offset: scanner.offset) }
                var index = 0
                try scanner.array { (it) throws(JSONScanner.Flaw) in
                    guard index < Limits.firehoseCallRecordsMax
                    else { throw .unexpected(offset: it.offset) }
                    try result(index, &it)
                    index += 1
                }
                resultCount = index
            default: try scanner.skip()
            }
        }

        mutating func result(
            _ index: Int, _ scanner: inout JSONScanner
        ) throws(JSONScanner.Flaw) {
            var hasID = false
            var code: JSONText?
            var message: JSONText?
            try scanner.object { (it, name) throws(JSONScanner.Flaw) in
                switch name {
                case "RecordId": hasID = try it.textOrNull()?.isEmpty == false
                case "ErrorCode": code = try it.textOrNull()
                case "ErrorMessage": message = try it.textOrNull()
                default: try it.skip()
                }
            }
            if let code, !code.isEmpty {
                failed.append(
                    Failed(
                        index: index, code: code.string(bytesMax: 128),
                        message: message?.string(bytesMax: 256) ?? ""))
            } else if !hasID {
                emptyResult = emptyResult ?? index
            }
        }
    }
}
