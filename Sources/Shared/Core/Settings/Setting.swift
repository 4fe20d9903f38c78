/// One thing an operator may set. The loader, `check`, `config show` and docs/settings.md are made
/// from the table of these (`Setting.all`).
public struct Setting: Sendable {
    /// As in the file: "workers", "spool.max_bytes".
    public let key: String
    /// What it does, in sentences.
    public let help: String
    /// What may be written.
    public let form: String
    /// The default as it would be written; in words where it depends on other things.
    public let defaultText: String
    /// Variables that AWS's own tools read for the same. The first that is set counts, in mode aws,
    /// below the config file: they speak to everything on the machine.
    public let awsVariables: [String]
    /// The key by which an AWS profile says the same, below the variables.
    public let awsProfileKey: String?
    private let apply: @Sendable (inout Settings, SettingValue) throws(SettingRefusal) -> Void
    private let read: @Sendable (Settings) -> SettingValue

    init<Value: Equatable & Sendable>(
        _ key: String, _ place: any WritableKeyPath<Settings, Value> & Sendable,
        _ form: SettingForm<Value>, defaultText: String? = nil, aws awsVariables: [String] = [],
        profile awsProfileKey: String? = nil, _ help: String
    ) {
        self.key = key
        self.help = help
        self.awsVariables = awsVariables
        self.awsProfileKey = awsProfileKey
        self.form = form.words
        self.defaultText = defaultText ?? form.show(Settings()[keyPath: place]).tomlText
        apply = { (settings, value) throws(SettingRefusal) in
            settings[keyPath: place] = try form.parse(value)
        }
        read = { form.show($0[keyPath: place]) }
    }

    /// Takes a value as it was written. A refused one leaves the settings as they were.
    public func set(
        _ value: SettingValue, in settings: inout Settings
    ) throws(SettingRefusal) {
        try apply(&settings, value)
    }

    /// The value in its canonical form: setting it again changes nothing.
    public func value(in settings: Settings) -> SettingValue { read(settings) }

    /// "spool" of "spool.max_bytes"; nil at the top level.
    public var section: String? { key.firstIndex(of: ".").map { String(key[..<$0]) } }
    /// "max_bytes" of "spool.max_bytes".
    public var name: String { section.map { String(key.dropFirst($0.count + 1)) } ?? key }
    /// The environment variable: "HYDRANT_SPOOL_MAX_BYTES".
    public var variable: String {
        "HYDRANT_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    public static func named(_ key: String) -> Setting? { all.first { $0.key == key } }

    /// The sections, in the table's order.
    public static let sections: [String] = all.reduce(into: []) { sections, setting in
        if let section = setting.section, !sections.contains(section) { sections.append(section) }
    }
}
