import ArgumentParser
import Config
import Core
import Glibc
import Platform

/// The options of every command that needs settings.
struct ConfigOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The config file. Without it ./hydrant.toml is read, if it is there.",
            valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Override a setting; may be repeated. Example: --set local.sink=discard",
            valueName: "section.key=value"))
    var overrides: [String] = []

    func validate() throws {
        if let broken = overrides.first(where: { !$0.contains("=") }) {
            throw ValidationError("--set \(broken): write --set section.key=value")
        }
    }

    /// Loads the settings. What is wrong goes to stderr, and the process exits 78; so do warnings,
    /// and it goes on.
    ///
    func load(for need: SettingsNeed = .use) throws -> LoadedSettings {
        let loaded = try reportingProblems { () throws(ConfigProblems) in try read(for: need) }
        Terminal.printError(loaded.renderWarnings(color: Terminal.errorsAreColored))
        return loaded
    }

    /// The same without a word to anybody.
    func read(for need: SettingsNeed = .use) throws(ConfigProblems) -> LoadedSettings {
        try SettingsLoader.load(
            configPath: config, overrides: overrides, environment: processEnvironment(),
            workingFolder: currentFolder(), for: need)
    }

    /// Settings and schema, and folders looked at: what `run` starts with and `check` checks.
    func loadForStart() throws -> (LoadedSettings, SchemaFile) {
        let loaded = try load()
        let schema = try reportingProblems { () throws(ConfigProblems) in
            try Self.check(loaded)
        }
        for warning in StartChecks.warnings(loaded) + LocalTLS.warnings(loaded.settings) {
            Terminal.printError(warning.render(kind: .warning, color: Terminal.errorsAreColored))
        }
        return (loaded, schema)
    }

    /// What a start and a reload look at beyond the settings themselves; the schema to run with.
    static func check(_ loaded: LoadedSettings) throws(ConfigProblems) -> SchemaFile {
        let schema = try StartChecks.run(loaded)
        let problems = [
            LocalTLS.problem(loaded.settings), Authorities.problem(loaded),
            ProxyCheck.problem(loaded.settings),
        ].compactMap { $0 }
        if !problems.isEmpty { throw ConfigProblems(problems) }
        return schema
    }
}

/// Problems of the configuration go to stderr and become exit status 78.
func reportingProblems<R>(_ body: () throws(ConfigProblems) -> R) throws -> R {
    do throws(ConfigProblems) {
        return try body()
    } catch {
        Terminal.printError(error.render(color: Terminal.errorsAreColored))
        throw ExitCode(ConfigProblems.exitCode)
    }
}

extension ConfigOptions {
    /// For commands about a cluster that runs already, or ran, and that go by its settings too.
    func settings() throws -> Settings { try load().settings }

    /// For those that only want to find it.
    func settingsToFind() throws -> Settings { try load(for: .findCluster).settings }

    /// The options by which another command, in the same folder, finds the cluster that these
    /// options start: with a blank before each, or nothing.
    func finding(_ loaded: LoadedSettings) -> String {
        var words = config.map { " --config \(shellWord($0))" } ?? ""
        switch loaded.origins["data"] {
        case .flag(let given): words += " --set \(shellWord(given))"
        case .environment:
            words += " --set \(shellWord("data=\(loaded.settings.dataFolder)"))"
        case .file, .profile, .byDefault, nil: break
        }
        return words
    }
}

/// Plain writing, at once, for commands that speak before (or without) the log.
enum Terminal {
    static var errorsAreColored: Bool {
        let refused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let isDumb = getenv("TERM").map { strcmp($0, "dumb") == 0 } ?? false
        return isatty(STDERR_FILENO) == 1 && !refused && !isDumb
    }

    static func print(_ text: String) { put(text, STDOUT_FILENO) }

    static func printError(_ text: String) { put(text, STDERR_FILENO) }

    private static func put(_ text: String, _ descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

func currentFolder() -> String {
    guard let path = getcwd(nil, 0) else { return "/" }
    defer { free(path) }
    return String(cString: path)
}
