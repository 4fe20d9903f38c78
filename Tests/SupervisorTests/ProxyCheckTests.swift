import Core
import Testing

@testable import Supervisor

@Suite struct ProxyCheckTests {
    private static func settings(_ mode: Settings.DeliveryMode = .aws) -> Settings {
        var settings = Settings()
        settings.deliveryMode = mode
        settings.region = "eu-west-1"
        return settings
    }

    @Test func `the proxy in use is named, without its password`() {
        let set = ["HTTPS_PROXY": "http://me:secret@squid:3128"]
        #expect(
            ProxyCheck.words(Self.settings(), environment: set)
                == ", through the proxy squid:3128")
        for (settings, environment) in [
            (Self.settings(), [:]), (Self.settings(.local), set),
            (Self.settings(), set.merging(["NO_PROXY": ".amazonaws.com"]) { $1 }),
        ] { #expect(ProxyCheck.words(settings, environment: environment) == "") }
    }

    @Test func `one that no worker could use is a problem only where it would be used`() throws {
        let broken = ["https_proxy": "socks5://me:secret@p:1"]
        let problem = try #require(ProxyCheck.problem(Self.settings(), environment: broken))
        let text = problem.render(kind: .error, color: false)
        #expect(text.contains("HTTPS_PROXY") && text.contains("write http://host:port"))
        #expect(!text.contains("secret"))
        #expect(ProxyCheck.problem(Self.settings(.local), environment: broken) == nil)
        let excepted = broken.merging(["NO_PROXY": "*"]) { $1 }
        #expect(ProxyCheck.problem(Self.settings(), environment: excepted) == nil)
    }
}
