import Core
import TestSupport
import Testing

@Suite struct PutRecordBatchAnswerTests {
    static func parse(
        _ text: String, records: Int
    ) -> Result<PutRecordBatchAnswer, PutRecordBatchAnswer.Flaw> {
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(PutRecordBatchAnswer.Flaw) {
                return .success(try PutRecordBatchAnswer(parsing: bytes, recordCount: records))
            } catch { return .failure(error) }
        }
    }

    static let partial = """
        {"FailedPutCount": 2, "Encrypted":false, "RequestResponses":[
          {"RecordId":"a\\u0041\\"\\\\"},
          {"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."},
          {"RecordId":"b", "ErrorCode":null},
          {"ErrorMessage":"x\\ny","ErrorCode":"New\\tThing","More":{"a":[1,-2.5e3,true,null]}}]}
        """

    @Test func `a success has nothing failed`() {
        let text = #"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"},{"RecordId":"2"}]}"#
        #expect(Self.parse(text, records: 2) == .success(.init(failed: [])))
    }

    @Test func `failures are told by index, code and message`() {
        #expect(
            Self.parse(Self.partial, records: 4)
                == .success(
                    .init(failed: [
                        .init(
                            index: 1, code: "ServiceUnavailableException", message: "Slow down."),
                        .init(index: 3, code: "New\tThing", message: "x\ny"),
                    ])))
    }

    @Test func `an answer cut at any byte is no answer`() {
        for cut in 0..<Self.partial.utf8.count {
            let text = String(decoding: Array(Self.partial.utf8.prefix(cut)), as: UTF8.self)
            #expect(Self.parse(text, records: 4) == .failure(.notJSON), "cut at \(cut)")
        }
    }

    @Test func `no changed byte makes the parser fail worse than with a flaw`() {
        var random = SeededDice(seed: 7)
        let whole = Array(Self.partial.utf8)
        for at in whole.indices {
            var bytes = whole
            bytes[at] = UInt8.random(in: 0...255, using: &random)
            bytes.withUnsafeBytes {
                if let answer = try? PutRecordBatchAnswer(parsing: $0, recordCount: 4) {
                    #expect(answer.failed.count == 2)
                }
            }
        }
    }

    static let contradictions: [(String, Int, PutRecordBatchAnswer.Flaw)] = [
        (
            #"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}"#, 2,
            .resultCount(1, expected: 2)
        ),
        (#"{"FailedPutCount":0,"RequestResponses":[]}"#, 1, .resultCount(0, expected: 1)),
        (
            #"{"FailedPutCount":0,"RequestResponses":[{"ErrorCode":"X"}]}"#, 1,
            .failedPutCount(0, counted: 1)
        ),
        (
            #"{"FailedPutCount":1,"RequestResponses":[{"RecordId":"1"}]}"#, 1,
            .failedPutCount(1, counted: 0)
        ),
        (#"{"FailedPutCount":0,"RequestResponses":[{"RecordId":""}]}"#, 1, .emptyResult(index: 0)),
        (#"{"FailedPutCount":0,"RequestResponses":[{}]}"#, 1, .emptyResult(index: 0)),
        (#"{"RequestResponses":[{"RecordId":"1"}]}"#, 1, .missing("FailedPutCount")),
        (#"{"FailedPutCount":0}"#, 1, .missing("RequestResponses")),
        (#"{"FailedPutCount":-1,"RequestResponses":[{"RecordId":"1"}]}"#, 1, .notJSON),
        (#"{"FailedPutCount":99999999999999999999,"RequestResponses":[]}"#, 1, .notJSON),
        (
            #"{"FailedPutCount":0,"RequestResponses":[],"RequestResponses":[{"RecordId":"1"}]}"#, 1,
            .notJSON
        ),
        (#"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}x"#, 1, .notJSON),
        ("<html>It works!</html>", 1, .notJSON),
        ("", 1, .notJSON),
        ("[]", 1, .notJSON),
    ]

    @Test(arguments: contradictions)
    func `an answer that contradicts itself or the call is not believed`(
        text: String, records: Int, flaw: PutRecordBatchAnswer.Flaw
    ) {
        #expect(Self.parse(text, records: records) == .failure(flaw))
    }

    @Test func `depth and number of results are bounded`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(Self.parse(#"{"x":"# + deep, records: 1) == .failure(.notJSON))
        let many = Array(repeating: #"{"RecordId":"1"}"#, count: 501).joined(separator: ",")
        let text = #"{"FailedPutCount":0,"RequestResponses":[\#(many)]}"#
        #expect(Self.parse(text, records: 501) == .failure(.notJSON))
    }
}
