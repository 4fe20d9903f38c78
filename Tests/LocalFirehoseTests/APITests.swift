import Core
import Foundation
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

@Suite struct APITests {
    static let now: Int64 = 1_767_323_045  // 2026-01-02 03:04:05 UTC
    static let credentials = Credentials(accessKeyID: "AKID", secretAccessKey: "secret")
    let folder = TemporaryFolder()
    let counters = OwnCounters()

    private func makeAPI(
        _ credentials: Credentials = credentials, backlogBytesMax: Int = 1 << 30,
        sink: StreamStore.Sink = .warehouse
    ) throws -> (FirehoseAPI, StreamStore) {
        let store = try makeStore(
            folder, sink: sink, counters: counters, backlogBytesMax: backlogBytesMax)
        let api = FirehoseAPI(
            store: store, credentials: credentials, region: "us-east-1", counters: counters.page,
            log: { _ in })
        return (api, store)
    }

    /// What a caller sends; each part may be spoiled after signing.
    private struct Call {
        var target = "Firehose_20150804.PutRecord"
        var body = #"{"DeliveryStreamName":"good","Record":{"Data":"e30K"}}"#
        var credentials = APITests.credentials
        var signedAt = APITests.now
        var region = "us-east-1"
        var service = "firehose"
        /// Changes the signed request.
        var spoil: (inout APIRequestHead, inout String) -> Void = { _, _ in }

