import Core
import Testing

/// Golden values were made with botocore 1.43.11 (`botocore.auth.SigV4Auth`, its clock held at
/// 2026-01-02T03:04:05Z): an independent signer.
@Suite struct SigV4Tests {
    static let credentials = Credentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    static let date = "20260102T030405Z"

    static func hash(_ body: String) -> String { lowerHex(Sha256.digest(body)) }

    static let batchBody =
        #"{"DeliveryStreamName":"px-w0","Records":[{"Data":"aGl0Cg=="}]}"#
    static let batchHeaders = [
        SigV4.Header("Content-Type", "application/x-amz-json-1.1"),
        SigV4.Header("Host", "firehose.us-east-1.amazonaws.com"),
        SigV4.Header("X-Amz-Date", date),
        SigV4.Header("X-Amz-Target", "Firehose_20150804.PutRecordBatch"),
    ]
    static let batchSignature = "67a2e7cfc9c4a615261c46cb0f53ebba2a299a8010410edc753597e9d1c76cc7"

    @Test func `a call is signed as botocore signs it`() {
        var signer = SigV4.Signer(region: "us-east-1", service: "firehose")
        let expected =
            "AWS4-HMAC-SHA256 "
            + "Credential=AKIDEXAMPLE/20260102/us-east-1/firehose/aws4_request, "
            + "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
            + "Signature=\(Self.batchSignature)"
        for headers in [Self.batchHeaders, Self.batchHeaders.reversed()] {
            let value = signer.authorization(
                credentials: Self.credentials, amzDate: Self.date, method: "POST", path: "/",
                headers: headers, payloadHash: Self.hash(Self.batchBody))
            #expect(value == expected)
        }
    }

