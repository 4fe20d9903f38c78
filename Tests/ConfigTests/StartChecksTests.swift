import Core
import Glibc
import TestSupport
import Testing

@testable import Config

/// What `run` and `check` do alike after the settings are loaded.
@Suite struct StartChecksTests {
    private func loaded(_ overrides: [String], in folder: TemporaryFolder) throws -> LoadedSettings
    {
        try SettingsLoader.load(
            configPath: nil, overrides: overrides, environment: [:], workingFolder: folder.path)
    }

    @Test func `defaults start with the embedded schema`() throws {
        let folder = TemporaryFolder()
        #expect(try StartChecks.run(loaded([], in: folder)) == SchemaFile.standard)
    }

    @Test func `the schema that is named is the one that is used`() throws {
        let folder = TemporaryFolder()
        let text = SchemaFile.standard.text + "\n# mine\n"
        folder.write(text, to: "s.toml")
        #expect(try StartChecks.run(loaded(["schema=s.toml"], in: folder)).text == text)
    }

    @Test func `a schema's flaws are told with line, caret and hint, like a setting's`() throws {
        let folder = TemporaryFolder()
        folder.write("[[column]]\nnmae = \"a\"\n", to: "s.toml")
        let settings = try loaded(["schema=s.toml"], in: folder)
        let error = #expect(throws: ConfigProblems.self) { try StartChecks.run(settings) }
        let shown = try #require(error).render(color: false)
        #expect(shown.contains("\(folder.path)/s.toml:2:1: error:"))
        #expect(shown.contains("  2 | nmae = \"a\"\n    | ^\n"))
    }

    @Test(arguments: ["[[column]]\n[\n", "\u{FEFF}[.a]", "a = [1, }", "a = 1979-05-27Tx:"])
    func `a schema that the TOML library does not survive is refused`(text: String) throws {
        #expect(throws: SchemaProblems.self) { try SchemaFile(text: text, file: "s.toml") }
    }

    @Test func `a schema that is not there and a folder that is a file are told together`() throws {
        let folder = TemporaryFolder()
        folder.write("x", to: "f")
        let settings = try loaded(["schema=gone.toml", "data=f", "spool.dir=/"], in: folder)
        let error = #expect(throws: ConfigProblems.self) { try StartChecks.run(settings) }
        let found = try #require(error).problems
        #expect(found.count == 2)
        #expect(found[0].place == .flag("data=f"))
        #expect(found[0].message.hasSuffix("/f is no folder"))
        #expect(found[1].message.contains("cannot be read"))
    }

    @Test func `a folder that is to be made is judged by the nearest one there is`() {
        let folder = TemporaryFolder()
        folder.write("x", to: "f")
        #expect(StartChecks.obstacle(toWritingIn: folder.path + "/a/b/c") == nil)
        #expect(
            StartChecks.obstacle(toWritingIn: folder.path + "/f/b")?.contains("Not a dir") == true)
        #expect(StartChecks.obstacle(toWritingIn: "/") == nil || geteuid() != 0)
    }
}
