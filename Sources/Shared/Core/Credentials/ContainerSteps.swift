/// The endpoint that ECS and EKS Pod Identity give a container.
struct ContainerSteps: CredentialSteps {
    private static let timeoutMs: UInt64 = 2000
    private static let triesMax = 3
    private static let waitMs: UInt64 = 300
    /// Where plain HTTP may go: this host, and the addresses of ECS and of EKS.
    static let hosts: Set<String> = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]
    private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    private static let tokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    private static let token = "AWS_CONTAINER_AUTHORIZATION_TOKEN"

    private let inputs: CredentialInputs
    private var endpoint = ServiceEndpoint(host: "169.254.170.2", port: 80)
    private var path = "/"
    private var tries = 0

    init(_ inputs: CredentialInputs) { self.inputs = inputs }

    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep {
        switch event {
        case .begin:
            do throws(CredentialFlaw) {
                guard try setUp() else {
                    return .notSetUp("neither \(Self.relative) nor \(Self.full) is set")
                }
            } catch { return .failed(error.text) }
            return authorize()
        case .waited: return authorize()
        case .file(let bytes): return call(authorization: String(decoding: bytes, as: UTF8.self))
        case .fileMissing: return .failed("\(tokenPath) (\(Self.tokenFile)) is not there")
        case .fileUnreadable(let why):
            return .failed("\(tokenPath) (\(Self.tokenFile)) cannot be read: \(why)")
        case .unreachable(let why): return retry("cannot be reached: \(why)")
        case .answer(let answer): return judge(answer, unixSeconds)
        case .output, .programFailed: return .failed("out of turn")
        }
    }

    private var tokenPath: String { inputs.value(Self.tokenFile) ?? "" }

    /// False when the environment says nothing of a container.
    private mutating func setUp() throws(CredentialFlaw) -> Bool {
        if let relative = inputs.value(Self.relative) {
            guard relative.hasPrefix("/"),
                relative.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { throw CredentialFlaw("\(Self.relative) is no path") }
            path = relative
            return true
        }
        guard let url = inputs.value(Self.full) else { return false }
        do throws(ServiceEndpoint.Flaw) {
            (endpoint, path) = try ServiceEndpoint.parse(url: url)
        } catch { throw CredentialFlaw("\(Self.full): \(error)") }
        if path.isEmpty { path = "/" }
        guard endpoint.isTLS || Self.isTrusted(endpoint.host) else {
            throw CredentialFlaw(
                "\(Self.full) names \(endpoint.host), which plain HTTP may not ask: use https, or "
                    + "an address of this host, 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]")
        }
        return true
    }

    /// Names but "localhost" are not: whoever answers for them could be anybody by the time they
    /// are asked for again.
    static func isTrusted(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" { return true }
        if hosts.contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { UInt8($0) != nil && $0.utf8.allSatisfy { $0 >= 0x30 } }
    }

    /// The file wins, and is read each time: its token changes.
    private func authorize() -> CredentialStep {
        if let file = inputs.value(Self.tokenFile) { return .readFile(file) }
        return call(authorization: inputs.value(Self.token))
    }

    private func call(authorization: String?) -> CredentialStep {
        var headers: [SigV4.Header] = []
        if let authorization {
            let isFine =
                !authorization.isEmpty && authorization.utf8.count <= 16 << 10
                && authorization.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
            if !isFine {
                let name = inputs.value(Self.tokenFile) == nil ? Self.token : Self.tokenFile
                return .failed(
                    "the token of \(name) is empty or holds a line break or another character "
                        + "that no header takes")
            }
            headers.append(SigV4.Header("Authorization", authorization))
        }
        return .call(
            CredentialCall(
                "GET", endpoint, path: path, headers: headers, timeoutMs: Self.timeoutMs))
    }

    private mutating func judge(
        _ answer: CredentialAnswer, _ unixSeconds: Int64
    ) -> CredentialStep {
        let text = answer.body.withUnsafeBytes { try? CredentialText(json: $0) }
        if answer.status != 200 {
            let why = text?.trouble.map { ": \($0)" } ?? ""
            let words = "answered \(answer.status)\(why)"
            return answer.status >= 500 || answer.status == 429
                ? retry(words) : .failed("\(endpoint.authority) \(words)")
        }
        guard let text else { return retry("answered something that is no JSON") }
        if let trouble = text.trouble, text.accessKeyID.isEmpty {
            return .failed("\(endpoint.authority): \(trouble)")
        }
        do throws(CredentialFlaw) {
            let (credentials, expiresAt) = try text.judged()
            return .found(
                FoundCredentials(
                    credentials, detail: endpoint.authority,
                    role: text.roleARN.isEmpty ? nil : text.roleARN,
                    account: text.account.isEmpty ? nil : text.account, expiresAt: expiresAt,
                    givenAt: answer.serverUnixSeconds ?? unixSeconds))
        } catch { return .failed("\(endpoint.authority): \(error.text)") }
    }

    private mutating func retry(_ why: String) -> CredentialStep {
        tries += 1
        if tries == Self.triesMax {
            return .failed("\(endpoint.authority) \(why) (\(tries) tries)")
        }
        return .wait(ms: Self.waitMs)
    }
}
