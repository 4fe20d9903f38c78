/// One role assumed at STS, with the tries that takes.
struct RoleSteps {
    /// As whom the role is asked for.
    enum Proof: Equatable {
        /// AssumeRole, signed.
        case credentials(Credentials)
        /// AssumeRoleWithWebIdentity; the file is read anew for each try.
        case tokenFile(String)
    }

    struct Role: Equatable {
        var arn: String
        var sessionName: String
        var externalID: String?
        var durationSeconds: String?
    }

    private static let timeoutMs: UInt64 = 5000
    private static let waitsMs: [UInt64] = [500, 1500]

    private let endpoint: ServiceEndpoint
    private let region: String
    private let role: Role
    private let proof: Proof
    private var tries = 0
    private var clockOffsetSeconds: Int64 = 0
    private var correctedClock = false

    init(_ role: Role, as proof: Proof, _ inputs: CredentialInputs) throws(CredentialFlaw) {
        (self.role, self.proof, region) = (role, proof, inputs.region)
        endpoint = try Self.endpoint(inputs)
        guard (2...64).contains(role.sessionName.utf8.count),
            role.sessionName.utf8.allSatisfy(isRoleNameByte)
        else {
            throw CredentialFlaw(
                "the role session name \"\(printable(role.sessionName))\" is not 2 to 64 of "
                    + "letters, digits and _+=,.@-")
        }
    }

    private static func endpoint(_ inputs: CredentialInputs) throws(CredentialFlaw)
        -> ServiceEndpoint
    {
        for name in ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"] {
            guard let url = inputs.value(name) else { continue }
            do throws(ServiceEndpoint.Flaw) {
                return try ServiceEndpoint(url: url)
            } catch { throw CredentialFlaw("\(name): \(error)") }
        }
        return .aws(
            "sts", region: inputs.region, usesFIPS: inputs.usesFIPS,
            usesDualStack: inputs.usesDualStack)
    }

    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep {
        switch event {
        case .begin, .waited: return begin(unixSeconds)
        case .file(let bytes): return call(token: bytes)
        case .fileMissing:
            return .failed("\(tokenFile) is not there: check AWS_WEB_IDENTITY_TOKEN_FILE")
        case .fileUnreadable(let why): return .failed("\(tokenFile) cannot be read: \(why)")
        case .unreachable(let why): return retry("STS cannot be reached: \(why)")
        case .answer(let answer): return judge(answer, unixSeconds)
        case .output, .programFailed: return .failed("out of turn")
        }
    }

    private var tokenFile: String {
        if case .tokenFile(let path) = proof { path } else { "" }
    }

    // MARK: Asking

    private mutating func begin(_ unixSeconds: Int64) -> CredentialStep {
        switch proof {
        case .tokenFile(let path): .readFile(path)
        case .credentials(let credentials): .call(signedCall(credentials, unixSeconds))
        }
    }

    private func form(_ action: String, _ more: [(String, String)]) -> [UInt8] {
        var fields = [
            ("Action", action), ("Version", "2011-06-15"), ("RoleArn", role.arn),
            ("RoleSessionName", role.sessionName),
        ]
        if let duration = role.durationSeconds { fields.append(("DurationSeconds", duration)) }
        if let externalID = role.externalID { fields.append(("ExternalId", externalID)) }
        let text = (fields + more).map { "\($0)=\(SigV4.encoded(Array($1.utf8)))" }
        return Array(text.joined(separator: "&").utf8)
    }

    private static let contentType = SigV4.Header(
        "Content-Type", "application/x-www-form-urlencoded; charset=utf-8")

    private mutating func call(token: [UInt8]) -> CredentialStep {
        let answer = CredentialAnswer(status: 200, body: token)
        guard let word = answer.word(byteCountMax: 20_000) else {
            return .failed("\(tokenFile) holds no token: it is empty, or no text")
        }
        return .call(
            CredentialCall(
                "POST", endpoint, path: "/", headers: [Self.contentType],
                body: form("AssumeRoleWithWebIdentity", [("WebIdentityToken", word)]),
                timeoutMs: Self.timeoutMs))
    }

    private func signedCall(_ credentials: Credentials, _ unixSeconds: Int64) -> CredentialCall {
        let body = form("AssumeRole", [])
        let date = amzDate(unixSeconds: max(0, unixSeconds + clockOffsetSeconds))
        var headers = [Self.contentType, SigV4.Header("X-Amz-Date", date)]
        if let token = credentials.sessionToken {
            headers.append(SigV4.Header("X-Amz-Security-Token", token))
        }
        var signer = SigV4.Signer(region: region, service: "sts")
        let authorization = signer.authorization(
            credentials: credentials, amzDate: date, method: "POST", path: "/",
            headers: headers + [SigV4.Header("Host", endpoint.authority)],
            payloadHash: lowerHex(body.withUnsafeBytes { Sha256.digest($0) }))
        headers.append(SigV4.Header("Authorization", authorization))
        return CredentialCall(
            "POST", endpoint, path: "/", headers: headers, body: body, timeoutMs: Self.timeoutMs)
    }

    // MARK: Judging

    private mutating func judge(_ answer: CredentialAnswer, _ unixSeconds: Int64) -> CredentialStep
    {
        switch STSAnswer(status: answer.status, body: answer.body) {
        case .found(let text): return take(text, givenAt: answer.serverUnixSeconds ?? unixSeconds)
        case .unreadable:
            return retry("\(endpoint.authority) answered 200 with something STS does not say")
        case .refused(let code, let message):
            if FirehoseFault.of(status: answer.status, code: code, message: message) == .clockSkew,
                let server = answer.serverUnixSeconds, !correctedClock
            {
                (correctedClock, clockOffsetSeconds) = (true, server - unixSeconds)
                return begin(unixSeconds)
            }
            let name = code.isEmpty ? "status \(answer.status)" : code
            let why = "STS refuses \(role.arn): \(name)" + (message.isEmpty ? "" : ": \(message)")
            let passes = ["IDPCommunicationError", "InvalidIdentityToken"].contains(code)
            let fault = FirehoseFault.of(status: answer.status, code: code, message: message)
            return passes || fault == .retry || fault == .throttled ? retry(why) : .failed(why)
        }
    }

    private func take(_ text: CredentialText, givenAt: Int64) -> CredentialStep {
        do throws(CredentialFlaw) {
            let (credentials, expiresAt) = try text.judged()
            return .found(
                FoundCredentials(
                    credentials, detail: "role \(role.arn)",
                    role: text.roleARN.isEmpty ? role.arn : text.roleARN, expiresAt: expiresAt,
                    givenAt: givenAt))
        } catch {
            return .failed("STS: \(error.text)")
        }
    }

    private mutating func retry(_ why: String) -> CredentialStep {
        tries += 1
        if tries > Self.waitsMs.count { return .failed("\(why) (\(tries) tries)") }
        return .wait(ms: Self.waitsMs[tries - 1])
    }
}

/// What a role's or a session's name is made of: letters, digits and _+=,.@-
func isRoleNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "_+=,.@-".utf8.contains(byte)
    }
}
