extension SigV4 {
    /// Signs the requests of one service in one region.
    public struct Signer: Sendable {
        public let region: String
        public let service: String
        private var keys = SigningKeyCache()

        public init(region: String, service: String) {
            self.region = region
            self.service = service
        }

        /// The value of the `Authorization` header.
        ///
        /// All of `headers` are signed, so give those that no one on the way changes: content-type,
        /// host (with a port that is not the scheme's own), x-amz-*. `amzDate` must be the value
        /// of the x-amz-date among them, and temporary credentials need x-amz-security-token.
        public mutating func authorization(
            credentials: Credentials, amzDate: String, method: String, path: String,
            query: String = "", headers: [Header], payloadHash: String
        ) -> String {
            let names = Set(headers.map { $0.name.lowercased() }).sorted()
            let scope = CredentialScope(
                day: String(amzDate.prefix(8)), region: region, service: service)
            // Nil only for a name that is not among the headers, and the names came from there.
            let canonical = canonicalRequest(
                method: method, path: path, query: query, headers: headers, signedHeaders: names,
                payloadHash: payloadHash)!
            let text = stringToSign(
                amzDate: amzDate, scope: scope, canonicalRequest: canonical)
            let key = keys.key(secret: credentials.secretAccessKey, scope: scope)
            return Authorization(
                accessKeyID: credentials.accessKeyID, scope: scope, signedHeaders: names,
                signature: signature(key: key, stringToSign: text)
            ).text
        }
    }

    /// The verifier's half: the signature a request should carry, from what arrived. Nil when a
    /// signed header is not there. Compare it with `equalInConstantTime`.
    public static func expectedSignature(
        method: String, path: String, query: String, headers: [Header],
        authorization: Authorization, amzDate: String, payloadHash: String, key: [UInt8]
    ) -> String? {
        guard
            let canonical = canonicalRequest(
                method: method, path: path, query: query, headers: headers,
                signedHeaders: authorization.signedHeaders, payloadHash: payloadHash)
        else { return nil }
        return signature(
            key: key,
            stringToSign: stringToSign(
                amzDate: amzDate, scope: authorization.scope, canonicalRequest: canonical))
    }

    /// The same, with the key made from the secret.
    public static func expectedSignature(
        method: String, path: String, query: String, headers: [Header],
        authorization: Authorization, amzDate: String, payloadHash: String, secret: String
    ) -> String? {
        expectedSignature(
            method: method, path: path, query: query, headers: headers,
            authorization: authorization, amzDate: amzDate, payloadHash: payloadHash,
            key: signingKey(secret: secret, scope: authorization.scope))
    }
}
