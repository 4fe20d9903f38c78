import Core

/// Makes settings from defaults, file, environment and flags; the later of these wins. `run`,
/// `check` and every other command use this one way.
public enum SettingsLoader {
    public static let defaultFileName = "hydrant.toml"

    /// Loads and checks everything, and throws all that is wrong at once (or the file's first
    /// syntax error).
    ///
    /// - Parameters:
    ///   - configPath: The file; nil is `hydrant.toml` in the working folder, if there is one.
    ///   - overrides: "section.key=value" each; the last one for a key wins.
    ///   - environment: `HYDRANT_SECTION_KEY` each; empty ones count as not set.
    ///   - workingFolder: Absolute.
    ///   - need: What they are for.
    ///   - host: What `{host}` in a stream's name becomes.
    public static func load(
        configPath: String?, overrides: [String], environment: [String: String],
        workingFolder: String, for need: SettingsNeed = .use, host: String = machineName()
    ) throws(ConfigProblems) -> LoadedSettings {
        var layers = SettingsLayers()
        let shown = configPath ?? defaultFileName
        let path = absolute(shown, from: workingFolder)
        let text = try ConfigText.read(path: path, shownAs: shown)
        if text == nil, configPath != nil {
            throw ConfigProblems([
                ConfigProblem(
                    .file(shown), "no such file",
                    hint: "check the path (\(path)); without --config, ./hydrant.toml is "
                        + "read if it is there")
            ])
        }
        if let text { try layers.apply(file: text) }
        layers.apply(environment: environment)
        layers.apply(overrides: overrides)
        layers.apply(awsEnvironment: environment)
        layers.apply(awsProfile: AWSProfile.inForce(environment))
        layers.makePathsAbsolute(from: text == nil ? workingFolder : folder(of: path))
        layers.checkConflicts(host: host)
        if need == .findCluster { layers.forgiveWhatFindsNothing() }
        return try layers.loaded(sourceFile: text == nil ? nil : path)
    }
}

/// What settings are loaded for.
public enum SettingsNeed: Sendable {
    /// To go by them.
    case use
    /// Only to find a cluster that runs, or ran. It was started with other settings, and what has
    /// been broken in the file since must not keep anybody from seeing or stopping it.
    case findCluster
}

/// Settings while they are gathered: what is known, from where, and what is wrong so far.
struct SettingsLayers {
    private(set) var settings = Settings()
    private var origins: [String: SettingOrigin] = [:]
    private var places: [String: ConfigProblem.Place] = [:]
    private var refusedKeys: Set<String> = []
    private var problems: [ConfigProblem] = []
    private var warnings: [ConfigProblem] = []

    // MARK: File

    mutating func apply(file text: ConfigText) throws(ConfigProblems) {
        let table = try parseTOML(text)
        let locator = KeyLocator(text.bytes)
        for offset in locator.nulEscapes {
            problems.append(
                ConfigProblem(
                    text.place(at: offset), "a NUL character in a text", hint: "remove it"))
        }
        FileKeys(text: text, locator: locator).visit(table) { found in
            switch found {
            case .problem(let problem):
                problems.append(problem)
            case .value(let setting, let value, let place):
                apply(setting, [value], origin: place.origin, place: place.whole) {
                    place.element($0)
                }
            }
        }
    }

    // MARK: Environment and flags

    mutating func apply(environment: [String: String]) {
        for setting in Setting.all {
            guard let text = environment[setting.variable], !text.isEmpty else { continue }
            apply(
                setting, readings(ofBareValue: text), origin: .environment(setting.variable),
                place: .environment(setting.variable))
        }
        warnings += UnknownVariables.warnings(environment)
    }

    /// What AWS's own variables say, where nothing of ours does.
    mutating func apply(awsEnvironment environment: [String: String]) {
        guard settings.deliveryMode == .aws else { return }
        for setting in Setting.all where origins[setting.key] == nil {
            let name = setting.awsVariables.first { environment[$0]?.isEmpty == false }
            guard let name, let text = environment[name] else { continue }
            apply(setting, [.text(text)], origin: .environment(name), place: .environment(name))
        }
    }

