import Core

/// Variables that begin with HYDRANT_ and set nothing. A warning, not an error: the environment
/// is shared with others (Kubernetes puts HYDRANT_SERVICE_HOST there for a service of that name).
enum UnknownVariables {
    static func warnings(_ environment: [String: String]) -> [ConfigProblem] {
        let known = Setting.all.map(\.variable)
        return environment.keys.sorted().compactMap { name in
            guard name.hasPrefix("HYDRANT_"), !known.contains(name), !isKubernetes(name) else {
                return nil
            }
            if name == "HYDRANT_TEST_CRASH_EVENT" {
                return ConfigProblem(
                    .environment(name), "makes workers crash, for tests of that",
                    hint: "unset it, unless you mean it")
            }
            let near = NearestWord.to(name, among: known)
            return ConfigProblem(
                .environment(name), "sets nothing",
                hint: near.map { "did you mean \($0)?" }
                    ?? "variables are HYDRANT_KEY or HYDRANT_SECTION_KEY")
        }
    }

    private static func isKubernetes(_ name: String) -> Bool {
        name.hasPrefix("HYDRANT_SERVICE_") || name == "HYDRANT_PORT"
            || name.hasPrefix("HYDRANT_PORT_")
    }
}
