import Core
import TestSupport
import Testing

@testable import Config

/// What mode aws takes from AWS's own variables and profiles.
@Suite struct AWSSettingsTests {
    @Test
    func `aws mode asks for no key pair: where credentials are is found out by those who use them`()
        throws
    {
        #expect(problems("[delivery]\nmode = \"aws\"").isEmpty)
        let loaded = try load("[delivery]\nmode = \"aws\"", environment: [:])
        #expect(loaded.settings.deliveryMode == .aws)
    }

    @Test func `in aws mode AWS's own variables count, below the file`() throws {
        let environment = [
            "AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "", "AWS_CA_BUNDLE": "/ca.pem",
            "AWS_ENDPOINT_URL": "https://one.test", "AWS_USE_FIPS_ENDPOINT": "TRUE",
            "AWS_ENDPOINT_URL_FIREHOSE": "https://two.test:8443/",
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
        ]
        let aws = try load("[delivery]\nmode = \"aws\"", environment: environment)
        #expect(aws.settings.region == "eu-west-1" && aws.settings.usesFIPS)
        #expect(aws.settings.authoritiesFile == "/ca.pem")
        #expect(aws.settings.firehoseEndpoint.url == "https://two.test:8443")
        #expect(aws.origins["firehose.region"] == .environment("AWS_DEFAULT_REGION"))
        let file = try load(
            "[delivery]\nmode = \"aws\"\n[firehose]\nregion = \"us-west-2\"",
            environment: environment)
        #expect(file.settings.region == "us-west-2")
        #expect(try load(environment: environment).settings.region == "us-east-1")
        let bad = problems(
            "[delivery]\nmode = \"aws\"",
            environment: environment.merging(["AWS_REGION": "Europe!"]) { $1 })
        #expect(bad.map(\.place) == [.environment("AWS_REGION")])
    }

    @Test func `in aws mode the AWS profile in force counts, below AWS's variables`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/config"
        try """
        [default]
        region = us-west-2
        [profile shop]
        region = eu-central-1
        use_fips_endpoint = true
        ca_bundle = /shop.pem
        endpoint_url =
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let text = "[delivery]\nmode = \"aws\""
        var environment = ["AWS_CONFIG_FILE": path, "AWS_PROFILE": "shop"]
        let shop = try load(text, environment: environment)
        #expect(shop.settings.region == "eu-central-1" && shop.settings.usesFIPS)
        #expect(shop.settings.authoritiesFile == "/shop.pem" && shop.warnings.isEmpty)
        #expect(shop.origins["firehose.region"]?.text == "AWS profile shop")
        #expect(shop.origins["firehose.endpoint_url"] == .byDefault)
        #expect(try load(environment: environment).settings.region == "us-east-1", "mode local")
        environment["AWS_REGION"] = "eu-north-1"
        #expect(try load(text, environment: environment).settings.region == "eu-north-1")
        environment = ["HOME": folder.path, "AWS_CONFIG_FILE": path]
        #expect(try load(text, environment: environment).settings.region == "us-west-2")
    }

    @Test func `a region that nothing names is warned of, one that a profile misspells is refused`()
        throws
    {
        let text = "[delivery]\nmode = \"aws\""
        let assumed = try load(text, environment: ["AWS_PROFILE": "nobody"])
        #expect(assumed.settings.region == "us-east-1")
        #expect(
            StartChecks.warnings(assumed).map(\.message) == [
                "nothing names a region: us-east-1 is assumed"
            ])
        #expect(StartChecks.warnings(try load(environment: [:])).isEmpty, "mode local")
        let folder = TemporaryFolder()
        let path = folder.path + "/config"
        try "[default]\nregion = Europe!".write(toFile: path, atomically: true, encoding: .utf8)
        let bad = problems(text, environment: ["AWS_CONFIG_FILE": path])
        #expect(bad.map(\.place) == [.profile("default")])
    }

    @Test func `a region that no region of AWS is called like is warned of, where AWS is called`()
        throws
    {
        func warnings(_ region: String, _ more: String = "") throws -> [ConfigProblem] {
            let text = "[delivery]\nmode = \"aws\"\n[firehose]\nregion = \"\(region)\"\n\(more)"
            return StartChecks.warnings(try load(text, environment: [:]))
        }
        for good in [
            "eu-west-1", "us-gov-west-1", "ap-southeast-10", "eusc-de-east-1", "us-isob-east-1",
        ] {
            #expect(try warnings(good).isEmpty, "\(good)")
        }
        for bad in [
            "nowhere", "eu-west", "eu-west-", "eu-west1", "euwest-1", "-west-1", "eu-west-1a",
            "1-2-3",
        ] {
            let told = try warnings(bad)
            #expect(told.map(\.message) == ["no region of AWS is called like \"\(bad)\""])
            #expect(told.first?.hint.contains("eu-central-1") == true)
        }
        #expect(try warnings("local", "endpoint_url = \"http://127.0.0.1:1\"").isEmpty, "not AWS")
    }

    @Test func `an endpoint with a password is refused, and the password not shown`() {
        let bad = problems(
            "[delivery]\nmode = \"aws\"",
            environment: ["AWS_ENDPOINT_URL": "http://user:sekret@127.0.0.1:1"])
        #expect(bad.count == 1 && bad[0].message.contains("password"))
        #expect(!bad[0].render(color: false).contains("sekret"))
    }

    @Test func `without an endpoint of its own a region's is called`() throws {
        var settings = Settings()
        settings.deliveryMode = .aws
        settings.region = "eu-central-1"
        #expect(settings.firehoseEndpoint.url == "https://firehose.eu-central-1.amazonaws.com")
        settings.usesFIPS = true
        settings.usesDualStack = true
        #expect(settings.firehoseEndpoint.url == "https://firehose-fips.eu-central-1.api.aws")
        settings.endpointURL = "http://127.0.0.1:5000"
        #expect(settings.firehoseEndpoint.url == "http://127.0.0.1:5000")
        settings.deliveryMode = .local
        #expect(settings.firehoseEndpoint.authority == settings.localListen.text)
    }
}
