/// One entry of the local Firehose's fault plan: which calls it meets, and what it does to them. What
/// each field means, its unit and its range stand in one table, `FaultKey.all`.
public struct Fault: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// Answers that refuse the call.
        case status, throttle, poison
        case expiredToken = "expired_token"
        case unrecognizedClient = "unrecognized_client"
        case accessDenied = "access_denied"
        case notFound = "not_found"
        /// Answers that refuse some of its records.
        case partial, quota
        /// Answers that make no sense.
        case wrongCount = "wrong_count"
        case results
        case notJSON = "not_json"
        case html
        case largeHeaders = "large_headers"
        case largeBody = "large_body"
        /// No answer, half of one, or one that comes in an odd way.
        case hang, silence, drip, reset, close, chunked
        case tls
        /// These two go together with any other.
        case delay, skew
    }

    public enum Calls: String, CaseIterable, Sendable {
        case put
        case putRecordBatch = "PutRecordBatch"
        case putRecord = "PutRecord"
        case describe = "DescribeDeliveryStream"
        case create = "CreateDeliveryStream"
        case list = "ListDeliveryStreams"
        case any
    }

    public enum Which: String, CaseIterable, Sendable { case first, last, all, random }
    public enum Moment: String, CaseIterable, Sendable { case request, response }
    public enum TLS: String, CaseIterable, Sendable { case refuse, silence, garbage, truncate }

    public var kind = Kind.status
    public var name = ""

    // Which calls.
    /// A stream's name; "*" stands for any text.
    public var streams = "*"
    public var calls = Calls.put
    public var after = 0
    public var every = 1
    /// 0: however often.
    public var count = 0
    public var probability = 1.0
    public var startMs: UInt64 = 0
    /// 0: for ever.
    public var forMs: UInt64 = 0
    public var onMs: UInt64 = 0
    public var offMs: UInt64 = 0

    // What it does.
    public var status = 503
    /// Empty: what the service says in that case.
    public var code = ""
    public var message = ""
    /// nil: as `storesByDefault`.
    public var stored: Bool?
    public var which = Which.all
    public var share = 0.5
    /// Counted from 0; wins over `which`.
    public var entries: [Int] = []
    public var failedPutCount = 1
    public var difference = -1
    public var at = Moment.response
    public var offsetSeconds: Int64 = 0
    public var delayMs: UInt64 = 0
    public var delayMaxMs: UInt64 = 0
    public var p50Ms: UInt64 = 0
    public var p99Ms: UInt64 = 0
    /// 0: the kind's own (`size`).
    public var sizeBytes = 0
    /// 0: no limit of that sort; a `drip` then has 1.
    public var bytesPerSecond = 0
    public var recordsPerSecond = 0
    public var callsPerSecond = 0
    public var text = ""
    public var tls = TLS.refuse

    public init(_ kind: Kind = .status) { self.kind = kind }

    /// Whether records it has a say over are kept: not where the answer refuses them, nor where the
    /// call is never read; else only their answer is spoilt.
    public var storesByDefault: Bool {
        switch kind {
        case .status, .throttle, .poison, .expiredToken, .unrecognizedClient, .accessDenied,
            .notFound, .partial, .quota, .hang:
            false
        case .reset: at == .response
        default: true
        }
    }

    public var storesRecords: Bool { stored ?? storesByDefault }

    /// Of what is made longer: headers, body, or the pieces of a chunked answer.
    public var size: Int {
        if sizeBytes > 0 { return sizeBytes }
        switch kind {
        case .largeHeaders: return 64 << 10
        case .largeBody: return 10 << 20
        default: return 16
        }
    }
}

extension Fault {
    /// What the service says when it refuses. Status, code and message.
    public var refusal: FaultRefusal {
        let own = Self.serviceRefusal(kind, status: status, code: code)
        return FaultRefusal(
            status: kind == .status ? status : own.status, code: code.isEmpty ? own.code : code,
            message: message.isEmpty ? own.message : message)
    }

    private static func serviceRefusal(_ kind: Kind, status: Int, code: String) -> FaultRefusal {
        switch kind {
        case .throttle:
            FaultRefusal(status: 400, code: "ThrottlingException", message: "Rate exceeded")
        case .expiredToken:
            FaultRefusal(
                status: 400, code: "ExpiredTokenException",
                message: "The security token included in the request is expired")
        case .unrecognizedClient:
            FaultRefusal(
                status: 400, code: "UnrecognizedClientException",
                message: "The security token included in the request is invalid.")
        case .accessDenied:
            FaultRefusal(
                status: 400, code: "AccessDeniedException",
                message: "User: arn:aws:iam::000000000000:user/hydrant is not authorized to "
                    + "perform this action because no identity-based policy allows it")
        case .notFound:
            FaultRefusal(
                status: 400, code: "ResourceNotFoundException",
                message: "Firehose not found under account 000000000000.")
        case .poison:
            FaultRefusal(
                status: 400, code: "ValidationException",
                message: "1 validation error detected: Value at 'records' failed to satisfy "
                    + "constraint: Member must not hold what the fault plan refuses")
        default: unavailability(status: status, code: code)
        }
    }

    /// Of a call or of single records.
    private static func unavailability(status: Int, code: String) -> FaultRefusal {
        let isInternal = code == "InternalFailure" || (code.isEmpty && status == 500)
        return isInternal
            ? FaultRefusal(
                status: 500, code: "InternalFailure", message: "Internal service failure.")
            : FaultRefusal(
                status: 503, code: "ServiceUnavailableException", message: "Slow down.")
    }
}

public struct FaultRefusal: Equatable, Sendable {
    public var status: Int
    public var code: String
    public var message: String

    public init(status: Int, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
}
