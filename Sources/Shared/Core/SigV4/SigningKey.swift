extension SigV4 {
    /// What a signing key is good for: one day, one region, one service.
    public struct CredentialScope: Equatable, Sendable {
        /// YYYYMMDD: the first eight characters of the signature's moment.
        public var day: String
        public var region: String
        public var service: String

        public init(day: String, region: String, service: String) {
            self.day = day
            self.region = region
            self.service = service
        }

        public var text: String { "\(day)/\(region)/\(service)/\(terminator)" }
    }

    /// The chain of HMACs that turns a secret into the day's key.
    public static func signingKey(secret: String, scope: CredentialScope) -> [UInt8] {
        let day = hmacSha256(key: Array(("AWS4" + secret).utf8), scope.day)
        let region = hmacSha256(key: day, scope.region)
        let service = hmacSha256(key: region, scope.service)
        return hmacSha256(key: service, terminator)
    }

    /// Lower-case hex, 64 digits.
    public static func signature(key: [UInt8], stringToSign: String) -> String {
        lowerHex(hmacSha256(key: key, stringToSign))
    }

    /// Keeps the last key made: it changes once a day, or with the secret.
    public struct SigningKeyCache: Sendable {
        private var secret = ""
        private var scope: CredentialScope?
        private var key: [UInt8] = []

        public init() {}

        public mutating func key(secret: String, scope: CredentialScope) -> [UInt8] {
            if self.scope != scope || self.secret != secret {
                key = signingKey(secret: secret, scope: scope)
                (self.scope, self.secret) = (scope, secret)
            }
            return key
        }
    }
}
