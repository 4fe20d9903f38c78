import Core
import TestSupport
import Testing

/// The head that is filled in place, against the signer that makes everything anew.
@Suite struct FirehoseCallHeadTests {
    struct Parts {
        var lines: [Substring]
        var headers: [SigV4.Header]

        init(_ head: UnsafeRawBufferPointer) {
            lines = String(decoding: head, as: UTF8.self).split(
                separator: "\r\n", omittingEmptySubsequences: false)
            headers = lines.dropFirst().dropLast(2).map { line in
                let halves = line.split(separator: ":", maxSplits: 1)
                return SigV4.Header(String(halves[0]), String(halves[1].dropFirst()))
            }
        }

        subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    }

    static func sign(
        _ head: inout FirehoseCallHead, at unixSeconds: Int64, hash: String, length: Int
    ) -> Parts {
        Array(hash.utf8).withUnsafeBytes {
            head.sign(unixSeconds: unixSeconds, payloadHash: $0, bodyByteCount: length)
        }
        return Parts(head.bytes)
    }

    @Test func `a head is these lines, signed over what the verifier sees`() throws {
        let body = #"{"DeliveryStreamName":"px-w0","Records":[{"Data":"aGl0Cg=="}]}"#
        let hash = lowerHex(Sha256.digest(body))
        var head = FirehoseCallHead(
            endpoint: ServiceEndpoint(host: "127.0.0.1", port: 8090), region: "us-east-1",
            credentials: Credentials(
                accessKeyID: "AK", secretAccessKey: "secret", sessionToken: "token"))
        let parts = Self.sign(&head, at: 1_767_323_045, hash: hash, length: body.utf8.count)
        #expect(parts.lines.first == "POST / HTTP/1.1")
        #expect(parts.lines.suffix(2) == ["", ""])
        #expect(
            parts.headers.map(\.name) == [
                "Host", "Content-Type", "X-Amz-Target", "X-Amz-Date", "X-Amz-Security-Token",
                "Authorization", "User-Agent", "Content-Length",
            ])
        #expect(parts["Host"] == "127.0.0.1:8090")
        #expect(parts["X-Amz-Target"] == "Firehose_20150804.PutRecordBatch")
        #expect(parts["X-Amz-Date"] == "20260102T030405Z")
        #expect(parts["Content-Length"] == "\(body.utf8.count)")
        let authorization = try SigV4.Authorization(parsing: parts["Authorization"] ?? "")
        #expect(
            SigV4.expectedSignature(
                method: "POST", path: "/", query: "", headers: parts.headers,
                authorization: authorization, amzDate: "20260102T030405Z", payloadHash: hash,
                secret: "secret") == authorization.signature)
        #expect(!authorization.signedHeaders.contains("user-agent"))
        #expect(authorization.signedHeaders.contains("x-amz-security-token"))
    }

    static func word(_ counts: ClosedRange<Int>, _ random: inout SeededDice) -> String {
        let letters = Array("abcXYZ0189-_/+=~.")
        return String(
            (0..<Int.random(in: counts, using: &random)).map { _ in
                letters.randomElement(using: &random)!
            })
    }

    /// One head for many calls: whatever came before leaves nothing behind.
    @Test(arguments: 0..<40)
    func `every call of a head is signed as the general signer signs it`(seed: UInt64) throws {
        var random = SeededDice(seed: seed)
        let hosts = ["127.0.0.1", "::1", "firehose.us-east-1.amazonaws.com", "localhost"]
        let endpoint = ServiceEndpoint(
            host: hosts.randomElement(using: &random)!,
            port: [80, 8090, 65535].randomElement(using: &random)!)
        let region = Self.word(1...20, &random)
        let credentials = Credentials(
            accessKeyID: Self.word(1...128, &random),
            secretAccessKey: Self.word(1...100, &random),
            sessionToken: Bool.random(using: &random)
                ? Self.word(1...1200, &random) + "  a \t b" : nil)
        var head = FirehoseCallHead(endpoint: endpoint, region: region, credentials: credentials)
        var signer = SigV4.Signer(region: region, service: FirehoseRequest.service)
        var second = Int64.random(in: 0...253_402_000_000, using: &random)
        for _ in 0..<12 {
            let hash = lowerHex(Sha256.digest(Self.word(0...50, &random)))
            let length = Int.random(
                in: 0...[9, 10, 99, 1000, 6_000_000].randomElement(using: &random)!,
                using: &random)
            let parts = Self.sign(&head, at: second, hash: hash, length: length)
            let date = amzDate(unixSeconds: second)
            var headers = [
                SigV4.Header("Host", endpoint.authority),
                SigV4.Header("Content-Type", FirehoseRequest.contentType),
                SigV4.Header("X-Amz-Target", "Firehose_20150804.PutRecordBatch"),
                SigV4.Header("X-Amz-Date", date),
            ]
            if let token = credentials.sessionToken {
                headers.append(SigV4.Header("X-Amz-Security-Token", token))
            }
            let expected = signer.authorization(
                credentials: credentials, amzDate: date, method: "POST", path: "/",
                headers: headers, payloadHash: hash)
            #expect(parts["Authorization"] == expected)
            #expect(parts["X-Amz-Date"] == date && parts["Content-Length"] == "\(length)")
            #expect(parts.lines.suffix(2) == ["", ""])
            second += [0, 1, 40_000, 86_400].randomElement(using: &random)!
        }
    }
}
