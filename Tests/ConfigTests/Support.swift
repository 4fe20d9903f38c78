import Core
import Glibc
import Testing

@testable import Config

/// A folder that is gone with the test.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/hydrant-config-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { _ = try? remove(path) }

    @discardableResult
    func write(_ text: String, to name: String = "hydrant.toml") -> String {
        write(Array(text.utf8), to: name)
    }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String = "hydrant.toml") -> String {
        let file = fopen(path + "/" + name, "w")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        return path + "/" + name
    }

    private func remove(_ folder: String) throws {
        guard let listing = opendir(folder) else { return }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            if entry.pointee.d_type == UInt8(DT_DIR) {
                try remove(folder + "/" + name)
            } else {
                unlink(folder + "/" + name)
            }
        }
        rmdir(folder)
    }
}

/// Loads as `run` would, from a folder whose hydrant.toml has this text; nil: it has none.
func load(
    _ text: String? = nil, overrides: [String] = [], environment: [String: String] = [:],
    host: String = "edge-1"
) throws(ConfigProblems) -> LoadedSettings {
    let folder = TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    if let text { folder.write(text) }
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
