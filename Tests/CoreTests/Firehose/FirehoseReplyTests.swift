import Core
import Testing

@Suite struct FirehoseReplyTests {
    static func reply(
        status: Int, headers: String = "", body: String, records: Int = 1
    ) -> FirehoseReply {
        var reader = HTTPResponseReader()
        let text =
            "HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        _ = Array(text.utf8).withUnsafeBytes { reader.consume($0) }
        return FirehoseReply(reader, recordCount: records)
    }

    static func failure(_ reply: FirehoseReply) -> FirehoseReply.Failure? {
        if case .failed(let failure) = reply { failure } else { nil }
    }

    @Test func `a full success is delivered`() {
        let body = #"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"1"}]}"#
        #expect(Self.reply(status: 200, body: body) == .delivered)
    }

    @Test func `a partial failure names its records, and throttling among them`() {
        func body(_ code: String) -> String {
            #"{"FailedPutCount":1,"RequestResponses":[{"RecordId":"1"},{"ErrorCode":"\#(code)"}]}"#
        }
        for (code, fault) in [
            ("ServiceUnavailableException", FirehoseFault.retry), ("Unheard", .retry),
            ("ThrottlingException", .throttled),
        ] {
            guard
                case .partial(let failed, let found, let text) = Self.reply(
                    status: 200, body: body(code), records: 2)
            else {
                Issue.record("not partial: \(code)")
                continue
            }
            #expect(failed == [1] && found == fault && text.contains(code))
        }
    }

    @Test func `a web page with status 200 is not a success`() {
        let reply = Self.reply(status: 200, body: "<html><h1>Welcome to nginx</h1></html>")
        #expect(Self.failure(reply)?.fault == .notFirehose)
    }

    static let errors: [(Int, String, FirehoseFault)] = [
        (500, #"{"__type":"InternalFailure"}"#, .retry),
        (503, #"{"__type":"ServiceUnavailableException","message":"Slow down."}"#, .retry),
        (502, "<html>bad gateway</html>", .retry),
        (504, "", .retry),
        (408, "", .retry),
        (429, "", .throttled),
        (400, #"{"__type":"ThrottlingException","message":"Rate exceeded"}"#, .throttled),
        (400, #"{"__type":"com.amazon.coral#LimitExceededException:http://x"}"#, .throttled),
        (
            400,
            #"{"__type":"InvalidSignatureException","message":"Signature expired: 1 is now earlier than 2"}"#,
            .clockSkew
        ),
        (
            400,
            #"{"__type":"InvalidSignatureException","message":"Signature not yet current: 1"}"#,
            .clockSkew
        ),
        (400, #"{"__type":"RequestTimeTooSkewed"}"#, .clockSkew),
        (
            400,
            #"{"__type":"InvalidSignatureException","message":"The request signature we calculated does not match"}"#,
            .refused
        ),
        (400, #"{"__type":"UnrecognizedClientException"}"#, .refused),
        (400, #"{"__type":"ExpiredTokenException"}"#, .refused),
        (400, #"{"__type":"AccessDeniedException","Message":"not authorized"}"#, .refused),
        (400, #"{"__type":"ResourceNotFoundException","message":"Firehose x"}"#, .refused),
        (400, #"{"__type":"NeverSeenException"}"#, .refused),
        (403, "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>", .refused),
        (403, "", .refused),
        (400, #"{"__type":"InvalidArgumentException","message":"Records size"}"#, .invalid),
        (400, #"{"__type":"ValidationException"}"#, .invalid),
        (413, "", .invalid),
        (404, "<html>not here</html>", .notFirehose),
        (301, "", .notFirehose),
    ]

    @Test(arguments: errors)
    func `each error has its class`(status: Int, body: String, fault: FirehoseFault) {
        #expect(Self.failure(Self.reply(status: status, body: body))?.fault == fault)
    }

    @Test func `the code may stand in the header`() {
        let reply = Self.reply(
            status: 400, headers: "x-amzn-ErrorType: ResourceNotFoundException:http://a/\r\n",
            body: #"{"message":"no such stream"}"#)
        #expect(Self.failure(reply)?.fault == .refused)
        #expect(Self.failure(reply)?.text == "ResourceNotFoundException: no such stream")
    }

    @Test func `the service's clock and wish are kept`() {
        let reply = Self.reply(
            status: 503,
            headers: "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\nx-amz-retry-after: 1500\r\n", body: "")
        #expect(Self.failure(reply)?.serverUnixSeconds == 1_767_323_045)
        #expect(Self.failure(reply)?.retryAfterMs == 1500)
    }

    @Test(
        arguments: [
            ("Retry-After: 2\r\n", 2000), ("retry-after: 2\r\nx-amz-retry-after: 1500\r\n", 1500),
            ("Retry-After: Fri, 02 Jan 2026 03:04:05 GMT\r\n", nil), ("Retry-After: -1\r\n", nil),
            ("Retry-After: 99999999999\r\n", nil), ("", nil),
        ] as [(String, UInt64?)])
    func `a wish in seconds counts where the service's own is not there`(
        headers: String, ms: UInt64?
    ) {
        let reply = Self.reply(status: 429, headers: headers, body: "")
        #expect(Self.failure(reply)?.fault == .throttled)
        #expect(Self.failure(reply)?.retryAfterMs == ms)
    }

    @Test(arguments: [
        ("ExpiredTokenException", "has ended"), ("UnrecognizedClientException", "does not know it"),
        ("AccessDeniedException", "allow firehose:PutRecordBatch"),
        ("ResourceNotFoundException", "hydrant streams check"),
        ("InvalidKMSResourceException", "KMS key"), ("InvalidSourceException", "direct PUT"),
        ("OptInRequired", "check key pair, rights, region and stream name"),
    ])
    func `each refusal has its own remedy`(code: String, words: String) throws {
        let reply = Self.reply(status: 400, body: #"{"__type":"\#(code)","message":"so: it is"}"#)
        let failure = try #require(Self.failure(reply))
        let remedy = failure.fault.remedy(failure.text)
        #expect(failure.fault == .refused)
        #expect(remedy.contains(words) && remedy.hasPrefix("rows stay in the spool; "))
    }

    @Test func `a stranger's text is short and printable`() {
        let long = String(repeating: "x", count: 5000)
        for body in [#"{"__type":"A\nB","message":"\u001b[31m\#(long)"}"#, "\u{1b}[31m" + long] {
            let text = Self.failure(Self.reply(status: 400, body: body))?.text ?? ""
            #expect(!text.isEmpty && text.utf8.count < 500)
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
    }

    @Test func `an error written as the service writes it is read back`() {
        let error = FirehoseError(code: "ResourceNotFoundException", message: "no \"x\"\n")
        let read = Array(error.body.utf8).withUnsafeBytes {
            FirehoseError(errorTypeHeader: nil, body: $0)
        }
        #expect(read == FirehoseError(code: error.code, message: "no \"x\" "))
    }
}
