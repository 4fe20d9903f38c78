import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import Worker

/// A provider and a service in one loop, over real loopback connections.
private final class ProviderBench {
    let loop = try! Loop.make()
    let service: FakeService
    let heard = Heard()
    private var provider: CredentialProvider.Pointer?
    private let page = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 16)
    private let ticker: Timer

    final class Heard {
        var used: [Credentials] = []
        var lacks: [String] = []
        var lines: [String] = []
    }

    init(answer: @escaping (String) -> String?) throws {
        signal(SIGPIPE, SIG_IGN)
        service = try FakeService(in: loop, answer: answer)
        ticker = Timer(in: loop, owner: page, fire: { _ in })
        ticker.start(afterMs: 5, repeatMs: 5)
    }

    func start(
        _ environment: [String: String], tuning: RefreshMachine.Tuning = quick,
        program: ProgramRun.Limits = .init()
    ) {
        let isolated = [
            "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": "/usr/bin:/bin",
        ]
        let heard = heard
        provider = CredentialProvider.allocate(
            CredentialSearch.Setup(
                inputs: CredentialInputs(
                    environment: isolated.merging(environment) { $1 }, region: "us-east-1"),
                route: { ServiceRoute($0) }, program: program),
            tuning: tuning, in: loop,
            listener: .init(
                use: { heard.used.append($0) }, lack: { heard.lacks.append($0) },
                tell: { line, _ in heard.lines.append(line) }))
        provider!.pointee.start()
    }

    static var quick: RefreshMachine.Tuning {
        var it = RefreshMachine.Tuning()
        it.retryMs = 20
        it.retryCapMs = 100
        it.staleMs = 20...40
        return it
    }

    func refreshNow() { provider!.pointee.refreshNow() }

    func stop() {
        CredentialProvider.shutDown(provider!)
        for _ in 0..<20 { loop.runOnce() }
    }

    @discardableResult
    func run(until holds: () -> Bool) -> Bool {
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while !holds() {
            if monotonicNanoseconds() > deadline { return false }
            loop.runOnce()
        }
        return true
    }
}

/// Instance metadata as a test wants it.
private final class Metadata {
    var tokens = 0
    var version1Only: Int?
    /// GETs that are answered 401, whatever the token.
    var refusals = 0
    var number = 1
    var secondsLeft: Int64 = 3600

    func answer(_ request: String) -> String {
        if request.hasPrefix("PUT ") {
            if let version1Only { return FakeService.response(version1Only, "") }
            tokens += 1
            return FakeService.response(200, "T\(tokens)")
        }
        if refusals > 0 || !request.contains("X-aws-ec2-metadata-token: T\(tokens)\r\n") {
            refusals -= 1
            return FakeService.response(401, "")
        }
        if request.hasPrefix("GET /latest/meta-data/iam/security-credentials/ ") {
            return FakeService.response(200, "shop")
        }
        let end = isoTime(unixSeconds: Int64(realtimeMicroseconds() / 1_000_000) + secondsLeft)
        return FakeService.response(
            200,
            #"{"Code":"Success","AccessKeyId":"ASIA\#(number)","SecretAccessKey":"s","#
                + #""Token":"t","Expiration":"\#(end)"}"#)
    }
}

@Suite(.serialized) struct CredentialProviderTests {
    private func metadataBench(_ metadata: Metadata) throws -> ProviderBench {
        try ProviderBench { metadata.answer($0) }
    }

    private func metadata(_ bench: ProviderBench) -> [String: String] {
        [
            "AWS_EC2_METADATA_DISABLED": "",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": bench.service.url,
        ]
    }

    @Test func `the environment's pair is there in the next turn`() throws {
        let bench = try ProviderBench { _ in nil }
        bench.start(["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"])
        #expect(bench.heard.used.isEmpty)
        #expect(bench.run { !bench.heard.used.isEmpty })
        #expect(bench.heard.lines.count == 1 && bench.heard.lines[0].contains("environment"))
        #expect(!bench.heard.lines.joined().contains("hush"))
        bench.stop()
    }

    @Test func `instance metadata is renewed when Firehose complains, by one search at a time`()
        throws
    {
        let metadata = Metadata()
        let bench = try metadataBench(metadata)
        bench.start(self.metadata(bench))
        #expect(bench.run { bench.heard.used.count == 1 })
        metadata.number = 2
        metadata.refusals = 1
        for _ in 0..<50 { bench.refreshNow() }
        #expect(bench.run { bench.heard.used.count == 2 })
        #expect(bench.heard.used.map(\.accessKeyID) == ["ASIA1", "ASIA2"])
        #expect(metadata.tokens == 3, "one a search, and one for the 401")
        bench.stop()
    }

