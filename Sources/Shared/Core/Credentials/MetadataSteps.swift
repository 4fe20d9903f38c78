/// The instance metadata of EC2, version 2: a token first, then the role's name, then its
/// credentials. Version 1, which needs no token, is never spoken: whatever can be made to fetch a
/// URL could ask it.
struct MetadataSteps: CredentialSteps {
    private static let timeoutMs: UInt64 = 1000
    private static let folder = "/latest/meta-data/iam/security-credentials/"

    private enum Phase { case token, role, credentials }

    private let inputs: CredentialInputs
    private var phase = Phase.token
    private var endpoint = ServiceEndpoint(host: "169.254.169.254", port: 80)
    private var token = ""
    private var role = ""
    /// A token that was refused is fetched anew, once.
    private var renewedToken = false

    init(_ inputs: CredentialInputs) { self.inputs = inputs }

    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep {
        switch event {
        case .begin: return begin()
        case .unreachable(let why):
            if phase == .token {
                return .notSetUp(
                    "\(why) (not on EC2? in a container the instance's hop limit must be 2)")
            }
            return .failed(why)
        case .answer(let answer):
            if answer.status == 401, phase != .token { return renewToken() }
            switch phase {
            case .token: return takeToken(answer)
            case .role: return takeRole(answer)
            case .credentials: return takeCredentials(answer, unixSeconds)
            }
        case .waited, .file, .fileMissing, .fileUnreadable, .output, .programFailed:
            return .failed("out of turn")
        }
    }

    private mutating func begin() -> CredentialStep {
        if inputs.value("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" {
            return .notSetUp("AWS_EC2_METADATA_DISABLED is true")
        }
        if let url = inputs.value("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            do throws(ServiceEndpoint.Flaw) {
                endpoint = try ServiceEndpoint(url: url)
            } catch { return .failed("AWS_EC2_METADATA_SERVICE_ENDPOINT: \(error)") }
        } else if inputs.value("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6" {
            endpoint = ServiceEndpoint(host: "fd00:ec2::254", port: 80)
        }
        return askForToken()
    }

    // MARK: Token

    private mutating func askForToken() -> CredentialStep {
        phase = .token
        return .call(
            CredentialCall(
                "PUT", endpoint, path: "/latest/api/token",
                headers: [SigV4.Header("X-aws-ec2-metadata-token-ttl-seconds", "21600")],
                timeoutMs: Self.timeoutMs))
    }

    private mutating func renewToken() -> CredentialStep {
        if renewedToken { return .failed("\(endpoint.authority) refuses the token it gave") }
        renewedToken = true
        return askForToken()
    }

    private mutating func takeToken(_ answer: CredentialAnswer) -> CredentialStep {
        switch answer.status {
        case 200:
            guard let word = answer.word(byteCountMax: 4096) else {
                return .failed("\(endpoint.authority) gave a token that is none")
            }
            token = word
            // Known from before, if this token replaces another.
            return role.isEmpty ? ask(Self.folder, .role) : ask(Self.folder + role, .credentials)
        case 403, 404, 405:
            return .failed(
                "\(endpoint.authority) answered \(answer.status) to the token: it is switched off, "
                    + "or speaks IMDSv1 only, which is not used: enable IMDSv2 on the instance")
        default:
            return .failed("\(endpoint.authority) answered \(answer.status) to the token")
        }
    }

    private mutating func ask(_ path: String, _ phase: Phase) -> CredentialStep {
        self.phase = phase
        return .call(
            CredentialCall(
                "GET", endpoint, path: path,
                headers: [SigV4.Header("X-aws-ec2-metadata-token", token)],
                timeoutMs: Self.timeoutMs))
    }

    // MARK: Role and credentials

    private mutating func takeRole(_ answer: CredentialAnswer) -> CredentialStep {
        if answer.status == 404 {
            return .failed("the instance has no role: attach an instance profile to it")
        }
        // One name a line, and there is one.
        let line = answer.body.split(separator: 0x0A).first ?? []
        let first = CredentialAnswer(status: 200, body: Array(line))
        guard answer.status == 200, let name = first.word(byteCountMax: 128),
            name.utf8.allSatisfy(isRoleNameByte)
        else {
            return .failed("\(endpoint.authority) answered \(answer.status) and no role's name")
        }
        role = name
        return ask(Self.folder + name, .credentials)
    }

    private func takeCredentials(
        _ answer: CredentialAnswer, _ unixSeconds: Int64
    ) -> CredentialStep {
        guard answer.status == 200,
            let text = answer.body.withUnsafeBytes({ try? CredentialText(json: $0) })
        else {
            return .failed(
                "\(endpoint.authority) answered \(answer.status) and no credentials of \(role)")
        }
        if let trouble = text.trouble {
            return .failed("the instance has no credentials of \(role): \(trouble)")
        }
        do throws(CredentialFlaw) {
            let (credentials, expiresAt) = try text.judged()
            return .found(
                FoundCredentials(
                    credentials, detail: "role \(role)", role: role,
                    account: text.account.isEmpty ? nil : text.account, expiresAt: expiresAt,
                    givenAt: answer.serverUnixSeconds ?? unixSeconds))
        } catch { return .failed("\(endpoint.authority): \(error.text)") }
    }
}
