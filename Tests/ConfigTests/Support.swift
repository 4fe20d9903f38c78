import Core
import TestSupport

@testable import Config

/// Loads as `run` would, from a folder whose hydrant.toml has this text; nil: it has none.
func load(
    _ text: String? = nil, overrides: [String] = [], environment: [String: String] = [:],
    host: String = "edge-1"
) throws(ConfigProblems) -> LoadedSettings {
    let folder = TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    if let text { folder.write(text, to: "hydrant.toml") }
    return try SettingsLoader.load(
        configPath: nil, overrides: overrides, environment: environment,
        workingFolder: folder.path, host: host)
}

/// What loading complains about; empty when it does not.
func problems(
    _ text: String? = nil, overrides: [String] = [], environment: [String: String] = [:],
    host: String = "edge-1"
) -> [ConfigProblem] {
    do throws(ConfigProblems) {
        _ = try load(text, overrides: overrides, environment: environment, host: host)
        return []
    } catch {
        return error.problems
    }
}
