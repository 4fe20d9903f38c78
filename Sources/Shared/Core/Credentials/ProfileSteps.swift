/// The profile that AWS_PROFILE names, of `~/.aws/credentials` and `~/.aws/config`: a key pair, a
/// program that prints one, a token file, or a role assumed as another profile.
struct ProfileSteps: CredentialSteps {
    /// Roles assumed one as the other, at most.
    static let rolesMax = 8

    private enum Phase { case credentialsFile, configFile, program, role }

    private let inputs: CredentialInputs
    private var phase = Phase.credentialsFile
    private var credentialsFile = ProfileFile()
    private var configFile = ProfileFile()
    /// Roles to assume, the next one last.
    private var roles: [(profile: String, role: RoleSteps.Role)] = []
    private var assuming: RoleSteps?
    /// Of the profile that the search has come to: "profile shop".
    private var place = ""

    init(_ inputs: CredentialInputs) { self.inputs = inputs }

    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep {
        switch phase {
        case .credentialsFile, .configFile: return takeFile(event, unixSeconds)
        case .program: return takeOutput(event, unixSeconds)
        case .role:
            let step = assuming!.next(event, unixSeconds: unixSeconds)
            switch step {
            case .found(let found): return go(on: found, unixSeconds)
            case .failed(let why): return .failed("\(place): \(why)")
            default: return step
            }
        }
    }

    // MARK: Files

    private mutating func takeFile(
        _ event: CredentialEvent, _ unixSeconds: Int64
    ) -> CredentialStep {
        let isFirst = phase == .credentialsFile
        let path = inputs.profilePaths[isFirst ? 0 : 1]
        switch event {
        case .begin:
            if let path { return .readFile(path) }
        case .file(let bytes):
            let text = String(decoding: bytes, as: UTF8.self)
            if isFirst {
                credentialsFile = ProfileFile(text, kind: .credentials)
            } else {
                configFile = ProfileFile(text, kind: .config)
            }
        case .fileMissing: break
        case .fileUnreadable(let why): return .failed("\(path ?? "") cannot be read: \(why)")
        default: return .failed("out of turn")
        }
        if isFirst {
            phase = .configFile
            return takeFile(.begin, unixSeconds)
        }
        return readProfiles(unixSeconds)
    }

    private func profile(_ name: String) -> [String: String]? {
        ProfileFile.profile(name, credentials: credentialsFile, config: configFile)
    }

    // MARK: Profiles

    private mutating func readProfiles(_ unixSeconds: Int64) -> CredentialStep {
        let wanted = inputs.wantedProfile
        let name = wanted ?? "default"
        let files = inputs.profilePaths.compactMap { $0 }.joined(separator: " nor in ")
        guard let values = profile(name) else {
            let where_ = "no profile \(name) in \(files)\(misread(name))"
            return wanted == nil
                ? .notSetUp(where_) : .failed("\(where_), and AWS_PROFILE asks for it")
        }
        do throws(CredentialFlaw) {
            if let step = try begin(name, values, unixSeconds) { return step }
        } catch { return .failed(error.text) }
        if let key = Self.signInKeys.first(where: { values[$0]?.isEmpty == false }) {
            return .failed(Self.signInRemedy(profile: name, key: key))
        }
        let nothing =
            "profile \(name) has no aws_access_key_id, role_arn, web_identity_token_file or "
            + "credential_process\(misread(name))"
        return wanted == nil ? .notSetUp(nothing) : .failed(nothing)
    }

    /// Why a profile may be there and not be seen, to be put behind what is missing; or "".
    private func misread(_ name: String) -> String {
        let paths = inputs.profilePaths.map { $0 ?? "" }
        if let line = configFile.unmarkedSections[name] {
            return " (line \(line) of \(paths[1]): write [profile \(name)] there)"
        }
        for (file, path) in zip([credentialsFile, configFile], paths) {
            if let stray = file.stray { return " (line \(stray.line) of \(path) \(stray.flaw))" }
        }
        return ""
    }

    /// What the AWS CLI writes into a profile that somebody signs in to, and keeps in caches of its
    /// own.
    private static let signInKeys = ["sso_session", "sso_start_url", "login_session"]

    private static func signInRemedy(profile: String, key: String) -> String {
        "profile \(profile) is signed in to (\(key)), and what the AWS CLI keeps of that is not read: "
            + "let it hand the keys over with credential_process = aws configure "
            + "export-credentials --profile \(profile) in another profile, and name that one in "
            + "AWS_PROFILE"
    }

