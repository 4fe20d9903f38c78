import Core

/// Decides whether a request was signed with the cluster's key pair, for this service and region,
/// within five minutes.
struct SignatureCheck {
    static let skewSecondsMax: Int64 = 300

    let credentials: Credentials
    let region: String
    private var keys = SigV4.SigningKeyCache()

    init(credentials: Credentials, region: String) {
        self.credentials = credentials
        self.region = region
    }

    mutating func check(_ request: HTTPRequest, nowSeconds: Int64) throws(APIError) {
        let head = request.head
        guard let value = head.header("authorization") else { throw .missingToken }
        let authorization = try Self.parse(value)
        guard authorization.accessKeyID == credentials.accessKeyID,
            head.header("x-amz-security-token") == credentials.sessionToken
        else { throw .unknownKey }
        try checkScope(authorization.scope)
        guard let date = head.header("x-amz-date"), let signedAt = parseAmzDate(date) else {
            throw .incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                    + "header. Authorization=\(value)")
        }
        try Self.checkDate(date, signedAt, authorization.scope, nowSeconds: nowSeconds)
        try Self.checkSignedHeaders(authorization, head)
        let expected = SigV4.expectedSignature(
            method: head.method, path: head.path, query: head.query, headers: head.headers,
            authorization: authorization, amzDate: date, payloadHash: request.bodyHash,
            key: keys.key(secret: credentials.secretAccessKey, scope: authorization.scope))
        guard let expected, equalInConstantTime(expected, authorization.signature) else {
            throw .wrongSignature
        }
    }

    private static func parse(_ value: String) throws(APIError) -> SigV4.Authorization {
        do throws(SigV4.Authorization.Flaw) {
            return try SigV4.Authorization(parsing: value)
        } catch {
            switch error {
            case .algorithm: throw .missingToken
            case .missing(let part):
                throw .incomplete(
                    "Authorization header requires '\(part.rawValue)' parameter. "
                        + "Authorization=\(value)")
            case .credential:
                throw .incomplete(
                    "Credential must have exactly 5 slash-delimited elements, e.g. "
                        + "keyid/date/region/service/term, got '\(value)'")
            }
        }
    }

    private func checkScope(_ scope: SigV4.CredentialScope) throws(APIError) {
        if scope.region != region {
            throw .invalidSignature(
                "Credential should be scoped to a valid region, not '\(scope.region)'. ")
        }
        if scope.service != "firehose" {
            throw .invalidSignature("Credential should be scoped to correct service: 'firehose'. ")
        }
    }

    private static func checkDate(
        _ date: String, _ signedAt: Int64, _ scope: SigV4.CredentialScope, nowSeconds: Int64
    ) throws(APIError) {
        guard scope.day == date.prefix(8) else {
            throw .invalidSignature(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                    + "from HTTP: '\(scope.day)' != '\(date.prefix(8))', from '\(date)'.")
        }
        let now = amzDate(unixSeconds: nowSeconds)
        if signedAt < nowSeconds - skewSecondsMax {
            let edge = amzDate(unixSeconds: nowSeconds - skewSecondsMax)
            throw .invalidSignature(
                "Signature expired: \(date) is now earlier than \(edge) (\(now) - 5 min.)")
        }
        if signedAt > nowSeconds + skewSecondsMax {
            let edge = amzDate(unixSeconds: nowSeconds + skewSecondsMax)
            throw .invalidSignature(
                "Signature not yet current: \(date) is still later than \(edge) (\(now) + 5 min.)")
        }
    }

    /// What the meaning of the request hangs on must be covered by the signature, else it could be
    /// changed on the way.
    private static func checkSignedHeaders(
        _ authorization: SigV4.Authorization, _ head: APIRequestHead
    ) throws(APIError) {
        for name in ["host", "x-amz-date", "x-amz-target", "x-amz-security-token"] {
            if name != "host" && head.header(name) == nil { continue }
            if !authorization.signedHeaders.contains(name) {
                throw .invalidSignature(
                    "'\(name)' must be a 'SignedHeader' in the AWS Authorization.")
            }
        }
    }
}
