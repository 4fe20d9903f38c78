@testable import Core

/// Runs a chain against files, answers and programs that a test lays out.
struct ChainRig {
    static let now: Int64 = 1_767_323_045  // 2026-01-02T03:04:05Z

    var environment: [String: String]
    var files: [String: String] = [:]
    /// Answers in order; nil: cannot be reached.
    var answers: [CredentialAnswer?] = []
    var output: CredentialEvent = .programFailed("must not run")

    private(set) var heads: [String] = []
    private(set) var bodies: [String] = []
    private(set) var endpoints: [ServiceEndpoint] = []
    private(set) var programs: [[String]] = []
    private(set) var reads: [String] = []
    private(set) var waitedMs: UInt64 = 0

    init(_ environment: [String: String]) {
        self.environment = environment.merging(
            ["HOME": "/users/u", "AWS_EC2_METADATA_DISABLED": "true"]
        ) { given, _ in given }
    }

    enum End: Equatable {
        case found(FoundCredentials)
        case failed([CredentialAttempt])
    }

    mutating func run() -> End {
        var chain = CredentialChain(
            CredentialInputs(environment: environment, region: "eu-west-1", host: "web-1"))
        var action = chain.start(unixSeconds: Self.now)
        while true {
            switch action {
            case .found(let found): return .found(found)
            case .failed(let attempts): return .failed(attempts)
            default: action = chain.handle(answer(action), unixSeconds: Self.now)
            }
        }
    }

    private mutating func answer(_ action: CredentialAction) -> CredentialEvent {
        switch action {
        case .readFile(let path):
            reads.append(path)
            return files[path].map { .file(Array($0.utf8)) } ?? .fileMissing
        case .call(let call):
            heads.append(String(decoding: call.head, as: UTF8.self))
            bodies.append(String(decoding: call.body, as: UTF8.self))
            endpoints.append(call.endpoint)
            guard !answers.isEmpty, let answer = answers.removeFirst() else {
                return .unreachable("nobody there")
            }
            return .answer(answer)
        case .wait(let ms):
            waitedMs += ms
            return .waited
        case .run(let words):
            programs.append(words)
            return output
        case .found, .failed: preconditionFailure("ended")
        }
    }

    /// The credentials that must be found.
    mutating func found() -> FoundCredentials? {
        if case .found(let found) = run() { found } else { nil }
    }

    /// What the source that failed said; nil when none did.
    mutating func failure() -> CredentialAttempt? {
        if case .failed(let attempts) = run() { attempts.first(where: \.failed) } else { nil }
    }
}

extension CredentialAnswer {
    init(_ text: String) { self.init(status: 200, body: Array(text.utf8)) }

    init(_ status: Int, _ text: String) { self.init(status: status, body: Array(text.utf8)) }

    static let credentials = CredentialAnswer(
        #"{"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s/+=","Token":"t//=","#
            + #""Expiration":"2026-01-02T09:04:05Z"}"#)

    static func role(_ action: String, key: String = "ASIA2") -> CredentialAnswer {
        CredentialAnswer(
            """
            <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <\(action)Result>
                <AssumedRoleUser>
                  <Arn>arn:aws:sts::123456789012:assumed-role/shop/hydrant</Arn>
                </AssumedRoleUser>
                <Credentials>
                  <AccessKeyId>\(key)</AccessKeyId>
                  <SecretAccessKey>secret&amp;more</SecretAccessKey>
                  <SessionToken>token//=</SessionToken>
                  <Expiration>2026-01-02T04:04:05.123Z</Expiration>
                </Credentials>
              </\(action)Result>
            </\(action)Response>
            """)
    }

    static func stsError(_ status: Int, _ code: String, _ message: String = "no")
        -> CredentialAnswer
    {
        CredentialAnswer(
            status,
            "<ErrorResponse><Error><Type>Sender</Type><Code>\(code)</Code>"
                + "<Message>\(message)</Message></Error></ErrorResponse>")
    }
}
