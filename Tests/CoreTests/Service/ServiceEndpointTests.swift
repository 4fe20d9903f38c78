import Testing

@testable import Core

@Suite struct ServiceEndpointTests {
    static let good: [(String, Bool, String, UInt16, String)] = [
        ("http://127.0.0.1:8090", false, "127.0.0.1", 8090, "127.0.0.1:8090"),
        ("http://localhost:5000/", false, "localhost", 5000, "localhost:5000"),
        ("HTTP://firehose.local", false, "firehose.local", 80, "firehose.local"),
        ("http://[::1]:8090", false, "::1", 8090, "[::1]:8090"),
        ("http://[::1]", false, "::1", 80, "[::1]"),
        ("http://a:443", false, "a", 443, "a:443"),
        (
            "https://firehose.eu-west-1.amazonaws.com", true, "firehose.eu-west-1.amazonaws.com",
            443, "firehose.eu-west-1.amazonaws.com"
        ),
        ("https://a:80/", true, "a", 80, "a:80"),
    ]

    @Test(arguments: good)
    func `an endpoint is read`(
        url: String, isTLS: Bool, host: String, port: UInt16, authority: String
    ) throws {
        let it = try ServiceEndpoint(url: url)
        #expect(it == ServiceEndpoint(isTLS: isTLS, host: host, port: port))
        #expect(it.authority == authority)
        #expect(try ServiceEndpoint(url: it.url) == it)
    }

    @Test(arguments: [
        "", "127.0.0.1:8090", "ftp://x", "http://", "http://:80", "http://a:0", "http://a:65536",
        "http://a:", "http://a/b", "http://a?b", "http://u@a", "http://a b", "http://[::1]x",
        "http://[::1", "http://a:+1", "https://", "https://a/b",
    ])
    func `what is no endpoint says how one looks`(url: String) {
        #expect(throws: ServiceEndpoint.Flaw.unreadable(url)) { try ServiceEndpoint(url: url) }
        #expect("\(ServiceEndpoint.Flaw.unreadable(url))".contains("http://127.0.0.1:8090"))
    }

    @Test func `what follows the authority is kept where it may`() throws {
        let it = try ServiceEndpoint.parse(url: "http://169.254.170.2/v2/x?a=b")
        #expect(it.endpoint.host == "169.254.170.2" && it.path == "/v2/x?a=b")
        #expect(throws: ServiceEndpoint.Flaw.self) {
            try ServiceEndpoint.parse(url: "http://a/b\r\nX: y")
        }
    }

    static let regions: [(String, Bool, Bool, String)] = [
        ("us-east-1", false, false, "firehose.us-east-1.amazonaws.com"),
        ("us-east-1", false, true, "firehose.us-east-1.api.aws"),
        ("us-east-1", true, false, "firehose-fips.us-east-1.amazonaws.com"),
        ("us-west-2", true, true, "firehose-fips.us-west-2.api.aws"),
        ("cn-north-1", false, false, "firehose.cn-north-1.amazonaws.com.cn"),
        ("cn-north-1", false, true, "firehose.cn-north-1.api.amazonwebservices.com.cn"),
        ("us-gov-west-1", true, false, "firehose-fips.us-gov-west-1.amazonaws.com"),
        ("us-gov-west-1", false, true, "firehose.us-gov-west-1.api.aws"),
        ("eusc-de-east-1", false, false, "firehose.eusc-de-east-1.amazonaws.eu"),
        ("eusc-de-east-1", false, true, "firehose.eusc-de-east-1.api.amazonwebservices.eu"),
        ("us-iso-east-1", false, false, "firehose.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", true, false, "firehose-fips.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", false, false, "firehose.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", false, true, "firehose.us-isof-south-1.api.aws.hci.ic.gov"),
    ]

    @Test(arguments: regions)
    func `a region's endpoint follows its partition's rules`(
        region: String, fips: Bool, dualStack: Bool, host: String
    ) {
        let it = ServiceEndpoint.aws(
            "firehose", region: region, usesFIPS: fips, usesDualStack: dualStack)
        #expect(it == ServiceEndpoint(isTLS: true, host: host, port: 443))
    }
}
