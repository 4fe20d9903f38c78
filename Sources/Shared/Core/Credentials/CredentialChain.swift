/// Looks for credentials where AWS's own tools look, in their order:
///
///     environment → web identity → profile files → container endpoint → instance metadata
///
/// A source that is not set up is passed over. One that is set up and fails ends the search: what
/// the next one has is somebody else, with other rights, and its rows would go astray or be refused
/// for no visible reason.
///
/// Pure: says what to read, call or run, and is told what came of it. One search a value.
public struct CredentialChain {
    private let inputs: CredentialInputs
    private var attempts: [CredentialAttempt] = []
    private var waiting = CredentialSource.allCases[...]
    private var asked: CredentialSource?
    private var steps: (any CredentialSteps)?

    public init(_ inputs: CredentialInputs) { self.inputs = inputs }

    /// Begins. `unixSeconds`: now, by the local clock.
    public mutating func start(unixSeconds: Int64) -> CredentialAction {
        handle(.begin, unixSeconds: unixSeconds)
    }

    /// Tells what came of the last action.
    public mutating func handle(
        _ event: CredentialEvent, unixSeconds: Int64
    ) -> CredentialAction {
        var event = event
        while true {
            if steps == nil {
                guard let source = waiting.popFirst() else { return .failed(attempts) }
                asked = source
                steps = inputs.steps(of: source)
                event = .begin
            }
            guard let source = asked, let step = steps?.next(event, unixSeconds: unixSeconds)
            else { preconditionFailure("an event after the end") }
            switch step {
            case .readFile(let path): return .readFile(path: path)
            case .call(let call): return .call(call)
            case .wait(let ms): return .wait(ms: ms)
            case .run(let words): return .run(words)
            case .found(var found):
                found.source = source
                return .found(found)
            case .notSetUp(let why):
                attempts.append(CredentialAttempt(source: source, outcome: why, failed: false))
                steps = nil
            case .failed(let why):
                attempts.append(CredentialAttempt(source: source, outcome: why, failed: true))
                attempts += waiting.map {
                    CredentialAttempt(
                        source: $0, outcome: "not asked: \(source.words) comes first",
                        failed: false)
                }
                waiting = []
                return .failed(attempts)
            }
        }
    }
}

/// Where credentials come from, in the order of asking.
public enum CredentialSource: String, CaseIterable, Sendable {
    case environment
    case webIdentity = "web-identity"
    case profile
    case container
    case instanceMetadata = "instance-metadata"

    public var words: String {
        switch self {
        case .environment: "environment"
        case .webIdentity: "web identity"
        case .profile: "profile files"
        case .container: "container endpoint"
        case .instanceMetadata: "instance metadata"
        }
    }
}

/// What the search goes by.
public struct CredentialInputs: Sendable {
    public var environment: [String: String]
    /// Of STS: where roles are assumed.
    public var region: String
    public var usesFIPS = false
    public var usesDualStack = false
    /// Names the session of an assumed role, where nothing else does.
    public var sessionName: String

    public init(
        environment: [String: String], region: String, usesFIPS: Bool = false,
        usesDualStack: Bool = false, host: String = ""
    ) {
        self.environment = environment
        self.region = region
        self.usesFIPS = usesFIPS
        self.usesDualStack = usesDualStack
        sessionName = Self.sessionName(host: host)
    }

    /// "hydrant-HOST", in the letters that STS takes, at most 64.
    static func sessionName(host: String) -> String {
        let letters = host.unicodeScalars.filter {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-")
        }
        let name = String(String.UnicodeScalarView(letters))
        return name.isEmpty ? "hydrant" : String("hydrant-\(name)".prefix(64))
    }

    /// A variable's value; nil when it is absent or empty.
    func value(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }

    /// A path with "~/" resolved; nil without a home to resolve it with.
    func path(_ text: String) -> String? {
        guard text == "~" || text.hasPrefix("~/") else { return text }
        return value("HOME").map { $0 + text.dropFirst() }
    }

