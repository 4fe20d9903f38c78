import Core

/// The settings in force, as the supervisor writes them for its children: every key, absolute
/// paths. Reading the text gives the same settings.
public enum SettingsFile {
    /// - Parameter remark: What to say in a comment after a value, if anything.
    public static func text(
        for settings: Settings, remark: (Setting) -> String? = { _ in nil }
    ) -> String {
        var out = "# The settings in force, as hydrant read them.\n"
        var section: String?
        for setting in Setting.all {
            if setting.section != section, let next = setting.section { out += "\n[\(next)]\n" }
            section = setting.section
            out += "\(setting.name) = \(setting.value(in: settings).tomlText)"
            out += remark(setting).map { "  # \(visible($0))\n" } ?? "\n"
        }
        return out
    }

    /// Reads what `text(for:)` made.
    public static func read(_ path: String) throws(ConfigProblems) -> Settings {
        guard let text = try ConfigText.read(path: path, shownAs: path) else {
            throw ConfigProblems([
                ConfigProblem(
                    .file(path), "no such file", hint: "the supervisor writes it at its start")
            ])
        }
        var layers = SettingsLayers()
        try layers.apply(file: text)
        return try layers.loaded(sourceFile: path).settings
    }
}
