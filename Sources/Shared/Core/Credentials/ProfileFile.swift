/// A file of AWS profiles, `~/.aws/credentials` or `~/.aws/config`:
///
///     # a comment
///     [profile shop]                 in the credentials file: [shop]
///     role_arn = arn:aws:iam::1:role/x   ; a comment, with a space before it
///     s3 =
///         max_concurrent_requests = 20   indented: belongs to the key above, and is not kept
///
/// A section that comes twice is one; the later value counts. Lines that are neither section, key
/// nor comment are skipped: other tools' files must not keep anything from working. The first is
/// remembered, for when something is missing.
public struct ProfileFile: Sendable {
    public enum Kind: Sendable { case credentials, config }

    /// Larger ones are refused by who reads them.
    public static let byteCountMax = 1 << 20

    /// Values by profile and key, keys in lower case.
    public private(set) var profiles: [String: [String: String]] = [:]

    /// The first line that means nothing, counted from 1, and what is wrong with it.
    public private(set) var stray: (line: Int, flaw: String)?

    /// In the config file: the line of each `[shop]` that lacks the word `profile`.
    public private(set) var unmarkedSections: [String: Int] = [:]

    public init() {}

    public init(_ text: String, kind: Kind) {
        var profile: String?
        /// Indentation of the key above; nil when there is none yet in the section.
        var keyIndent: Int?
        var hasSection = false
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let content = trimmed(line)
            if content.isEmpty || content.first == "#" || content.first == ";" { continue }
            let indent = line.prefix { $0 == " " || $0 == "\t" }.count
            if content.first == "[" {
                profile = Self.name(inHeader: content, kind: kind)
                if profile == nil { note(content, line: index + 1, kind) }
                hasSection = true
                keyIndent = nil
                if let profile { profiles[profile, default: [:]].merge([:]) { $1 } }
                continue
            }
            if let keyIndent, indent > keyIndent { continue }
            guard let equals = content.firstIndex(of: "=") else {
                note(index + 1, "is no [section], no key = value and no # comment")
                continue
            }
            if !hasSection { note(index + 1, "comes before any [section]") }
            keyIndent = indent
            guard let profile else { continue }
            let key = trimmed(content[..<equals]).lowercased()
            let value = Self.withoutComment(trimmed(content[content.index(after: equals)...]))
            profiles[profile, default: [:]][key] = value
        }
    }

    private mutating func note(_ line: Int, _ flaw: String) {
        if stray == nil { stray = (line, flaw) }
    }

    /// A header that names no profile.
    private mutating func note(_ header: Substring, line: Int, _ kind: Kind) {
        guard let close = header.firstIndex(of: "]") else {
            return note(line, "opens a [section] and does not close it")
        }
        let name = String(trimmed(header[..<close].dropFirst()))
        if kind == .config, !name.isEmpty { unmarkedSections[name] = line }
    }

    /// Nil for sections that are no profile (`[sso-session x]`, `[services x]`, `[preview]`).
    private static func name(inHeader header: Substring, kind: Kind) -> String? {
        guard let close = header.firstIndex(of: "]") else { return nil }
        let inner = trimmed(header[header.index(after: header.startIndex)..<close])
        let words = inner.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        switch kind {
        case .credentials:
            return inner.isEmpty ? nil : unquoted(inner)
        case .config where words.count == 2 && words[0] == "profile":
            return unquoted(trimmed(words[1]))
        case .config: return inner == "default" ? "default" : nil
        }
    }

    private static func unquoted(_ name: Substring) -> String {
        for quote: Character in ["\"", "'"] where name.count >= 2 {
            if name.first == quote, name.last == quote {
                return String(name.dropFirst().dropLast())
            }
        }
        return String(name)
    }

    /// Up to a "#" or ";" that has a space before it.
    private static func withoutComment(_ value: Substring) -> String {
        var previous: Character = " "
        for at in value.indices {
            if value[at] == "#" || value[at] == ";", previous == " " || previous == "\t" {
                return String(trimmed(value[..<at]))
            }
            previous = value[at]
        }
        return String(value)
    }

    /// Everything that both files say of a profile; where both do, the credentials file's counts.
    public static func profile(
        _ name: String, credentials: ProfileFile, config: ProfileFile
    ) -> [String: String]? {
        let (first, second) = (config.profiles[name], credentials.profiles[name])
        if first == nil && second == nil { return nil }
        return (first ?? [:]).merging(second ?? [:]) { $1 }
    }
}