    @Test func `what ends soon is renewed before`() throws {
        let metadata = Metadata()
        metadata.secondsLeft = 2
        let bench = try metadataBench(metadata)
        bench.start(self.metadata(bench))
        #expect(bench.run { bench.heard.used.count == 1 })
        metadata.number = 2
        #expect(bench.run { bench.heard.used.count == 2 })
        #expect(bench.heard.lacks.isEmpty)
        bench.stop()
    }

    @Test func `stale metadata is used on, told, and replaced once there is better`() throws {
        let metadata = Metadata()
        metadata.secondsLeft = -60
        let bench = try metadataBench(metadata)
        bench.start(self.metadata(bench))
        #expect(bench.run { bench.service.requests.count >= 9 })
        #expect(bench.heard.used.map(\.accessKeyID) == ["ASIA1"])
        #expect(bench.heard.lines.count == 1, "told once: \(bench.heard.lines)")
        #expect(bench.heard.lines[0].contains("are used on"))
        metadata.secondsLeft = 3600
        metadata.number = 2
        #expect(bench.run { bench.heard.used.count == 2 })
        #expect(bench.heard.lines.count == 2)
        bench.stop()
    }

    @Test(arguments: [403, 404])
    func `version 1 is not spoken, and the remedy is told`(status: Int) throws {
        let metadata = Metadata()
        metadata.version1Only = status
        let bench = try metadataBench(metadata)
        bench.start(self.metadata(bench))
        #expect(bench.run { bench.heard.lacks.count == 2 })
        #expect(bench.heard.lacks[0].contains("IMDSv2"))
        #expect(bench.heard.lines.count == 1, "repetitions are held back")
        #expect(bench.service.requests.allSatisfy { $0.hasPrefix("PUT ") })
        metadata.version1Only = nil
        #expect(bench.run { bench.heard.used.count == 1 })
        bench.stop()
    }

    @Test func `a search that fails later takes nothing away`() throws {
        let metadata = Metadata()
        let bench = try metadataBench(metadata)
        bench.start(self.metadata(bench))
        #expect(bench.run { bench.heard.used.count == 1 })
        metadata.version1Only = 403
        bench.refreshNow()
        #expect(bench.run { bench.heard.lines.contains { $0.contains("those held are used on") } })
        #expect(bench.heard.lacks.isEmpty && bench.heard.used.count == 1)
        bench.stop()
    }

