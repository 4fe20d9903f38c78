import Core
import TestSupport
import Testing

@testable import Config

@Suite struct SettingsFileTests {
    private func roundTrip(_ settings: Settings) throws -> Settings {
        let folder = TemporaryFolder()
        let path = folder.write(SettingsFile.text(for: settings), to: "settings.toml")
        return try SettingsFile.read(path)
    }

    private static var absolute: Settings {
        var settings = Settings()
        settings.dataFolder = "/srv/var"
        settings.spoolFolder = "/srv/var/spool"
        return settings
    }

    @Test func `the defaults come back as they were`() throws {
        #expect(try roundTrip(Self.absolute) == Self.absolute)
    }

    @Test(arguments: SampleValue.all)
    func `a changed key comes back as it was`(sample: SampleValue) throws {
        var settings = Self.absolute
        let setting = try #require(Setting.named(sample.key))
        try setting.set(readings(ofBareValue: sample.toml)[0], in: &settings)
        #expect(sample.check(settings))
        #expect(try roundTrip(settings) == settings)
    }

    @Test func `texts with quotes, backslashes and other scripts come back as they were`() throws {
        var settings = Self.absolute
        settings.dataFolder = "/srv/a\"b\\c'd é 漢 # ="
        #expect(try roundTrip(settings) == settings)
    }

    @Test func `the text has every key once, and only those`() {
        let text = SettingsFile.text(for: Self.absolute)
        let keys = text.split(separator: "\n").filter { $0.contains(" = ") }
        #expect(keys.count == Setting.all.count)
        #expect(text.hasPrefix("# The settings in force, as hydrant read them.\nlisten = \"127."))
        #expect(text.contains("\n\n[spool]\ndir = \"/srv/var/spool\"\nmax_bytes = \"10 GiB\"\n"))
    }

    @Test func `a broken snapshot is told, not trusted`() throws {
        let folder = TemporaryFolder()
        let path = folder.write("workers = 0", to: "settings.toml")
        #expect(throws: ConfigProblems.self) { try SettingsFile.read(path) }
        #expect(throws: ConfigProblems.self) { try SettingsFile.read(path + ".gone") }
    }
}
