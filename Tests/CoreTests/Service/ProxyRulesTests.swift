import Testing

@testable import Core

@Suite struct ProxyRulesTests {
    private func proxy(
        _ environment: [String: String],
        for url: String = "https://firehose.eu-west-1.amazonaws.com"
    ) throws -> ProxyAddress? {
        try ProxyRules(environment: environment).proxy(for: try ServiceEndpoint(url: url))
    }

    @Test func `calls over TLS go through the proxy that the environment names`() throws {
        let wanted = ProxyAddress(host: "proxy.test", port: 3128)
        #expect(try proxy(["HTTPS_PROXY": "http://proxy.test:3128"]) == wanted)
        #expect(try proxy(["https_proxy": "http://proxy.test:3128/"]) == wanted)
        #expect(try proxy(["HTTPS_PROXY": "proxy.test:3128"]) == wanted)
        #expect(try proxy(["HTTPS_PROXY": "http://proxy.test"])?.port == 80)
        #expect(try proxy(["HTTPS_PROXY": "http://[::1]:8"])?.host == "::1")
        #expect(try proxy([:]) == nil)
        #expect(try proxy(["HTTPS_PROXY": ""]) == nil)
    }

    @Test func `calls without TLS are local, and go straight`() throws {
        let environment = ["HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://p:1"]
        #expect(try proxy(environment, for: "http://169.254.169.254") == nil)
    }

    @Test(arguments: [
        ("*", true), ("firehose.eu-west-1.amazonaws.com", true), (".amazonaws.com", true),
        ("*.amazonaws.com", true), ("amazonaws.com", true), ("AMAZONAWS.com", true),
        ("localhost, amazonaws.com", true), ("firehose.eu-west-1.amazonaws.com:443", true),
        ("zonaws.com", false), ("firehose.eu-west-1.amazonaws.com:444", false), ("", false),
        (",", false), ("eu-west-1", false),
    ])
    func `what NO_PROXY names goes straight`(list: String, isStraight: Bool) throws {
        let found = try proxy(["HTTPS_PROXY": "http://p:1", "NO_PROXY": list])
        #expect((found == nil) == isStraight)
    }

    @Test func `a password goes to the proxy, and into no message`() throws {
        let found = try proxy(["HTTPS_PROXY": "http://me:s%40cret@p:1"])
        #expect(found == ProxyAddress(host: "p", port: 1, userInfo: "me:s@cret"))
        let text = found?.request(for: ServiceEndpoint(isTLS: true, host: "::1", port: 443))
        #expect(
            text == "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nUser-Agent: hydrant\r\n"
                + "Proxy-Authorization: Basic bWU6c0BjcmV0\r\n\r\n")
        for bad in ["https://me:secret@p:1", "socks5://me:secret@p:1", "http://me:secret@p:x"] {
            let flaw = #expect(throws: ProxyRules.Flaw.self) { try proxy(["HTTPS_PROXY": bad]) }
            #expect("\(flaw!)".contains("@p") && !"\(flaw!)".contains("secret"))
            #expect(!flaw!.reason.contains("secret") && !flaw!.remedy.isEmpty)
            let isAsked = try proxy(["HTTPS_PROXY": bad, "NO_PROXY": "a,*"])
            #expect(isAsked == nil, "with everything excepted nobody asks")
        }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ])
    func `base64 is RFC 4648's`(text: String, encoded: String) {
        #expect(base64(Array(text.utf8)) == encoded)
    }
}
