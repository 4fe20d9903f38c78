import Core
import Glibc

/// What `run` needs besides settings, and `check` therefore looks at too: a schema without flaws,
/// and folders that can be written.
public enum StartChecks {
    /// The schema to run with. Throws everything that would keep the cluster from starting.
    public static func run(_ loaded: LoadedSettings) throws(ConfigProblems) -> SchemaFile {
        var problems = folderProblems(loaded)
        var file = SchemaFile.standard
        do throws(ConfigProblems) {
            file = try schema(of: loaded.settings)
        } catch {
            problems += error.problems
        }
        problems += faultPlanProblems(loaded) + halfOfTLS(loaded)
        if !problems.isEmpty { throw ConfigProblems(problems) }
        return file
    }

    /// What lets the cluster start and is probably not meant.
    public static func warnings(_ loaded: LoadedSettings) -> [ConfigProblem] {
        let settings = loaded.settings
        guard settings.deliveryMode == .aws else { return [] }
        let key = "firehose.region"
        if loaded.origins[key] ?? .byDefault == .byDefault {
            return [
                ConfigProblem(
                    .defaults, "nothing names a region: \(settings.region) is assumed",
                    hint: "set firehose.region, or AWS_REGION, or region in the AWS profile")
            ]
        }
        // Of another service only the signature says the region, and some take any word.
        if settings.endpointURL == nil, !isLikeAWSRegion(settings.region) {
            return [
                ConfigProblem(
                    loaded.place(of: key), "no region of AWS is called like \"\(settings.region)\"",
                    hint: "regions are written like \"eu-central-1\"; rows would stay in the spool")
            ]
        }
        return []
    }

    private static func halfOfTLS(_ loaded: LoadedSettings) -> [ConfigProblem] {
        let settings = loaded.settings
        guard (settings.localCertificateFile == nil) != (settings.localKeyFile == nil) else {
            return []
        }
        let keys = ["local.tls_certificate", "local.tls_key"]
        let (given, missing) =
            settings.localKeyFile == nil ? (keys[0], keys[1]) : (keys[1], keys[0])
        return [
            ConfigProblem(
                loaded.place(of: given),
                "\(given) and \(missing) go together, and \(missing) is not set",
                hint: "set both for TLS, or neither for plain HTTP")
        ]
    }

    private static func faultPlanProblems(_ loaded: LoadedSettings) -> [ConfigProblem] {
        guard loaded.settings.deliveryMode == .local else { return [] }
        do throws(ConfigProblems) {
            _ = try faults(of: loaded.settings)
            return []
        } catch {
            return error.problems
        }
    }

    /// The fault plan that the settings name, or none.
    public static func faults(of settings: Settings) throws(ConfigProblems) -> FaultEntries {
        guard let path = settings.faultPlanFile else { return FaultEntries() }
        let entries = try FaultFile.load(path: path)
        if let flaw = entries.flaw(whereTLS: settings.localSpeaksTLS) {
            throw ConfigProblems([ConfigProblem(.file(path), flaw.message, hint: flaw.hint)])
        }
        return entries
    }

    /// The schema that the settings name, or the embedded one.
    public static func schema(of settings: Settings) throws(ConfigProblems) -> SchemaFile {
        guard let path = settings.schemaFile else { return .standard }
        return try schema(atPath: path)
    }

    /// A schema file by itself. Throws everything that is wrong with it.
    public static func schema(atPath path: String) throws(ConfigProblems) -> SchemaFile {
        do throws(SchemaProblems) {
            return try SchemaFile.load(path: path)
        } catch {
            // For the lines to show; a file that cannot be read has been reported as such.
            let text = try? ConfigText.read(path: path, shownAs: path)
            throw ConfigProblems(error.problems.map { ConfigProblem($0, text: text) })
        }
    }

    private static func folderProblems(_ loaded: LoadedSettings) -> [ConfigProblem] {
        var folders = [("data", loaded.settings.dataFolder)]
        // What ails the data folder would be told of each folder in it again.
        if !loaded.settings.spoolFolder.hasPrefix(loaded.settings.dataFolder + "/") {
            folders.append(("spool.dir", loaded.settings.spoolFolder))
        }
        return folders.compactMap { key, path in
            guard let obstacle = obstacle(toWritingIn: path) else { return nil }
            return ConfigProblem(
                loaded.place(of: key), "\(key) = \"\(path)\" cannot be used: \(obstacle)",
                hint: "make it a folder that the user who runs hydrant may write, or name another")
        }
    }

    /// Why nothing could be written there, whether the folder is there already or not.
    static func obstacle(toWritingIn path: String) -> String? {
        var candidate = path
        while true {
            var status = stat()
            if stat(candidate, &status) == 0 {
                if status.st_mode & S_IFMT != S_IFDIR { return "\(candidate) is no folder" }
                if access(candidate, W_OK | X_OK) == 0 { return nil }
                return "\(candidate): \(String(cString: strerror(errno)))"
            }
            if errno != ENOENT { return "\(candidate): \(String(cString: strerror(errno)))" }
            if candidate == "/" { return "there is no /" }
            candidate = folder(of: candidate)
        }
    }
}

extension LoadedSettings {
    /// Where a key's value was given.
    func place(of key: String) -> ConfigProblem.Place {
        switch origins[key] {
        case .environment(let name): .environment(name)
        case .profile(let name): .profile(name)
        case .flag(let words): .flag(words)
        case .file(let file, _): .file(file)
        case .byDefault, nil: .defaults
        }
    }
}

extension ConfigProblem {
    init(_ problem: SchemaProblem, text: ConfigText?) {
        let place: Place =
            if let line = problem.line, let text {
                text.place(line: line, column: problem.column ?? 1)
            } else {
                .file(problem.file)
            }
        self.init(place, problem.message, hint: problem.hint)
    }
}