    /// What the AWS profile in force says, where nothing else does.
    mutating func apply(awsProfile profile: @autoclosure () -> AWSProfile?) {
        guard settings.deliveryMode == .aws, let profile = profile() else { return }
        for setting in Setting.all
        where origins[setting.key] == nil && !refusedKeys.contains(setting.key) {
            guard let key = setting.awsProfileKey, let text = profile.values[key] else { continue }
            apply(
                setting, [.text(text)], origin: .profile(profile.name),
                place: .profile(profile.name))
        }
    }

    mutating func apply(overrides: [String]) {
        for words in overrides {
            guard let equals = words.firstIndex(of: "=") else {
                problems.append(
                    ConfigProblem(
                        .flag(words), "no value", hint: "write --set section.key=value"))
                continue
            }
            let key = String(words[..<equals])
            guard let setting = Setting.named(key) else {
                let path = key.split(separator: ".", omittingEmptySubsequences: false)
                problems.append(UnknownKey.problem(path.map(String.init), at: .flag(words)))
                continue
            }
            let value = String(words[words.index(after: equals)...])
            apply(
                setting, readings(ofBareValue: value), origin: .flag(words), place: .flag(words))
        }
    }

    /// Takes the first reading that the setting takes; none: the first one's refusal counts.
    private mutating func apply(
        _ setting: Setting, _ readings: [SettingValue], origin: SettingOrigin,
        place: ConfigProblem.Place, element: (Int) -> ConfigProblem.Place? = { _ in nil }
    ) {
        var firstRefusal: SettingRefusal?
        for reading in readings {
            do throws(SettingRefusal) {
                try setting.set(reading, in: &settings)
                origins[setting.key] = origin
                places[setting.key] = place
                return
            } catch {
                if firstRefusal == nil { firstRefusal = error }
            }
        }
        guard let refusal = firstRefusal else { return }
        refusedKeys.insert(setting.key)
        problems.append(
            ConfigProblem(
                refusal.element.flatMap(element) ?? place, "\(setting.key) \(refusal.message)",
                hint: refusal.hint))
    }

    // MARK: What depends on several

    mutating func makePathsAbsolute(from base: String) {
        settings.dataFolder = absolute(settings.dataFolder, from: base)
        settings.schemaFile = settings.schemaFile.map { absolute($0, from: base) }
        settings.authoritiesFile = settings.authoritiesFile.map { absolute($0, from: base) }
        settings.faultPlanFile = settings.faultPlanFile.map { absolute($0, from: base) }
        settings.localCertificateFile = settings.localCertificateFile.map {
            absolute($0, from: base)
        }
        settings.localKeyFile = settings.localKeyFile.map { absolute($0, from: base) }
        settings.spoolFolder =
            origins["spool.dir"] == nil
            ? settings.dataFolder + "/spool" : absolute(settings.spoolFolder, from: base)
    }

    mutating func checkConflicts(host: String) {
        for conflict in settings.conflicts(host: host)
        where refusedKeys.isDisjoint(with: conflict.keys) {
            let place = conflict.keys.compactMap { places[$0] }.first ?? .defaults
            let problem = ConfigProblem(place, conflict.message, hint: conflict.hint)
            if conflict.isWarning { warnings.append(problem) } else { problems.append(problem) }
        }
    }

    /// Problems become warnings, unless they are about where a cluster is, or were typed just now.
    mutating func forgiveWhatFindsNothing() {
        guard refusedKeys.isDisjoint(with: ["data", "spool.dir"]) else { return }
        func isTyped(_ problem: ConfigProblem) -> Bool {
            if case .flag = problem.place { true } else { false }
        }
        warnings += problems.filter { !isTyped($0) }.sorted { $0.rank < $1.rank }
        problems.removeAll { !isTyped($0) }
    }

    func loaded(sourceFile: String?) throws(ConfigProblems) -> LoadedSettings {
        guard problems.isEmpty else {
            throw ConfigProblems(problems.sorted { $0.rank < $1.rank })
        }
        var origins = origins
        for setting in Setting.all where origins[setting.key] == nil {
            origins[setting.key] = .byDefault
        }
        return LoadedSettings(
            settings: settings, origins: origins, sourceFile: sourceFile, warnings: warnings)
    }
}
