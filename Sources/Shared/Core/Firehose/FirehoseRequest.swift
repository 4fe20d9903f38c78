/// The head of a signed call.
public enum FirehoseRequest {
    public static let contentType = "application/x-amz-json-1.1"
    public static let targetPrefix = "Firehose_20150804."
    public static let service = "firehose"

    /// Head of a PutRecordBatch call, its last line included.
    ///
    /// - Parameters:
    ///   - unixSeconds: now, by the service's clock.
    ///   - payloadHash: lower-case hex SHA-256 of the body.
    public static func head(
        endpoint: FirehoseEndpoint, credentials: Credentials, signer: inout SigV4.Signer,
        unixSeconds: Int64, payloadHash: String, bodyByteCount: Int
    ) -> [UInt8] {
        let date = amzDate(unixSeconds: unixSeconds)
        var headers = [
            SigV4.Header("Host", endpoint.authority),
            SigV4.Header("Content-Type", contentType),
            SigV4.Header("X-Amz-Target", targetPrefix + "PutRecordBatch"),
            SigV4.Header("X-Amz-Date", date),
        ]
        if let token = credentials.sessionToken {
            headers.append(SigV4.Header("X-Amz-Security-Token", token))
        }
        let authorization = signer.authorization(
            credentials: credentials, amzDate: date, method: "POST", path: "/", headers: headers,
            payloadHash: payloadHash)
        headers += [
            SigV4.Header("Authorization", authorization),
            SigV4.Header("Content-Length", "\(bodyByteCount)"),
            SigV4.Header("User-Agent", "hydrant"),
        ]
        var text = "POST / HTTP/1.1\r\n"
        for header in headers { text += header.name + ": " + header.value + "\r\n" }
        return Array((text + "\r\n").utf8)
    }
}
