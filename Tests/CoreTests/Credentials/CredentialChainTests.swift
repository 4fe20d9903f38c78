import Testing

@testable import Core

@Suite struct CredentialChainTests {
    private static let pair = ["AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "secret"]
    private static let credentialsPath = "/users/u/.aws/credentials"
    private static let configPath = "/users/u/.aws/config"
    private static let roleARN = "arn:aws:iam::123456789012:role/shop"

    // MARK: Order

    @Test func `with nothing set up every source is named, in order, with its reason`() {
        var rig = ChainRig([:])
        guard case .failed(let attempts) = rig.run() else {
            Issue.record("found something")
            return
        }
        #expect(attempts.map(\.source) == CredentialSource.allCases)
        #expect(attempts.allSatisfy { !$0.failed && !$0.outcome.isEmpty })
        #expect(attempts[4].outcome.contains("AWS_EC2_METADATA_DISABLED"))
        #expect(attempts.shortText.contains("no source is set up"))
        #expect(rig.heads.isEmpty)
    }

    @Test func `the environment comes first and nothing else is asked`() {
        var rig = ChainRig(
            Self.pair.merging([
                "AWS_SESSION_TOKEN": "t", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t",
                "AWS_ROLE_ARN": Self.roleARN, "AWS_CREDENTIAL_EXPIRATION": "2026-01-02T03:05:05Z",
            ]) { $1 })
        let found = rig.found()
        #expect(
            found?.credentials
                == Credentials(accessKeyID: "AKIA1", secretAccessKey: "secret", sessionToken: "t"))
        #expect(found?.source == .environment && found?.secondsLeft == 60)
        #expect(rig.reads.isEmpty && rig.heads.isEmpty)
    }

    @Test(arguments: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    func `half a pair ends the search and says which half`(name: String) {
        var rig = ChainRig([name: "x"])
        rig.files[Self.credentialsPath] = "[default]\naws_access_key_id=A\naws_secret_access_key=B"
        let failure = rig.failure()
        #expect(failure?.source == .environment && failure?.outcome.contains(name) == true)
        #expect(rig.reads.isEmpty, "nobody else's credentials are used instead")
    }

    @Test func `a key that no header takes is refused, and not shown`() {
        var rig = ChainRig(["AWS_ACCESS_KEY_ID": "A\r\nX: y", "AWS_SECRET_ACCESS_KEY": "hush"])
        let failure = rig.failure()
        #expect(failure?.source == .environment)
        #expect(failure?.outcome.contains("hush") == false)
    }

    // MARK: Web identity

    @Test func `a token file becomes a role by a golden request`() {
        var rig = ChainRig(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": Self.roleARN])
        rig.files["/t"] = "ey.J+\n"
        rig.answers = [.role("AssumeRoleWithWebIdentity")]
        let found = rig.found()
        #expect(
            found?.credentials
                == Credentials(
                    accessKeyID: "ASIA2", secretAccessKey: "secret&more", sessionToken: "token//="))
        #expect(found?.source == .webIdentity && found?.account == "123456789012")
        #expect(found?.secondsLeft == 3600 && found?.expiresAt == ChainRig.now + 3600)
        let body =
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
            + "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fshop"
            + "&RoleSessionName=hydrant-web-1&WebIdentityToken=ey.J%2B"
        #expect(rig.bodies == [body])
        #expect(
            rig.heads == [
                "POST / HTTP/1.1\r\nHost: sts.eu-west-1.amazonaws.com\r\nUser-Agent: hydrant\r\n"
                    + "Accept: application/json\r\n"
                    + "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n"
            ])
        #expect(rig.endpoints.first?.isTLS == true)
    }

    @Test func `the token file is read anew for each try, and some refusals pass`() {
        var rig = ChainRig([
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": Self.roleARN,
            "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:5000", "AWS_ROLE_SESSION_NAME": "me",
        ])
        rig.files["/t"] = "token"
        rig.answers = [
            .stsError(400, "IDPCommunicationError"), nil, .role("AssumeRoleWithWebIdentity"),
        ]
        #expect(rig.found() != nil)
        #expect(rig.reads == ["/t", "/t", "/t"] && rig.waitedMs == 2000)
        #expect(rig.endpoints.last?.url == "http://127.0.0.1:5000")
        #expect(rig.bodies[0].contains("RoleSessionName=me"))
    }