    /// Follows the profile to where its credentials begin. Nil when it has none.
    private mutating func begin(
        _ first: String, _ firstValues: [String: String], _ unixSeconds: Int64
    ) throws(CredentialFlaw) -> CredentialStep? {
        var (name, values) = (first, firstValues)
        var visited: Set<String> = []
        while true {
            place = "profile \(name)"
            // A profile may name itself as its source: the role, and then its own key pair.
            let isOwnSource = visited.contains(name)
            visited.insert(name)
            if !isOwnSource, let arn = values["role_arn"], !arn.isEmpty {
                if let file = values["web_identity_token_file"], !file.isEmpty {
                    return try assume(
                        role(arn, values), as: .tokenFile(inputs.path(file) ?? file), unixSeconds)
                }
                let source = try source(of: name, values)
                roles.append((name, role(arn, values)))
                if roles.count > Self.rolesMax {
                    throw CredentialFlaw("\(place): more than \(Self.rolesMax) roles in a row")
                }
                if source != name, visited.contains(source) {
                    throw CredentialFlaw("\(place): source_profile goes round in a circle")
                }
                guard let next = profile(source) else {
                    throw CredentialFlaw("\(place): source_profile = \(source) is in no file")
                }
                (name, values) = (source, next)
                continue
            }
            if let step = try pair(name, values, unixSeconds) { return step }
            if roles.isEmpty { return nil }
            throw CredentialFlaw(
                "\(place), a source_profile, has neither a key pair nor a credential_process")
        }
    }

    private func source(
        of name: String, _ values: [String: String]
    ) throws(CredentialFlaw) -> String {
        if values["mfa_serial"] != nil {
            throw CredentialFlaw(
                "\(place): mfa_serial needs somebody to type a code: use another profile for "
                    + "hydrant")
        }
        if let source = values["source_profile"], !source.isEmpty { return source }
        if let source = values["credential_source"] {
            throw CredentialFlaw(
                "\(place): credential_source = \(printable(source)) is not supported: give the "
                    + "role to the instance or the container itself, or use source_profile")
        }
        throw CredentialFlaw(
            "\(place) has role_arn without source_profile: name the profile that may assume it")
    }

    private func role(_ arn: String, _ values: [String: String]) -> RoleSteps.Role {
        RoleSteps.Role(
            arn: arn,
            sessionName: values["role_session_name"] ?? inputs.value("AWS_ROLE_SESSION_NAME")
                ?? inputs.sessionName,
            externalID: values["external_id"], durationSeconds: values["duration_seconds"])
    }

    /// A key pair, or the program that prints one.
    private mutating func pair(
        _ name: String, _ values: [String: String], _ unixSeconds: Int64
    ) throws(CredentialFlaw) -> CredentialStep? {
        if let credentials = Credentials(profile: values) {
            guard credentials.isSendable else {
                throw CredentialFlaw("\(place): its key or token has characters no header takes")
            }
            return go(
                on: FoundCredentials(credentials, detail: place, givenAt: unixSeconds), unixSeconds)
        }
        for (one, other) in [
            ("aws_access_key_id", "aws_secret_access_key"),
            ("aws_secret_access_key", "aws_access_key_id"),
        ] where values[one].map({ !$0.isEmpty }) == true {
            throw CredentialFlaw("\(place) has \(one) and no \(other)")
        }
        guard let line = values["credential_process"] else { return nil }
        do throws(CommandWords.Flaw) {
            phase = .program
            return .run(try CommandWords.split(line))
        } catch { throw CredentialFlaw("\(place): credential_process: \(error)") }
    }

    // MARK: What they lead to

    private mutating func takeOutput(
        _ event: CredentialEvent, _ unixSeconds: Int64
    ) -> CredentialStep {
        switch event {
        case .output(let bytes):
            let prefix = "\(place): credential_process"
            guard let text = bytes.withUnsafeBytes({ try? CredentialText(json: $0) }) else {
                return .failed("\(prefix) printed no JSON object")
            }
            guard text.version == 1 else {
                return .failed("\(prefix) printed no \"Version\": 1")
            }
            do throws(CredentialFlaw) {
                let (credentials, expiresAt) = try text.judged()
                return go(
                    on: FoundCredentials(
                        credentials, detail: "credential_process of \(place)",
                        account: text.account.isEmpty ? nil : text.account, expiresAt: expiresAt,
                        givenAt: unixSeconds), unixSeconds)
            } catch { return .failed("\(prefix): \(error.text)") }
        case .programFailed(let why): return .failed("\(place): credential_process \(why)")
        default: return .failed("out of turn")
        }
    }

    private mutating func go(
        on found: FoundCredentials, _ unixSeconds: Int64
    ) -> CredentialStep {
        guard let next = roles.popLast() else {
            var found = found
            if assuming != nil { found.detail = "\(place), \(found.detail)" }
            return .found(found)
        }
        place = "profile \(next.profile)"
        do throws(CredentialFlaw) {
            return try assume(next.role, as: .credentials(found.credentials), unixSeconds)
        } catch { return .failed("\(place): \(error.text)") }
    }

    private mutating func assume(
        _ role: RoleSteps.Role, as proof: RoleSteps.Proof, _ unixSeconds: Int64
    ) throws(CredentialFlaw) -> CredentialStep {
        phase = .role
        assuming = try RoleSteps(role, as: proof, inputs)
        return assuming!.next(.begin, unixSeconds: unixSeconds)
    }
}
