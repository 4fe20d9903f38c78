/// The head of a stream's signed PutRecordBatch calls. Three texts are written once: the head, what
/// its signature covers, and what is signed of that. From call to call their holes are filled anew,
/// without an allocation:
///
///     head               date, day, signature, length
///     canonical request  date, hash of the body
///     string to sign     date, day, hash of the canonical request
///
/// `SigV4.Signer` computes the same of any request.
public struct FirehoseCallHead: ~Copyable {
    private static let dateBytes = 16
    private static let dayBytes = 8
    private static let hexBytes = 2 * Sha256.byteCount
    /// An Int's digits, and the two line ends behind the last header.
    private static let lengthBytes = 24

    private let secret: String
    private let region: String

    private var head = Template()
    private let headDate: Template.Hole
    private let headDay: Template.Hole
    private let headSignature: Template.Hole
    private let headLength: Template.Hole
    private var headByteCount = 0

    private var canonicalRequest = Template()
    private let canonicalDate: Template.Hole
    private let canonicalPayloadHash: Template.Hole

    private var stringToSign = Template()
    private let signedDate: Template.Hole
    private let signedDay: Template.Hole
    private let signedRequestHash: Template.Hole

    private var hash = Sha256()
    private let digest = UnsafeMutableRawPointer.allocate(
        byteCount: Sha256.byteCount, alignment: 16)
    /// The key of `keyDay`: it changes once a day.
    private var key = HmacSha256(key: [])
    private var keyDay: Int64 = -1
    private var unixSeconds: Int64 = -1

    public init(endpoint: ServiceEndpoint, region: String, credentials: Credentials) {
        (secret, self.region) = (credentials.secretAccessKey, region)
        let target = FirehoseRequest.targetPrefix + "PutRecordBatch"
        let scopeTail = "/\(region)/\(FirehoseRequest.service)/\(SigV4.terminator)"
        let token = credentials.sessionToken
        let signedHeaders =
            "content-type;host;x-amz-date;" + (token == nil ? "" : "x-amz-security-token;")
            + "x-amz-target"

        head.add("POST / HTTP/1.1\r\nHost: \(endpoint.authority)\r\n")
        head.add("Content-Type: \(FirehoseRequest.contentType)\r\n")
        head.add("X-Amz-Target: \(target)\r\nX-Amz-Date: ")
        headDate = head.addHole(Self.dateBytes)
        if let token { head.add("\r\nX-Amz-Security-Token: \(token)") }
        head.add("\r\nAuthorization: \(SigV4.algorithm) Credential=\(credentials.accessKeyID)/")
        headDay = head.addHole(Self.dayBytes)
        head.add("\(scopeTail), SignedHeaders=\(signedHeaders), Signature=")
        headSignature = head.addHole(Self.hexBytes)
        head.add("\r\nUser-Agent: hydrant\r\nContent-Length: ")
        headLength = head.addHole(Self.lengthBytes)

        canonicalRequest.add("POST\n/\n\ncontent-type:\(FirehoseRequest.contentType)\n")
        canonicalRequest.add("host:\(SigV4.collapsed(endpoint.authority))\nx-amz-date:")
        canonicalDate = canonicalRequest.addHole(Self.dateBytes)
        if let token {
            canonicalRequest.add("\nx-amz-security-token:\(SigV4.collapsed(token))")
        }
        canonicalRequest.add("\nx-amz-target:\(target)\n\n\(signedHeaders)\n")
        canonicalPayloadHash = canonicalRequest.addHole(Self.hexBytes)

        stringToSign.add("\(SigV4.algorithm)\n")
        signedDate = stringToSign.addHole(Self.dateBytes)
        stringToSign.add("\n")
        signedDay = stringToSign.addHole(Self.dayBytes)
        stringToSign.add("\(scopeTail)\n")
        signedRequestHash = stringToSign.addHole(Self.hexBytes)
    }

    deinit { digest.deallocate() }

    /// The head as `sign` left it, its last line included. Stays where it is; valid until the next
    /// `sign`.
    public var bytes: UnsafeRawBufferPointer { head.bytes(upTo: headByteCount) }

    /// - Parameters:
    ///   - unixSeconds: now, by the service's clock.
    ///   - payloadHash: lower-case hex SHA-256 of the body, 64 bytes.
    public mutating func sign(
        unixSeconds: Int64, payloadHash: UnsafeRawBufferPointer, bodyByteCount: Int
    ) {
        precondition(payloadHash.count == Self.hexBytes)
        if unixSeconds != self.unixSeconds { setTime(unixSeconds) }
        canonicalRequest.room(in: canonicalPayloadHash)
            .copyMemory(from: payloadHash.baseAddress!, byteCount: Self.hexBytes)
        hash.update(canonicalRequest.bytes)
        hash.finish(into: digest)
        writeLowerHex(digestBytes, to: stringToSign.room(in: signedRequestHash))
        key.code(of: stringToSign.bytes, into: digest)
        writeLowerHex(digestBytes, to: head.room(in: headSignature))
        setLength(bodyByteCount)
    }

    private var digestBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: digest, count: Sha256.byteCount)
    }

    private mutating func setTime(_ unixSeconds: Int64) {
        self.unixSeconds = unixSeconds
        let date = head.room(in: headDate)
        writeAmzDate(unixSeconds: unixSeconds, to: date)
        canonicalRequest.room(in: canonicalDate)
            .copyMemory(from: date, byteCount: Self.dateBytes)
        stringToSign.room(in: signedDate).copyMemory(from: date, byteCount: Self.dateBytes)
        head.room(in: headDay).copyMemory(from: date, byteCount: Self.dayBytes)
        stringToSign.room(in: signedDay).copyMemory(from: date, byteCount: Self.dayBytes)
        if unixSeconds / 86_400 != keyDay { setKey(day: unixSeconds / 86_400) }
    }

    private mutating func setKey(day: Int64) {
        keyDay = day
        let scope = SigV4.CredentialScope(
            day: String(amzDate(unixSeconds: unixSeconds).prefix(Self.dayBytes)), region: region,
            service: FirehoseRequest.service)
        key = HmacSha256(key: SigV4.signingKey(secret: secret, scope: scope))
    }

    private mutating func setLength(_ count: Int) {
        let room = head.room(in: headLength).assumingMemoryBound(to: UInt8.self)
        var digits = 1
        var ceiling = 10
        while ceiling <= count, digits < 18 { (digits, ceiling) = (digits + 1, ceiling * 10) }
        var rest = count
        for at in stride(from: digits - 1, through: 0, by: -1) {
            room[at] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        let twoLineEnds = UInt32(0x0A0D_0A0D).littleEndian
        UnsafeMutableRawPointer(room + digits).storeBytes(of: twoLineEnds, as: UInt32.self)
        headByteCount = headLength.lowerBound + digits + 4
    }
}