    @Test func `what does not pass is told with STS's words, at once`() {
        var rig = ChainRig(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": Self.roleARN])
        rig.files["/t"] = "token"
        rig.answers = [.stsError(403, "AccessDenied", "Not authorized")]
        let failure = rig.failure()
        #expect(failure?.outcome.contains("AccessDenied: Not authorized") == true)
        #expect(failure?.outcome.contains(Self.roleARN) == true && rig.waitedMs == 0)

        rig = ChainRig(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": Self.roleARN])
        #expect(rig.failure()?.outcome.contains("/t is not there") == true)
        rig.files["/t"] = " \n"
        #expect(rig.failure()?.outcome.contains("no token") == true)
        rig = ChainRig(["AWS_WEB_IDENTITY_TOKEN_FILE": "/t"])
        #expect(rig.failure()?.outcome.contains("AWS_ROLE_ARN is not") == true)
    }

    // MARK: Profiles

    @Test func `a profile's key pair is found, the credentials file's before the config file's`() {
        var rig = ChainRig(["AWS_PROFILE": "shop"])
        rig.files[Self.configPath] =
            "[profile shop]\naws_access_key_id=C\naws_secret_access_key=D\nregion=x"
        #expect(rig.found()?.credentials.accessKeyID == "C")
        rig.files[Self.credentialsPath] = "[shop]\naws_access_key_id=A\naws_secret_access_key=B"
        let found = rig.found()
        #expect(found?.credentials == Credentials(accessKeyID: "A", secretAccessKey: "B"))
        #expect(found?.source == .profile && found?.detail == "profile shop")
        #expect(found?.secondsLeft == nil)
    }

    @Test(arguments: [
        "sso_session = corp\nsso_account_id = 1", "sso_start_url = https://x", "login_session = a",
    ])
    func `a profile that somebody signs in to ends the search, with the way around`(keys: String) {
        for name in ["shop", "default"] {
            var rig = ChainRig(name == "shop" ? ["AWS_PROFILE": "shop"] : [:])
            let header = name == "shop" ? "profile shop" : name
            rig.files[Self.configPath] = "[\(header)]\n\(keys)\nregion = eu-west-1"
            let failure = rig.failure()
            #expect(failure?.source == .profile && rig.heads.isEmpty)
            let words = "credential_process = aws configure export-credentials --profile \(name)"
            #expect(failure?.outcome.contains(words) == true)
        }
    }

    @Test func `a signed in profile that has its keys handed over is one that works`() {
        var rig = ChainRig(["AWS_PROFILE": "shop"])
        rig.files[Self.configPath] =
            "[profile shop]\nsso_session = corp\naws_access_key_id=C\naws_secret_access_key=D"
        #expect(rig.found()?.credentials.accessKeyID == "C")
    }

    @Test func `files and home may be elsewhere`() {
        var rig = ChainRig([
            "AWS_SHARED_CREDENTIALS_FILE": "~/c", "AWS_CONFIG_FILE": "/etc/aws",
        ])
        rig.files["/users/u/c"] = "[default]\naws_access_key_id=A\naws_secret_access_key=B"
        #expect(rig.found() != nil)
        #expect(rig.reads == ["/users/u/c", "/etc/aws"])
    }

    @Test func `a role is assumed as its source profile by a request that is signed right`() throws
    {
        var rig = ChainRig(["AWS_PROFILE": "shop"])
        rig.files[Self.configPath] =
            "[profile shop]\nrole_arn=\(Self.roleARN)\nsource_profile=base\nexternal_id=e 1\n"
            + "role_session_name=nightly"
        rig.files[Self.credentialsPath] =
            "[base]\naws_access_key_id=A\naws_secret_access_key=B\naws_session_token=T"
        rig.answers = [.role("AssumeRole")]
        let found = rig.found()
        #expect(found?.credentials.accessKeyID == "ASIA2")
        #expect(found?.detail == "profile shop, role \(Self.roleARN)")
        let body = try #require(rig.bodies.first)
        #expect(body.hasPrefix("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3A"))
        #expect(body.hasSuffix("&RoleSessionName=nightly&ExternalId=e%201"))
        let head = try #require(rig.heads.first)
        let headers = head.split(separator: "\r\n").dropFirst().map { line in
            let halves = line.split(separator: ":", maxSplits: 1)
            return SigV4.Header(String(halves[0]), String(halves[1].dropFirst()))
        }
        let value = headers.first { $0.name == "Authorization" }?.value ?? ""
        let authorization = try SigV4.Authorization(parsing: value)
        #expect(authorization.accessKeyID == "A" && authorization.scope.service == "sts")
        #expect(authorization.signedHeaders.contains("x-amz-security-token"))
        let expected = SigV4.expectedSignature(
            method: "POST", path: "/", query: "", headers: headers, authorization: authorization,
            amzDate: "20260102T030405Z", payloadHash: lowerHex(Sha256.digest(body)), secret: "B")
        #expect(expected == authorization.signature)
    }

    @Test func `roles in a row are assumed from the source on`() {
        var rig = ChainRig(["AWS_PROFILE": "a"])
        rig.files[Self.configPath] = """
            [profile a]
            role_arn = arn:aws:iam::123456789012:role/outer
            source_profile = b
            [profile b]
            role_arn = arn:aws:iam::123456789012:role/inner
            source_profile = b
            aws_access_key_id = A
            aws_secret_access_key = B
            """
        rig.answers = [
            .role("AssumeRole", key: "ASIAINNER"), .role("AssumeRole", key: "ASIAOUTER"),
        ]
        #expect(rig.found()?.credentials.accessKeyID == "ASIAOUTER")
        #expect(rig.bodies[0].contains("inner") && rig.bodies[1].contains("outer"))
        #expect(rig.heads[1].contains("Credential=ASIAINNER/"))
    }

    @Test func `a clock that is off is corrected once by what STS says`() {
        var rig = ChainRig(["AWS_PROFILE": "a"])
        rig.files[Self.configPath] =
            "[profile a]\nrole_arn=\(Self.roleARN)\nsource_profile=a\naws_access_key_id=A\n"
            + "aws_secret_access_key=B"
        var refusal = CredentialAnswer.stsError(
            403, "SignatureDoesNotMatch", "Signature expired: x is now earlier than y")
        refusal.serverUnixSeconds = ChainRig.now + 3600
        var answer = CredentialAnswer.role("AssumeRole")
        answer.serverUnixSeconds = ChainRig.now + 3000
        rig.answers = [refusal, answer]
        let found = rig.found()
        #expect(found?.secondsLeft == 600, "by STS's clock, not by ours")
        #expect(rig.heads[1].contains("X-Amz-Date: 20260102T040405Z"))
        rig.answers = [refusal, refusal]
        #expect(rig.failure()?.outcome.contains("Signature expired") == true)
    }

    static let brokenProfiles: [(String, String)] = [
        ("role_arn = x", "source_profile"),
        ("role_arn = x\nsource_profile = nobody", "nobody is in no file"),
        ("role_arn = x\nsource_profile = q\n[profile q]\nrole_arn=y\nsource_profile=p", "circle"),
        ("role_arn = x\nsource_profile = q\n[profile q]\nregion=r", "neither a key pair"),
        ("role_arn = x\ncredential_source = Ec2InstanceMetadata", "credential_source"),
        ("role_arn = x\nmfa_serial = m\nsource_profile = p", "mfa_serial"),
        ("aws_access_key_id = x", "no aws_secret_access_key"),
        ("aws_secret_access_key = x", "no aws_access_key_id"),
        ("credential_process = \"x", "never closed"),
        ("region = x", "credential_process"),
        (
            "role_arn=x\nrole_session_name=a b\nsource_profile=p\naws_access_key_id=k\n"
                + "aws_secret_access_key=s", "session name"
        ),
    ]

    @Test(arguments: brokenProfiles.indices)
    func `a profile that cannot work says which and why`(index: Int) {
        let (lines, word) = Self.brokenProfiles[index]
        var rig = ChainRig(["AWS_PROFILE": "p"])
        rig.files[Self.configPath] = "[profile p]\n" + lines
        let failure = rig.failure()
        #expect(failure?.source == .profile)
        #expect(failure?.outcome.contains(word) == true, "\(failure?.outcome ?? "")")
        #expect(failure?.outcome.contains("profile ") == true)
    }

    @Test func `a default profile without credentials is passed over, one asked for is not`() {
        var rig = ChainRig([:])
        rig.files[Self.configPath] = "[default]\nregion = eu-west-1"
        #expect(rig.failure() == nil)
        rig.environment["AWS_PROFILE"] = "absent"
        #expect(rig.failure()?.outcome.contains("AWS_PROFILE") == true)
    }

    @Test func `a credential process is run as words, and what it prints is judged`() {
        var rig = ChainRig([:])
        rig.files[Self.configPath] =
            "[default]\ncredential_process = \"/opt/my tool\" --for 'a b' c\\ d"
        rig.output = .output(
            Array(
                (#"{"Version":1,"AccessKeyId":"P","SecretAccessKey":"Q","SessionToken":"R","#
                    + #""Expiration":"2026-01-02T04:04:05+00:30"}"#).utf8))
        let found = rig.found()
        #expect(rig.programs == [["/opt/my tool", "--for", "a b", "c d"]])
        #expect(
            found?.credentials
                == Credentials(accessKeyID: "P", secretAccessKey: "Q", sessionToken: "R"))
        #expect(found?.secondsLeft == 1800)
        for (output, word): (CredentialEvent, String) in [
            (.output(Array("{}".utf8)), "Version"), (.output(Array("nope".utf8)), "no JSON"),
            (.output(Array(#"{"Version":2}"#.utf8)), "Version"),
            (.output(Array(#"{"Version":1,"AccessKeyId":"x"}"#.utf8)), "SecretAccessKey"),
            (.programFailed("exited with status 3"), "status 3"),
        ] {
            rig.output = output
            #expect(rig.failure()?.outcome.contains(word) == true)
        }
    }

    // MARK: Container

    @Test func `the container's endpoint is asked with the file's token, by a golden request`() {
        var rig = ChainRig([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/tok",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "not this one",
        ])
        rig.files["/tok"] = "Bearer abc"
        rig.answers = [nil, CredentialAnswer(503, "{}"), .credentials]
        let found = rig.found()
        #expect(found?.source == .container && found?.secondsLeft == 6 * 3600)
        #expect(rig.reads.filter { $0 == "/tok" }.count == 3)
        #expect(
            rig.heads.last
                == "GET /v1/credentials HTTP/1.1\r\nHost: 169.254.170.23\r\nUser-Agent: hydrant\r\n"
                + "Accept: application/json\r\nAuthorization: Bearer abc\r\n\r\n")
        rig.files["/tok"] = "abc\r\nX-Evil: 1"
        #expect(rig.failure()?.outcome.contains("line break") == true)
        rig.answers = [CredentialAnswer(400, #"{"code":"AccessDenied","message":"go away"}"#)]
        rig.files["/tok"] = "abc"
        #expect(rig.failure()?.outcome.contains("AccessDenied: go away") == true)
    }

    @Test func `a relative URI is ECS's`() {
        var rig = ChainRig([
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.test/",
        ])
        rig.answers = [.credentials]
        #expect(rig.found() != nil)
        #expect(rig.endpoints.first == ServiceEndpoint(host: "169.254.170.2", port: 80))
        #expect(rig.heads.first?.hasPrefix("GET /v2/credentials/x ") == true)
    }

    @Test(arguments: [
        ("http://example.com/", false), ("http://169.254.169.254/", false),
        ("http://10.0.0.1/", false), ("http://127.evil.test/", false), ("http://127.0.0.1/", true),
        ("http://127.1.2.3:8080/x", true), ("http://localhost:9/", true), ("http://[::1]/", true),
        ("http://[fd00:ec2::23]/v1", true), ("http://169.254.170.2/x", true),
        ("https://example.com/", true), ("ftp://127.0.0.1/", false),
    ])
    func `over plain HTTP only this host and AWS's own addresses are asked`(
        url: String, isAsked: Bool
    ) {
        var rig = ChainRig(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
        rig.answers = [.credentials]
        #expect((rig.found() != nil) == isAsked)
        #expect(rig.heads.isEmpty == !isAsked)
    }

    // MARK: Instance metadata

    private static func metadata(_ answers: [CredentialAnswer?]) -> ChainRig {
        var rig = ChainRig(["AWS_EC2_METADATA_DISABLED": "false"])
        rig.answers = answers
        return rig
    }

    @Test func `instance metadata is asked in version 2, by golden requests`() {
        var rig = Self.metadata([.init("TOKEN=="), .init("shop-role\n"), .credentials])
        let found = rig.found()
        #expect(found?.source == .instanceMetadata && found?.role == "shop-role")
        let rest = "Host: 169.254.169.254\r\nUser-Agent: hydrant\r\nAccept: application/json\r\n"
        let folder = "/latest/meta-data/iam/security-credentials/"
        let token = "X-aws-ec2-metadata-token: TOKEN==\r\n\r\n"
        #expect(
            rig.heads == [
                "PUT /latest/api/token HTTP/1.1\r\n\(rest)"
                    + "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 0\r\n\r\n",
                "GET \(folder) HTTP/1.1\r\n\(rest)\(token)",
                "GET \(folder)shop-role HTTP/1.1\r\n\(rest)\(token)",
            ])
    }

    @Test func `a token that is refused is fetched anew, once`() {
        var rig = Self.metadata([
            .init("T1"), .init("r"), .init(401, ""), .init("T2"), .credentials,
        ])
        #expect(rig.found() != nil)
        #expect(rig.heads.last?.contains("metadata-token: T2") == true && rig.heads.count == 5)
        rig = Self.metadata([.init("T1"), .init(401, ""), .init("T2"), .init(401, "")])
        #expect(rig.failure()?.outcome.contains("refuses the token") == true)
    }

    @Test(arguments: [403, 404, 405])
    func `version 1 alone is refused, and never spoken`(status: Int) {
        var rig = Self.metadata([.init(status, "")])
        #expect(rig.failure()?.outcome.contains("IMDSv2") == true)
        #expect(rig.heads.count == 1)
    }

    static let hostileMetadata: [([CredentialAnswer?], String)] = [
        ([.init(400, "")], "400"), ([.init("a b")], "none"), ([.init("")], "none"),
        ([.init("T"), .init(404, "")], "instance profile"),
        ([.init("T"), .init("../../x")], "no role"), ([.init("T"), nil], "nobody there"),
        ([.init("T"), .init("r"), .init("<html>")], "no credentials"),
        (
            [
                .init("T"), .init("r"),
                .init(#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"x"}"#),
            ],
            "AssumeRoleUnauthorizedAccess"
        ),
        (
            [.init("T"), .init("r"), .init(#"{"Code":"Success","AccessKeyId":"A"}"#)],
            "no AccessKeyId"
        ),
        (
            [
                .init("T"), .init("r"),
                .init(#"{"AccessKeyId":"A","SecretAccessKey":"B","Expiration":"soon"}"#),
            ], "no time"
        ),
    ]

    @Test(arguments: hostileMetadata.indices)
    func `metadata that makes no sense is told as such`(index: Int) {
        let (answers, word) = Self.hostileMetadata[index]
        var rig = Self.metadata(answers)
        let failure = rig.failure()
        #expect(failure?.outcome.contains(word) == true, "\(failure?.outcome ?? "none")")
    }

    @Test func `where there is no metadata nothing is wrong`() {
        var rig = Self.metadata([nil])
        #expect(rig.failure() == nil)
    }

    @Test func `metadata may be reached at another place, or by IPv6`() {
        var rig = Self.metadata([.init("T"), .init("r"), .credentials])
        rig.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6"
        _ = rig.run()
        #expect(rig.endpoints.first?.host == "fd00:ec2::254")
        rig = Self.metadata([.init("T"), .init("r"), .credentials])
        rig.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1338/"
        _ = rig.run()
        #expect(rig.endpoints.last == ServiceEndpoint(host: "127.0.0.1", port: 1338))
    }

    // MARK: Cuts

    @Test func `no answer is taken for credentials before its end`() {
        for (answer, isXML) in [
            (CredentialAnswer.credentials, false), (.role("AssumeRole"), true),
        ] {
            for cut in 0..<answer.body.count {
                let part = Array(answer.body[..<cut])
                if isXML {
                    let read = STSAnswer(status: 200, body: part)
                    #expect(read == .unreadable, "cut at \(cut)")
                } else {
                    let read = part.withUnsafeBytes { try? CredentialText(json: $0) }
                    #expect(read == nil, "cut at \(cut)")
                }
            }
        }
    }
}
