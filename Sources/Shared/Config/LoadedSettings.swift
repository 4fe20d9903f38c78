import Core

/// Where a setting's value came from.
public enum SettingOrigin: Equatable, Sendable {
    case byDefault
    case file(String, line: Int)
    case environment(String)
    /// A profile of AWS's own tools.
    case profile(String)
    case flag(String)

    public var text: String {
        switch self {
        case .byDefault: "default"
        case .file(let file, let line): "\(file):\(line)"
        case .environment(let name): name
        case .profile(let name): "AWS profile \(name)"
        case .flag(let words): "--set \(words)"
        }
    }
}

/// Settings that are whole and go together, and how they came to be.
public struct LoadedSettings: Sendable {
    public var settings: Settings
    /// One entry a key of `Setting.all`.
    public var origins: [String: SettingOrigin]
    /// The config file that was read, absolute; nil when there was none.
    public var sourceFile: String?
    /// What is allowed and probably not meant.
    public var warnings: [ConfigProblem]

    /// The warnings, ready for stderr.
    public func renderWarnings(color: Bool) -> String {
        warnings.map { $0.render(kind: .warning, color: color) }.joined()
    }
}
