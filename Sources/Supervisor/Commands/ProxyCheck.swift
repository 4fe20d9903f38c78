import Config
import Core
import Platform

/// The proxy of the environment, looked at before anything starts: a worker that cannot read its
/// address does not start.
enum ProxyCheck {
    static func problem(
        _ settings: Settings, environment: [String: String] = processEnvironment()
    ) -> ConfigProblem? {
        guard settings.deliveryMode == .aws, settings.firehoseEndpoint.isTLS else { return nil }
        do throws(ProxyRules.Flaw) {
            _ = try ProxyRules(environment: environment)
            return nil
        } catch {
            return ConfigProblem(.environment("HTTPS_PROXY"), error.reason, hint: error.remedy)
        }
    }

    /// Through whom Firehose is called: ", through the proxy squid:3128"; or "".
    static func words(
        _ settings: Settings, environment: [String: String] = processEnvironment()
    ) -> String {
        guard settings.deliveryMode == .aws,
            let rules = try? ProxyRules(environment: environment),
            let proxy = rules.proxy(for: settings.firehoseEndpoint)
        else { return "" }
        return ", through the proxy \(proxy.host):\(proxy.port)"
    }
}