        func answer(_ api: FirehoseAPI) -> (status: Int, json: JSONValue) {
            let date = amzDate(unixSeconds: signedAt)
            var headers = [
                SigV4.Header("Host", "127.0.0.1:8090"),
                SigV4.Header("Content-Type", "application/x-amz-json-1.1"),
                SigV4.Header("X-Amz-Date", date), SigV4.Header("X-Amz-Target", target),
            ]
            if let token = credentials.sessionToken {
                headers.append(SigV4.Header("X-Amz-Security-Token", token))
            }
            var signer = SigV4.Signer(region: region, service: service)
            let authorization = signer.authorization(
                credentials: credentials, amzDate: date, method: "POST", path: "/",
                headers: headers, payloadHash: lowerHex(Sha256.digest(body)))
            headers.append(SigV4.Header("Authorization", authorization))
            var head = APIRequestHead(method: "POST", path: "/", query: "", headers: headers)
            var sent = body
            spoil(&head, &sent)
            let padded = Array(sent.utf8) + [UInt8](repeating: 0, count: 64)
            let answer = padded.withUnsafeBytes {
                api.answer(
                    HTTPRequest(
                        head: head, body: UnsafeRawBufferPointer(rebasing: $0[..<sent.utf8.count]),
                        bodyHash: lowerHex(Sha256.digest(sent))),
                    nowSeconds: APITests.now, nowMs: 0)
            }
            #expect(answer.fields.contains { $0.name == "x-amzn-RequestId" })
            let json = JSONValue(parsing: answer.body)!
            if answer.status != 200 {
                #expect(
                    answer.fields.contains {
                        $0.name == "x-amzn-ErrorType" && $0.value == json["__type"]?.text
                    })
            }
            return (answer.status, json)
        }
    }

    private func type(_ answer: (status: Int, json: JSONValue)) -> String {
        "\(answer.status) \(answer.json["__type"]?.text ?? "-")"
    }

    private func drop(_ name: String) -> (inout APIRequestHead, inout String) -> Void {
        { head, _ in head.headers.removeAll { $0.name == name } }
    }

    // MARK: Signatures

    @Test func `a rightly signed record is taken and is in the buffer file before its answer`()
        throws
    {
        let (api, store) = try makeAPI()
        let answer = Call().answer(api)
        #expect(answer.status == 200)
        #expect(answer.json["RecordId"]?.text?.isEmpty == false)
        #expect(answer.json["Encrypted"] == .bool(false))
        let buffer = folder.files(below: "local/streams/good").first { $0.hasPrefix("buffer-") }!
        let bytes = folder.contents("local/streams/good/" + buffer)
        #expect(bytes == [0x48, 0x42, 0x59, 0x46, 3, 0, 0, 0] + Array("{}\n".utf8))
        #expect(counters.page.value(of: .localRecords) == 1)
        withExtendedLifetime(store) {}
    }

    @Test func `wrong secret, unknown key, changed body, missing and broken headers are refused`()
        throws
    {
        let (api, _) = try makeAPI()
        var wrong = Call()
        wrong.credentials.secretAccessKey = "other"
        #expect(type(wrong.answer(api)) == "400 InvalidSignatureException")
        var unknown = Call()
        unknown.credentials.accessKeyID = "AKIDOTHER"
        #expect(type(unknown.answer(api)) == "400 UnrecognizedClientException")
        var token = Call()
        token.credentials.sessionToken = "a token"
        #expect(type(token.answer(api)) == "400 UnrecognizedClientException")
        let changed = Call { _, body in body = body.replacing("e30K", with: "e31K") }
        #expect(type(changed.answer(api)) == "400 InvalidSignatureException")
        let moved = Call { head, _ in
            head.headers[3].value = "Firehose_20150804.ListDeliveryStreams"
        }
        #expect(type(moved.answer(api)) == "400 InvalidSignatureException")
        #expect(
            type(Call(spoil: drop("Authorization")).answer(api))
                == "400 MissingAuthenticationTokenException")
        #expect(
            type(Call(spoil: drop("X-Amz-Date")).answer(api))
                == "400 IncompleteSignatureException")
        let basic = Call { head, _ in head.headers[4].value = "Basic YTpi" }
        #expect(type(basic.answer(api)) == "400 MissingAuthenticationTokenException")
        let half = Call { head, _ in
            head.headers[4].value =
                "AWS4-HMAC-SHA256 Credential=AKID/20260102/us-east-1/firehose/aws4_request"
        }
        #expect(type(half.answer(api)) == "400 IncompleteSignatureException")
        #expect(counters.page.value(of: .localCallsRefused) == 9)
        #expect(counters.page.value(of: .localRecords) == 0)
    }

    @Test func `what the request means must be covered by the signature`() throws {
        let (api, _) = try makeAPI()
        let unsigned = Call { head, _ in
            var signer = SigV4.Signer(region: "us-east-1", service: "firehose")
            let signed = head.headers.filter { $0.name == "Host" || $0.name == "X-Amz-Date" }
            head.headers[4].value = signer.authorization(
                credentials: Self.credentials, amzDate: head.header("x-amz-date")!,
                method: "POST", path: "/", headers: signed,
                payloadHash: lowerHex(Sha256.digest(Call().body)))
        }
        let answer = unsigned.answer(api)
        #expect(type(answer) == "400 InvalidSignatureException")
        #expect(answer.json["message"]?.text?.contains("'x-amz-target' must be") == true)
    }

    @Test func `another region or service is refused`() throws {
        let (api, _) = try makeAPI()
        #expect(type(Call(region: "eu-west-1").answer(api)) == "400 InvalidSignatureException")
        #expect(type(Call(service: "s3").answer(api)) == "400 InvalidSignatureException")
    }

    @Test func `five minutes of skew pass, one second more is refused in the service's words`()
        throws
    {
        let (api, _) = try makeAPI()
        #expect(Call(signedAt: Self.now - 300).answer(api).status == 200)
        #expect(Call(signedAt: Self.now + 300).answer(api).status == 200)
        let late = Call(signedAt: Self.now - 301).answer(api)
        #expect(type(late) == "400 InvalidSignatureException")
        #expect(
            late.json["message"]?.text
                == "Signature expired: 20260102T025904Z is now earlier than 20260102T025905Z "
                + "(20260102T030405Z - 5 min.)")
        let early = Call(signedAt: Self.now + 301).answer(api)
        #expect(
            early.json["message"]?.text
                == "Signature not yet current: 20260102T030906Z is still later than "
                + "20260102T030905Z (20260102T030405Z + 5 min.)")
    }

    @Test func `a cluster with a session token wants exactly that token`() throws {
        let temporary = Credentials(
            accessKeyID: "AKID", secretAccessKey: "secret", sessionToken: "t1")
        let (api, _) = try makeAPI(temporary)
        #expect(Call(credentials: temporary).answer(api).status == 200)
        #expect(type(Call().answer(api)) == "400 UnrecognizedClientException")
    }

    // MARK: Put

    private func batch(_ records: [Int], stream: String = "good") -> Call {
        let list = records.map {
            "{\"Data\":\"" + Data(repeating: 0x61, count: $0).base64EncodedString() + "\"}"
        }
        return Call(
            target: "Firehose_20150804.PutRecordBatch",
            body:
                "{\"DeliveryStreamName\":\"\(stream)\",\"Records\":[\(list.joined(separator: ","))]}"
        )
    }

    @Test func `a batch answers an id a record, all different`() throws {
        let (api, _) = try makeAPI()
        let answer = batch([1, 2, 3]).answer(api)
        #expect(answer.status == 200)
        #expect(answer.json["FailedPutCount"] == .integer(0))
        guard case .array(let responses)? = answer.json["RequestResponses"] else {
            Issue.record("no RequestResponses")
            return
        }
        #expect(Set(responses.compactMap { $0["RecordId"]?.text }).count == 3)
    }

    @Test func `limits hold to the byte`() throws {
        let (api, _) = try makeAPI(sink: .discard)
        #expect(batch([1_024_000]).answer(api).status == 200)
        let record = batch([5, 1_024_001]).answer(api)
        #expect(type(record) == "400 ValidationException")
        #expect(
            record.json["message"]?.text
                == "1 validation error detected: Value "
                + "'java.nio.HeapByteBuffer[pos=0 lim=1024001 cap=1024001]' at "
                + "'records.2.member.data' failed to satisfy constraint: Member must have length "
                + "less than or equal to 1024000")
        let full = Array(repeating: 1_024_000, count: 4)
        #expect(batch(full + [4_194_304 - 4_096_000]).answer(api).status == 200)
        let over = batch(full + [4_194_305 - 4_096_000]).answer(api)
        #expect(type(over) == "400 InvalidArgumentException")
        #expect(over.json["message"]?.text == "Records size exceeds 4 MB limit")
        #expect(batch(Array(repeating: 1, count: 500)).answer(api).status == 200)
        #expect(
            type(batch(Array(repeating: 1, count: 501)).answer(api)) == "400 ValidationException")
        #expect(type(batch([]).answer(api)) == "400 ValidationException")
    }

    @Test(arguments: [
        ("{", "SerializationException"), ("[]", "SerializationException"),
        ("{}", "ValidationException"), (#"{"DeliveryStreamName":"good"}"#, "ValidationException"),
        (#"{"DeliveryStreamName":7,"Record":{"Data":""}}"#, "SerializationException"),
        (#"{"DeliveryStreamName":"good","Record":{}}"#, "ValidationException"),
        (#"{"DeliveryStreamName":"good","Record":{"Data":null}}"#, "ValidationException"),
        (#"{"DeliveryStreamName":"good","Record":{"Data":5}}"#, "SerializationException"),
        (#"{"DeliveryStreamName":"good","Record":{"Data":"!!!!"}}"#, "SerializationException"),
        (#"{"DeliveryStreamName":"good","Record":{"Data":"YQ"}}"#, "SerializationException"),
        (#"{"DeliveryStreamName":"a b","Record":{"Data":""}}"#, "ValidationException"),
        (#"{"DeliveryStreamName":"","Record":{"Data":""}}"#, "ValidationException"),
        (#"{"DeliveryStreamName":"..","Record":{"Data":""}}"#, "ResourceNotFoundException"),
        (#"{"DeliveryStreamName":"nope","Record":{"Data":""}}"#, "ResourceNotFoundException"),
    ])
    func `a body that asks for nothing sensible is refused`(body: String, expected: String) throws {
        let (api, _) = try makeAPI()
        #expect(type(Call(body: body).answer(api)) == "400 \(expected)")
        #expect(folder.files(below: "local/streams/good") == ["stream.json"])
    }

    @Test func `escaped base64 is base64`() throws {
        let (api, store) = try makeAPI()
        let body = #"{"DeliveryStreamName":"good","Record":{"Data":"\u0065\/8K"}}"#
        #expect(Call(body: body).answer(api).status == 200)
        store.finishAll()
        let object = folder.files(below: "s3/hydrant-local")[0]
        #expect(gunzip(folder.contents("s3/hydrant-local/" + object)) == [0x7b, 0xff, 0x0a])
    }

    @Test func `discard checks and counts and keeps nothing`() throws {
        let (api, store) = try makeAPI(sink: .discard)
        #expect(Call().answer(api).status == 200)
        store.finishAll()
        #expect(counters.page.value(of: .localRecords) == 1)
        #expect(
            folder.files() == [
                "local/lock", "local/streams/bad/stream.json", "local/streams/good/stream.json",
            ])
    }

    @Test func `with too much waiting to be loaded, calls are told to slow down`() throws {
        let (api, store) = try makeAPI(backlogBytesMax: 5)
        #expect(Call().answer(api).status == 200)
        store.sealAll()
        #expect(type(Call().answer(api)) == "503 ServiceUnavailableException")
        store.finishAll()
        #expect(Call().answer(api).status == 200)
    }

    @Test func `an unknown operation is named`() throws {
        let (api, _) = try makeAPI()
        for target in ["", "Firehose_20150804.DeleteDeliveryStream", "Kinesis_1.PutRecord"] {
            #expect(type(Call(target: target).answer(api)) == "400 UnknownOperationException")
        }
    }

    // MARK: Streams

    private func create(_ name: String, _ s3: String) -> Call {
        Call(
            target: "Firehose_20150804.CreateDeliveryStream",
            body: #"{"DeliveryStreamName":"\#(name)","ExtendedS3DestinationConfiguration":\#(s3)}"#)
    }

    private func describe(_ name: String) -> Call {
        Call(
            target: "Firehose_20150804.DescribeDeliveryStream",
            body: #"{"DeliveryStreamName":"\#(name)"}"#)
    }

    @Test func `a created stream is described, listed, filled, and still there after a restart`()
        throws
    {
        do {
            let (api, store) = try makeAPI()
            let made = create(
                "mine", #"{"RoleARN":"r","BucketARN":"arn:aws:s3:::px-bucket","Prefix":"hits/"}"#
            ).answer(api)
            #expect(
                made.json["DeliveryStreamARN"]?.text
                    == "arn:aws:firehose:us-east-1:000000000000:deliverystream/mine")
            #expect(
                type(create("mine", #"{"BucketARN":"arn:aws:s3:::abc"}"#).answer(api))
                    == "400 ResourceInUseException")
            #expect(batch([3], stream: "mine").answer(api).status == 200)
            store.finishAll()
            let objects = folder.files(below: "s3/px-bucket/hits")
            #expect(objects.count == 1 && !objects[0].hasSuffix(".gz"), "uncompressed, as asked")
            #expect(folder.contents("s3/px-bucket/hits/" + objects[0]) == Array("aaa".utf8))
            #expect(try store.rows("SELECT count(*) FROM _loaded_objects") == [[.integer(0)]])
        }
        let (api, _) = try makeAPI()
        let told = describe("mine").answer(api).json["DeliveryStreamDescription"]
        #expect(told?["DeliveryStreamStatus"] == .text("ACTIVE"))
        guard case .array(let destinations)? = told?["Destinations"] else {
            Issue.record("no Destinations")
            return
        }
        #expect(destinations[0]["ExtendedS3DestinationDescription"]?["Prefix"] == .text("hits/"))
        let list = Call(
            target: "Firehose_20150804.ListDeliveryStreams",
            body: #"{"Limit":1,"ExclusiveStartDeliveryStreamName":"bad"}"#
        ).answer(api).json
        #expect(list["DeliveryStreamNames"] == .array([.text("good")]))
        #expect(list["HasMoreDeliveryStreams"] == .bool(true))
        #expect(type(describe("other").answer(api)) == "400 ResourceNotFoundException")
    }

    @Test func `a Redshift stream is described without its password, nor is that kept`() throws {
        let (api, _) = try makeAPI()
        let call = Call(
            target: "Firehose_20150804.CreateDeliveryStream",
            body: #"{"DeliveryStreamName":"rs","RedshiftDestinationConfiguration":{"Username":"u","#
                + #""Password":"hush-hush","S3Configuration":{"BucketARN":"arn:aws:s3:::abc","#
                + #""CompressionFormat":"GZIP"}}}"#)
        #expect(call.answer(api).status == 200)
        let told = describe("rs").answer(api).json.bytes
        #expect(String(decoding: told, as: UTF8.self).contains(#""Username":"u""#))
        let kept = folder.contents("local/streams/rs/stream.json")
        for bytes in [told, kept] {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("hush-hush"))
        }
    }

    @Test(arguments: [
        #"{"BucketARN":"arn:aws:s3:::.."}"#, #"{"BucketARN":"arn:aws:s3:::a/b"}"#,
        #"{"BucketARN":"arn:aws:s3:::abc","Prefix":"../up/"}"#,
        #"{"BucketARN":"arn:aws:s3:::abc","Prefix":"/etc/"}"#,
        #"{"BucketARN":"arn:aws:s3:::abc","Prefix":"a/../../b"}"#,
        #"{"BucketARN":"arn:aws:s3:::abc","Prefix":"!{timestamp:yyyy}/"}"#,
        #"{"BucketARN":"arn:aws:s3:::abc","CompressionFormat":"Snappy"}"#, "{}",
    ])
    func `a destination that would climb out of the folder, or is not served, is refused`(
        s3: String
    )
        throws
    {
        let (api, _) = try makeAPI()
        let before = folder.files()
        #expect(create("x", s3).answer(api).status == 400)
        #expect(type(create("..", s3).answer(api)).hasPrefix("400"))
        #expect(folder.files() == before)
    }
}
