/// What a failed call asks of its caller. One place says what each error of the service means.
public enum FirehoseFault: Equatable, Sendable {
    /// Send it again, later.
    case retry
    /// The same, and much later: the stream's quota is used up.
    case throttled
    /// The local clock is off: learn by how much, sign anew, send at once.
    case clockSkew
    /// The service does not let us: key pair, rights, no such stream, a stream that is set up
    /// wrongly. Nothing changes until somebody acts.
    case refused
    /// The service does not take these rows as they are.
    case invalid
    /// Whatever answered does not speak Firehose.
    case notFirehose
    /// Whoever answers could not prove who it is, or speaks no TLS that is safe.
    case untrusted

    private static let throttling: Set<String> = [
        "ThrottlingException", "Throttling", "ThrottledException", "RequestThrottled",
        "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
        "SlowDown", "ProvisionedThroughputExceededException", "LimitExceededException",
        "BandwidthLimitExceeded", "PriorRequestNotComplete", "TransactionInProgressException",
    ]
    private static let skew: Set<String> = [
        "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed",
    ]
    private static let invalidRows: Set<String> = [
        "InvalidArgumentException", "ValidationException", "SerializationException",
        "RequestEntityTooLarge", "RequestEntityTooLargeException",
    ]
    private static let refusing: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException",
        "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
        "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "AccessDenied", "AccessDeniedException",
        "OptInRequired", "NotAuthorized", "ResourceNotFoundException",
        "InvalidKMSResourceException", "InvalidSourceException", "UnknownOperationException",
    ]
    private static let passing: Set<String> = [
        "ServiceUnavailableException", "ServiceUnavailable", "InternalFailure",
        "InternalServerError", "RequestTimeout", "RequestTimeoutException",
    ]

    /// Of a call that was answered with another status than 200.
    public static func of(status: Int, code: String, message: String) -> FirehoseFault {
        if throttling.contains(code) { return .throttled }
        if passing.contains(code) { return .retry }
        if skew.contains(code) { return .clockSkew }
        if code.hasPrefix("InvalidSignature") || code == "SignatureDoesNotMatch",
            message.contains("Signature expired") || message.contains("not yet current")
        {
            return .clockSkew
        }
        if invalidRows.contains(code) { return .invalid }
        if refusing.contains(code) { return .refused }
        switch status {
        case 429: return .throttled
        case 408, 500...599: return .retry
        case 413: return .invalid
        case 401, 403: return .refused
        case 400 where !code.isEmpty: return .refused
        default: return .notFirehose
        }
    }

    /// Of a record that a call did not take. The service documents two codes, both passing; an
    /// unknown one is sent again as well.
    public static func ofRecord(code: String) -> FirehoseFault {
        if throttling.contains(code) { return .throttled }
        return invalidRows.contains(code) ? .invalid : .retry
    }

    /// What an operator can do about it.
    ///
    /// - Parameter text: what the service said, its code first.
    public func remedy(_ text: String) -> String {
        switch self {
        case .retry: "it is tried again"
        case .throttled: "it is tried again later; ask for a higher quota if this lasts"
        case .clockSkew: "the clock differs from the service's; set it (NTP)"
        case .refused: "rows stay in the spool; " + Self.remedyOfRefusal(text)
        case .invalid:
            "rows stay in the spool; the stream takes none of them: check what kind of stream it is"
        case .notFirehose: "rows stay in the spool; check the endpoint"
        case .untrusted:
            "rows stay in the spool; check the endpoint, firehose.ca_file and this host's clock"
        }
    }

    private static func remedyOfRefusal(_ text: String) -> String {
        let code = text.prefix { $0 != ":" && $0 != " " }
        return switch code {
        case "ExpiredToken", "ExpiredTokenException":
            "the key pair has ended: `hydrant credentials` shows whose it is; renew it there"
        case "UnrecognizedClientException", "InvalidClientTokenId":
            "check the key pair: AWS does not know it in this region's partition"
        case "AccessDenied", "AccessDeniedException", "NotAuthorized":
            "allow firehose:PutRecordBatch on the stream to whom `hydrant credentials` shows"
        case "ResourceNotFoundException":
            "`hydrant streams check` shows which streams this region has, `create` makes them"
        case "InvalidKMSResourceException":
            "look at the stream's KMS key: that it is enabled, and that its policy lets Firehose use it"
        case "InvalidSourceException":
            "the stream reads from elsewhere: it has to be one for direct PUT"
        default: "check key pair, rights, region and stream name"
        }
    }
}
