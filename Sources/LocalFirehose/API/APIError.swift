import Core

/// A refusal, in the service's own words.
struct APIError: Error, Equatable {
    var status = 400
    var type: String
    var message: String

    init(status: Int = 400, type: String, message: String) {
        self.status = status
        self.type = type
        self.message = message
    }

    // MARK: Signatures

    static let missingToken = APIError(
        type: "MissingAuthenticationTokenException", message: "Missing Authentication Token")
    static let unknownKey = APIError(
        type: "UnrecognizedClientException",
        message: "The security token included in the request is invalid.")
    static let wrongSignature = invalidSignature(
        "The request signature we calculated does not match the signature you provided. Check your "
            + "AWS Secret Access Key and signing method. Consult the service documentation for "
            + "details.")

    static func invalidSignature(_ message: String) -> APIError {
        APIError(type: "InvalidSignatureException", message: message)
    }

    static func incomplete(_ message: String) -> APIError {
        APIError(type: "IncompleteSignatureException", message: message)
    }

    // MARK: Calls

    static func unknownOperation(_ target: String) -> APIError {
        APIError(
            type: "UnknownOperationException",
            message: "\"\(target)\" is not served by the local Firehose: it has PutRecord, "
                + "PutRecordBatch, CreateDeliveryStream, DescribeDeliveryStream and "
                + "ListDeliveryStreams of Firehose_20150804.")
    }

    static func serialization(_ message: String) -> APIError {
        APIError(type: "SerializationException", message: message)
    }

    /// "1 validation error detected: Value … at 'member' failed to satisfy constraint: …".
    static func validation(_ value: String, at member: String, _ constraint: String) -> APIError {
        APIError(
            type: "ValidationException",
            message: "1 validation error detected: Value \(value) at '\(member)' failed to satisfy "
                + "constraint: Member must \(constraint)")
    }

    static func invalidArgument(_ message: String) -> APIError {
        APIError(type: "InvalidArgumentException", message: message)
    }

    static func notFound(_ stream: String) -> APIError {
        APIError(
            type: "ResourceNotFoundException",
            message: "Firehose \(stream) under account \(StreamDefinition.accountID) not found.")
    }

    static func inUse(_ stream: String) -> APIError {
        APIError(
            type: "ResourceInUseException",
            message: "Firehose \(stream) under accountId \(StreamDefinition.accountID) already "
                + "exists")
    }

    static let slowDown = APIError(
        status: 503, type: "ServiceUnavailableException", message: "Slow down.")
    static let storage = APIError(
        status: 500, type: "InternalFailure",
        message: "The records could not be written; see the local Firehose's log.")

    init(_ refusal: FaultRefusal) {
        self.init(status: refusal.status, type: refusal.code, message: refusal.message)
    }

    /// The answer's JSON.
    var body: [UInt8] {
        JSONValue.object(["__type": .text(type), "message": .text(message)]).bytes
    }
}