    @Test func `a session token is signed with the rest`() {
        let token = "FwoGZXIvYXdzEXAMPLE//token=="
        var credentials = Self.credentials
        credentials.sessionToken = token
        var signer = SigV4.Signer(region: "eu-central-1", service: "firehose")
        let value = signer.authorization(
            credentials: credentials, amzDate: Self.date, method: "POST", path: "/",
            headers: [
                SigV4.Header("content-type", "application/x-amz-json-1.1"),
                SigV4.Header("host", "127.0.0.1:8090"),
                SigV4.Header("x-amz-date", Self.date),
                SigV4.Header("x-amz-security-token", token),
                SigV4.Header("x-amz-target", "Firehose_20150804.PutRecordBatch"),
            ],
            payloadHash: Self.hash("{}"))
        #expect(
            value
                == "AWS4-HMAC-SHA256 "
                + "Credential=AKIDEXAMPLE/20260102/eu-central-1/firehose/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
                + "Signature=ce8d5dcaf58d1fddf5fda08f05f3d6b4f979898c114bdce7dccf212b50968fae")
    }

    struct Case: Sendable {
        var path: String
        var query = ""
        var extra: [SigV4.Header] = []
        var signature: String
    }

    @Test(arguments: [
        Case(
            path: "/a%20b/../c//d/", query: "b=2&a=x%2Fy&a=~q&empty=",
            extra: [
                SigV4.Header("X-Amz-Odd", "  two   words  "), SigV4.Header("My-Header", "v"),
            ],
            signature: "6494fef067f8b1e83ad982785b9eb1f56ecc2f6791fd40b93b53b7f769a40f4b"),
        Case(
            path: "/x%20y/z~",
            signature: "a4ec35d95b82e83bea27317402b4d068f6dbaa786f4ab67709761780690b86e6"),
    ])
    func `odd paths, queries and spaces are made canonical`(one: Case) {
        var signer = SigV4.Signer(region: "us-east-1", service: "service")
        let value = signer.authorization(
            credentials: Self.credentials, amzDate: Self.date, method: "GET", path: one.path,
            query: one.query,
            headers: one.extra + [
                SigV4.Header("Host", "example.amazonaws.com"),
                SigV4.Header("X-Amz-Date", Self.date),
            ],
            payloadHash: Self.hash(""))
        #expect(value.hasSuffix("Signature=\(one.signature)"))
    }

    static func expected(
        secret: String = credentials.secretAccessKey, body: String = batchBody,
        headers: [SigV4.Header] = batchHeaders, date: String = date, method: String = "POST"
    ) throws -> String? {
        let authorization = try SigV4.Authorization(
            parsing: "AWS4-HMAC-SHA256 "
                + "Credential=AKIDEXAMPLE/20260102/us-east-1/firehose/aws4_request,"
                + "SignedHeaders=content-type;host;x-amz-date;x-amz-target,"
                + "Signature=\(batchSignature)")
        return SigV4.expectedSignature(
            method: method, path: "/", query: "", headers: headers, authorization: authorization,
            amzDate: date, payloadHash: hash(body), secret: secret)
    }

    @Test func `the verifier comes to the signature that was sent`() throws {
        let unsignedToo = Self.batchHeaders + [SigV4.Header("User-Agent", "anything")]
        #expect(try Self.expected() == Self.batchSignature)
        #expect(try Self.expected(headers: unsignedToo.reversed()) == Self.batchSignature)
    }

    @Test func `any change to what was signed changes the signature`() throws {
        var other = Self.batchHeaders
        other[3].value = "Firehose_20150804.PutRecord"
        let signatures = [
            try Self.expected(secret: "another"), try Self.expected(body: "{}"),
            try Self.expected(headers: other), try Self.expected(date: "20260102T030406Z"),
            try Self.expected(method: "PUT"),
        ]
        #expect(Set(signatures).count == signatures.count)
        #expect(!signatures.contains(Self.batchSignature) && !signatures.contains(nil))
    }

    @Test func `a signed header that did not arrive leaves nothing to verify`() throws {
        #expect(try Self.expected(headers: Array(Self.batchHeaders.dropLast())) == nil)
    }

    @Test func `the key cache gives the right key after each kind of change`() {
        var cache = SigV4.SigningKeyCache()
        let scope = SigV4.CredentialScope(
            day: "20260102", region: "us-east-1", service: "firehose")
        var nextDay = scope
        nextDay.day = "20260103"
        for (secret, scope) in [("a", scope), ("a", scope), ("b", scope), ("b", nextDay)] {
            #expect(
                cache.key(secret: secret, scope: scope)
                    == SigV4.signingKey(secret: secret, scope: scope))
        }
    }
}

@Suite struct AuthorizationTests {
    static let whole =
        "AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/firehose/aws4_request, "
        + "SignedHeaders=host;x-amz-date, Signature=0123"

    @Test func `a header is taken apart and put together again`() throws {
        let it = try SigV4.Authorization(parsing: Self.whole)
        #expect(it.accessKeyID == "AK")
        #expect(
            it.scope
                == SigV4.CredentialScope(
                    day: "20260102", region: "us-east-1", service: "firehose"))
        #expect(it.signedHeaders == ["host", "x-amz-date"])
        #expect(it.signature == "0123")
        #expect(it.text == Self.whole)
    }

    @Test func `a header cut anywhere but in its signature is refused`() {
        let signatureAt = Self.whole.utf8.count - 4
        for cut in 0...signatureAt {
            #expect(throws: SigV4.Authorization.Flaw.self) {
                try SigV4.Authorization(parsing: String(Self.whole.prefix(cut)))
            }
        }
    }

    @Test func `a header that lacks a part says which`() {
        func flaw(_ text: String) -> SigV4.Authorization.Flaw? {
            do {
                _ = try SigV4.Authorization(parsing: text)
                return nil
            } catch { return error }
        }
        #expect(flaw("Basic abc") == .algorithm)
        #expect(flaw("AWS4-HMAC-SHA256 Credential=a/b") == .missing(.signedHeaders))
        #expect(flaw("AWS4-HMAC-SHA256 SignedHeaders=a") == .missing(.credential))
        #expect(
            flaw("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=c") == .missing(.signature))
        #expect(
            flaw("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=c, Signature=d") == .credential)
    }
}
