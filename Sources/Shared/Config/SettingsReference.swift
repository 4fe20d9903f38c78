import Core

/// docs/settings.md, made from the table of settings.
public enum SettingsReference {
    public static var markdown: String {
        var out = """
            # Settings

            Made by `hydrant docs settings` from `Setting.all`; a test keeps it so.

            Each setting is a key of the config file (`hydrant.toml` in the working folder, or
            `--config FILE`), an environment variable, and a flag: `--set section.key=value`. Flag
            beats environment, environment beats file, file beats default; an empty variable counts
            as not set. In mode `aws` some settings also go by AWS's own variables, where nothing of
            Hydrant's sets them; the environment is then below the file. `hydrant config show --origin` prints every value and where it came from;
            `hydrant check` reports everything that is wrong with a configuration, and `hydrant run`
            refuses to start with the same words (exit status 78).

            Sizes are numbers of bytes or texts such as `"64 MiB"` (1024) and `"1 GB"` (1000).
            Durations are texts with a unit: `"300ms"`, `"2s"`, `"1m"`, `"1h"`. Relative paths start
            at the config file's folder, or at the working folder when there is no file. Values in
            the environment and in `--set` need no quotes. `hydrant reload` takes on what has changed, but for
            the settings that say otherwise.

            """
        var section: String?
        out += "\n## Top level\n"
        for setting in Setting.all {
            if setting.section != section, let next = setting.section { out += "\n## [\(next)]\n" }
            section = setting.section
            out += "\n" + entry(for: setting)
        }
        return out
    }

    private static func entry(for setting: Setting) -> String {
        """
        ### `\(setting.key)`

        \(setting.help)

        - Value: \(setting.form)
        - Default: \(code(setting.defaultText))
        - Environment: `\(setting.variable)`\(awsVariables(setting))
        \(Setting.fixedKeys.contains(setting.key) ? "- Changes with the next start; a reload refuses it\n" : "")
        """
    }

    private static func awsVariables(_ setting: Setting) -> String {
        if setting.awsVariables.isEmpty { return "" }
        let profile = setting.awsProfileKey.map { ", and `\($0)` in the AWS profile" } ?? ""
        return "; in mode `aws` also, below the file, "
            + setting.awsVariables.map { "`\($0)`" }.joined(separator: ", ") + profile
    }

    /// A value as code; words of ours stay prose.
    private static func code(_ text: String) -> String {
        let isValue =
            ["true", "false"].contains(text)
            || text.first.map { "\"[0123456789".contains($0) } ?? false
        return isValue ? "`\(text)`" : text
    }

    /// A config file with every key, its words above it, and nothing set: what a new operator
    /// starts from.
    public static var example: String {
        var out = """
            # Hydrant's settings. Every key is optional; what stands here commented out is the
            # default. The whole story of each: docs/settings.md. Check with `hydrant check`.

            """
        var section: String?
        for setting in Setting.all {
            if setting.section != section, let next = setting.section { out += "\n[\(next)]\n" }
            section = setting.section
            out += "\n" + wrapped(plain(setting.help)) + "#\(setting.name) = "
            out += "\(exampleValue(of: setting))\n"
        }
        return out
    }

    private static func exampleValue(of setting: Setting) -> String {
        switch setting.key {
        case "spool.dir": "\"var/spool\""
        default: setting.value(in: Settings()).tomlText
        }
    }

    private static func plain(_ markdown: String) -> String {
        String(markdown.map { $0 == "`" ? "\"" : $0 })
    }

    /// Comment lines of at most 88 columns.
    private static func wrapped(_ text: String) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.count + 1 + word.count <= 86 {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.map { "# \($0)\n" }.joined()
    }
}