    /// The credentials file's path and the config file's; nil where "~" means nothing.
    public var profilePaths: [String?] {
        [
            path(value("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials"),
            path(value("AWS_CONFIG_FILE") ?? "~/.aws/config"),
        ]
    }

    /// The profile that is asked for by name; nil: the one named "default" will do, if there is one.
    public var wantedProfile: String? { value("AWS_PROFILE") ?? value("AWS_DEFAULT_PROFILE") }

    func steps(of source: CredentialSource) -> any CredentialSteps {
        switch source {
        case .environment: EnvironmentSteps(self)
        case .webIdentity: WebIdentitySteps(self)
        case .profile: ProfileSteps(self)
        case .container: ContainerSteps(self)
        case .instanceMetadata: MetadataSteps(self)
        }
    }

    /// Whether anything says where credentials are, as far as variables and files tell. Without it
    /// only instance metadata is left, which nobody knows before asking.
    public func pointsSomewhere(fileExists: (String) -> Bool) -> Bool {
        let names = [
            "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_PROFILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        ]
        if names.contains(where: { value($0) != nil }) { return true }
        return profilePaths.contains { $0.map(fileExists) ?? false }
    }
}

/// Credentials, and what is known of them.
public struct FoundCredentials: Equatable, Sendable {
    public var credentials: Credentials
    public var source = CredentialSource.environment
    /// Where in the source: "profile shop of ~/.aws/credentials".
    public var detail: String
    /// A role's ARN or name, if they are a role's.
    public var role: String?
    public var account: String?
    /// Seconds since 1970; nil: they do not end.
    public var expiresAt: Int64?
    /// The same as a span from the moment they were given, by the giver's own clock where it told
    /// it. Negative when they had ended already.
    public var secondsLeft: Int64?

    init(
        _ credentials: Credentials, detail: String, role: String? = nil, account: String? = nil,
        expiresAt: Int64? = nil, givenAt: Int64
    ) {
        self.credentials = credentials
        self.detail = detail
        self.role = role
        self.account = account ?? role.flatMap(Self.account(ofARN:))
        self.expiresAt = expiresAt
        secondsLeft = expiresAt.map { $0 - givenAt }
    }

    /// The account in "arn:aws:iam::123456789012:role/x".
    private static func account(ofARN text: String) -> String? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 6, parts[0] == "arn", parts[4].utf8.count == 12,
            parts[4].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return String(parts[4])
    }

    /// For people: "instance metadata (role shop)".
    public var sourceText: String { "\(source.words) (\(detail))" }
}

/// What came of asking one source.
public struct CredentialAttempt: Equatable, Sendable {
    public var source: CredentialSource
    /// Why it has none, and what would mend it.
    public var outcome: String
    /// It is set up, and does not work; else it is merely not set up.
    public var failed: Bool

    public var text: String { "\(source.words): \(outcome)" }
}

extension [CredentialAttempt] {
    /// One line of it all: the failure alone if there is one, since that is what to mend.
    public var text: String {
        let told = contains(where: \.failed) ? filter(\.failed) : self
        return told.map(\.text).joined(separator: "; ")
    }

    /// The same where there is little room.
    public var shortText: String {
        if contains(where: \.failed) { return text }
        return "no source is set up (" + map(\.source.words).joined(separator: ", ") + ")"
    }
}

/// What the search wants done.
public enum CredentialAction: Equatable, Sendable {
    /// At most `ProfileFile.byteCountMax`.
    case readFile(path: String)
    case call(CredentialCall)
    case wait(ms: UInt64)
    /// A program and its arguments, without a shell; its standard output is wanted.
    case run([String])
    case found(FoundCredentials)
    case failed([CredentialAttempt])
}

/// What came of it.
public enum CredentialEvent: Equatable, Sendable {
    case begin
    case file([UInt8])
    case fileMissing
    /// Any other reason.
    case fileUnreadable(String)
    case answer(CredentialAnswer)
    case unreachable(String)
    case waited
    case output([UInt8])
    case programFailed(String)
}

/// One source's part of the search.
protocol CredentialSteps {
    /// The first event is `begin`, each later one what came of the last step.
    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep
}

enum CredentialStep: Equatable {
    case readFile(String)
    case call(CredentialCall)
    case wait(ms: UInt64)
    case run([String])
    case found(FoundCredentials)
    /// Nothing says that this source is to be used.
    case notSetUp(String)
    case failed(String)
}