    @Test func `the container's token file is read again for each search`() throws {
        let folder = TemporaryFolder()
        let bench = try ProviderBench { request in
            let name = request.contains("Authorization: two\r\n") ? "SECOND" : "FIRST"
            return FakeService.response(
                200, #"{"AccessKeyId":"\#(name)","SecretAccessKey":"s","Token":"t"}"#)
        }
        let token = folder.path + "/token"
        try SmallFile.write(Array("one".utf8), to: token)
        bench.start([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": bench.service.url + "/v1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token,
        ])
        #expect(bench.run { bench.heard.used.map(\.accessKeyID) == ["FIRST"] })
        #expect(bench.service.requests[0].contains("Authorization: one\r\n"))
        try SmallFile.write(Array("two".utf8), to: token)
        bench.refreshNow()
        #expect(bench.run { bench.heard.used.map(\.accessKeyID) == ["FIRST", "SECOND"] })
        bench.stop()
    }

    @Test func `a container endpoint on another host is never asked`() throws {
        let bench = try ProviderBench { _ in nil }
        bench.start(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/"])
        #expect(bench.run { !bench.heard.lacks.isEmpty })
        #expect(bench.heard.lacks[0].contains("10.0.0.1"))
        bench.stop()
    }

    @Test func `a profile file that changes counts from the next complaint on`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/credentials"
        func write(_ key: String) throws {
            let pair = Credentials(accessKeyID: key, secretAccessKey: "s")
            try SmallFile.write(Array(pair.profileFile.utf8), to: path)
        }
        try write("OLD")
        let bench = try ProviderBench { _ in nil }
        bench.start(["AWS_SHARED_CREDENTIALS_FILE": path])
        #expect(bench.run { bench.heard.used.count == 1 })
        try write("NEW")
        bench.refreshNow()
        #expect(bench.run { bench.heard.used.map(\.accessKeyID) == ["OLD", "NEW"] })
        bench.stop()
    }

    @Test func `STS gives a role for a web identity, and its end is by its own clock`() throws {
        let folder = TemporaryFolder()
        let token = folder.path + "/token"
        try SmallFile.write(Array("jwt".utf8), to: token)
        let bench = try ProviderBench { request in
            FakeService.response(
                200,
                """
                <AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
                <AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
                <SessionToken>t</SessionToken><Expiration>2020-01-01T01:00:00Z</Expiration>
                </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
                """, headers: "Date: Wed, 01 Jan 2020 00:00:00 GMT\r\n")
        }
        bench.start([
            "AWS_WEB_IDENTITY_TOKEN_FILE": token,
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
            "AWS_ENDPOINT_URL_STS": bench.service.url,
        ])
        #expect(bench.run { bench.heard.used.map(\.accessKeyID) == ["ASIAWEB"] })
        #expect(bench.service.requests[0].hasSuffix("&WebIdentityToken=jwt"))
        bench.stop()
    }

    @Test(arguments: [
        (#"printf '{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s"}'"#, nil),
        ("exit 3", "status 3"), ("kill -9 $$", "signal 9"), ("head -c 9999 /dev/zero", "more than"),
        ("sleep 60", "did not end"),
    ])
    func `a credential process is run within its limits`(script: String, trouble: String?) throws {
        let folder = TemporaryFolder()
        let file = folder.path + "/tool"
        try SmallFile.write(Array((script + "\n").utf8), to: file)
        let config = folder.path + "/config"
        try SmallFile.write(
            Array("[default]\ncredential_process = sh \"\(file)\"\n".utf8), to: config)
        let bench = try ProviderBench { _ in nil }
        bench.start(
            ["AWS_CONFIG_FILE": config],
            program: .init(timeMs: 1000, outputBytesMax: 4096))
        #expect(bench.run { !bench.heard.used.isEmpty || !bench.heard.lacks.isEmpty })
        if let trouble {
            #expect(bench.heard.lacks.first?.contains(trouble) == true, "\(bench.heard.lacks)")
        } else {
            #expect(bench.heard.used.map(\.accessKeyID) == ["P"])
        }
        bench.stop()
    }

    @Test func `a program that is not there is named`() throws {
        let folder = TemporaryFolder()
        let config = folder.path + "/config"
        try SmallFile.write(
            Array("[default]\ncredential_process = /nonexistent/tool\n".utf8), to: config)
        let bench = try ProviderBench { _ in nil }
        bench.start(["AWS_CONFIG_FILE": config])
        #expect(bench.run { !bench.heard.lacks.isEmpty })
        #expect(bench.heard.lacks[0].contains("/nonexistent/tool"))
        bench.stop()
    }
}

@Suite(.serialized) struct LaneWithoutCredentialsTests {
    @Test func `nothing is sent before there are credentials, and all of it then`() throws {
        let bench = try DeliveryBench([.take(except: [])], credentials: nil)
        bench.delivery.pointee.lack("no credentials: for a reason")
        #expect(bench.delivery.pointee.state == .refused)
        bench.appendNumbered(3)
        bench.run { bench.delivery.pointee.failures > 1 }
        #expect(bench.service.connectionsMade == 0 && bench.lane.cursor == 0)
        #expect(bench.delivery.pointee.lastError == "no credentials: for a reason")
        bench.delivery.pointee.use(FakeFirehose.credentials)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rows == bench.lane.rows)
        #expect(bench.delivery.pointee.lastError == nil)
        bench.stop()
    }

    @Test func `a refused key is complained of, and a better one used at once`() throws {
        let bench = try DeliveryBench([
            .status(400, #"{"__type":"ExpiredTokenException","message":"expired"}"#),
            .take(except: []),
        ])
        final class Wishes { var count = 0 }
        let wishes = Wishes()
        bench.delivery.pointee.wantsCredentials = { wishes.count += 1 }
        bench.appendNumbered(3)
        #expect(bench.run { wishes.count == 1 })
        bench.delivery.pointee.use(FakeFirehose.credentials)
        #expect(bench.runUntilDelivered())
        #expect(bench.service.rows == bench.lane.rows)
        bench.stop()
    }
}
