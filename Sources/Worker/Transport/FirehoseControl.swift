import Core
import Glibc
import Platform

/// A command's way to Firehose: one call after the other, in a loop of its own, each signed anew.
/// What passes by itself is tried again; not more than five calls leave in a second, which is what
/// the service allows of each.
public final class FirehoseControl {
    public enum Answer {
        /// The body of an answer with status 200.
        case done([UInt8])
        /// The service's own code and message.
        case refused(code: String, message: String)
    }

    /// There is no answer, or none of Firehose's.
    public struct Unanswered: Error, Equatable {
        public var text: String
        public var remedy: String
    }

    public static let tries = 5
    private static let gapMs: UInt64 = 220

    /// Told of a call that is made again, and after which try.
    public var willTryAgain: ((_ why: String, _ attempt: Int) -> Void)?

    private let loop: Loop
    private let endpoint: ServiceEndpoint
    private let credentials: Credentials
    private var signer: SigV4.Signer
    private var connection: ServiceConnection.Pointer?
    private let isPaced: Bool
    private var lastCallNs: UInt64 = 0
    private var clockOffsetSeconds: Int64 = 0
    private var isDone = false

    /// The way the settings say, to the local Firehose or to AWS.
    public init(_ settings: Settings, credentials: Credentials) throws {
        self.credentials = credentials
        isPaced = settings.deliveryMode == .aws
        let route = try ServiceRoute.toFirehose(settings)
        endpoint = route.endpoint
        signer = SigV4.Signer(region: settings.region, service: FirehoseRequest.service)
        loop = try Loop.make()
        connection = ServiceConnection.allocate(
            in: loop, route: route, limits: CallLimits(),
            owner: Unmanaged.passUnretained(self).toOpaque(),
            didFinish: { owner in
                let it = Unmanaged<FirehoseControl>.fromOpaque(owner).takeUnretainedValue()
                it.isDone = true
                it.loop.stop()
            })
    }

    deinit {
        if let connection { ServiceConnection.shutDown(connection) }
        // What is shut is closed in later turns; a loop that still has something is left as it is.
        loop.run()
        try? loop.close()
    }

    /// - Parameter operation: "DescribeDeliveryStream".
    public func call(_ operation: String, _ body: String) throws(Unanswered) -> Answer {
        var hasLearnedClock = false
        for attempt in 1... {
            pace()
            let failure: FirehoseReply.Failure
            var refusal: Answer?
            switch once(operation, body) {
            case .done(let body): return .done(body)
            case .failed(let it): failure = it
            case .refused(let error, let it):
                failure = it
                refusal = .refused(code: error.code, message: error.message)
            }
            if failure.fault == .clockSkew, !hasLearnedClock, let server = failure.serverUnixSeconds
            {
                clockOffsetSeconds = server - now
                hasLearnedClock = true
                continue
            }
            // A limit that is reached stays so; a stream too many is none that waiting mends.
            let passes =
                (failure.fault == .retry || failure.fault == .throttled)
                && !failure.text.hasPrefix("LimitExceededException")
            if passes, attempt < Self.tries {
                willTryAgain?(failure.text, attempt)
                usleep(UInt32(min(4000, 200 << attempt)) * 1000)
                continue
            }
            if let refusal { return refusal }
            throw Unanswered(text: failure.text, remedy: failure.fault.remedyOfCommand)
        }
        fatalError("unreachable: the loop has no end")
    }

    private enum Outcome {
        case done([UInt8])
        case refused(FirehoseError, FirehoseReply.Failure)
        case failed(FirehoseReply.Failure)
    }

    private var now: Int64 { Int64(realtimeMicroseconds() / 1_000_000) }

    private func pace() {
        let elapsedMs = (monotonicNanoseconds() - lastCallNs) / 1_000_000
        if isPaced, lastCallNs > 0, elapsedMs < Self.gapMs {
            usleep(UInt32(Self.gapMs - elapsedMs) * 1000)
        }
        lastCallNs = monotonicNanoseconds()
    }

    private func once(_ operation: String, _ body: String) -> Outcome {
        guard let connection else {
            return .failed(FirehoseReply.Failure(fault: .retry, text: "the connection is shut"))
        }
        let head = Array(signedHead(operation, body).utf8)
        let bytes = Array(body.utf8)
        isDone = false
        // Time went by outside the loop, and the call's timer counts from the loop's clock.
        loop.updateTime()
        head.withUnsafeBytes { head in
            bytes.withUnsafeBytes { body in
                connection.pointee.call(head: head, body: body)
                while !isDone { loop.run() }
            }
        }
        if let trouble = connection.pointee.trouble {
            return .failed(FirehoseReply.Failure(fault: trouble.fault, text: trouble.text))
        }
        return Self.judge(connection.pointee.response)
    }

    private static func judge(_ response: HTTPResponseReader) -> Outcome {
        if response.status == 200 { return .done(response.body) }
        let error = response.body.withUnsafeBytes {
            FirehoseError(errorTypeHeader: response.header("x-amzn-errortype"), body: $0)
        }
        let fault = FirehoseFault.of(
            status: response.status, code: error.code, message: error.message)
        let name = error.code.isEmpty ? "status \(response.status)" : error.code
        let failure = FirehoseReply.Failure(
            fault: fault, text: error.message.isEmpty ? name : "\(name): \(error.message)",
            serverUnixSeconds: response.header("date").flatMap { parseHTTPDate($0) })
        return error.code.isEmpty ? .failed(failure) : .refused(error, failure)
    }

    private func signedHead(_ operation: String, _ body: String) -> String {
        let date = amzDate(unixSeconds: max(0, now + clockOffsetSeconds))
        var headers = [
            SigV4.Header("Host", endpoint.authority),
            SigV4.Header("Content-Type", FirehoseRequest.contentType),
            SigV4.Header("X-Amz-Target", FirehoseRequest.targetPrefix + operation),
            SigV4.Header("X-Amz-Date", date),
        ]
        if let token = credentials.sessionToken {
            headers.append(SigV4.Header("X-Amz-Security-Token", token))
        }
        let authorization = signer.authorization(
            credentials: credentials, amzDate: date, method: "POST", path: "/", headers: headers,
            payloadHash: lowerHex(Sha256.digest(body)))
        headers.append(SigV4.Header("Authorization", authorization))
        headers.append(SigV4.Header("User-Agent", "hydrant"))
        headers.append(SigV4.Header("Content-Length", "\(body.utf8.count)"))
        return "POST / HTTP/1.1\r\n"
            + headers.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n"
    }
}

extension FirehoseFault {
    /// Of a command, which has no spool to speak of.
    fileprivate var remedyOfCommand: String {
        switch self {
        case .retry, .throttled: "try again; if it stays so, check the network and the proxy"
        case .clockSkew: "set this host's clock (NTP)"
        case .refused, .invalid: "check key pair, rights and region"
        case .notFirehose: "whatever answers there is not Firehose: check firehose.endpoint_url"
        case .untrusted: "check the endpoint, firehose.ca_file and this host's clock"
        }
    }
}
