import Core
import Glibc
import Testing

@testable import Config

/// The generated pages of docs/ are committed; these tests keep them true.
@Suite struct ReferenceTests {
    @Test func `docs/settings.md is what the table of settings says`() throws {
        #expect(
            try committed("docs/settings.md") == SettingsReference.markdown,
            "run: hydrant docs settings > docs/settings.md")
    }

    @Test func `docs/counters.md is what the table of counters says`() throws {
        #expect(
            try committed("docs/counters.md") == CountersReference.markdown,
            "run: hydrant docs counters > docs/counters.md")
    }

    @Test func `docs/hydrant.example.toml is what the table of settings says`() throws {
        #expect(
            try committed("docs/hydrant.example.toml") == SettingsReference.example,
            "run: hydrant docs example > docs/hydrant.example.toml")
    }

    @Test func `docs/faults.md names every key of a fault, and every kind`() throws {
        let page = try committed("docs/faults.md")
        for word in FaultKey.all.map(\.key) + Fault.Kind.allCases.map(\.rawValue) {
            #expect(page.contains("`\(word)`") || page.contains("`\(word) "), "\(word)")
        }
    }

    @Test func `the example loads as it stands, and changes nothing when uncommented`() throws {
        let example = SettingsReference.example
        let plain = try load("")
        #expect(try load(example).origins.values.allSatisfy { $0 == .byDefault })
        let uncommented = example.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") && !$0.hasPrefix("# ") ? String($0.dropFirst()) : String($0) }
            .joined(separator: "\n")
        let loaded = try load(uncommented)
        for setting in Setting.all where !["data", "spool.dir"].contains(setting.key) {
            #expect(loaded.origins[setting.key] != .byDefault, "\(setting.key)")
            #expect(setting.value(in: loaded.settings) == setting.value(in: plain.settings))
        }
        #expect(loaded.settings.dataFolder.hasSuffix("/var"))
        #expect(loaded.settings.spoolFolder == loaded.settings.dataFolder + "/spool")
        #expect(example.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func `keys and variables are unique and well formed`() {
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
        #expect(Setting.named("local.sink")?.variable == "HYDRANT_LOCAL_SINK")
        for setting in Setting.all {
            #expect(setting.key.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 || $0 == 46 })
            #expect(setting.help.hasSuffix("."), "\(setting.key)")
            #expect(!setting.form.isEmpty)
        }
    }

    @Test func `setting a value's canonical form changes nothing`() throws {
        for setting in Setting.all {
            var settings = Settings()
            try setting.set(setting.value(in: settings), in: &settings)
            #expect(settings == Settings(), "\(setting.key)")
        }
    }

    private func committed(_ path: String) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try #require(try ConfigText.read(path: "/\(root)/\(path)", shownAs: path))
        return text.text
    }
}
