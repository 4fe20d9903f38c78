/// An AWS key pair, and the token that belongs to it when it is temporary.
public struct Credentials: Equatable, Sendable {
    public var accessKeyID: String
    public var secretAccessKey: String
    public var sessionToken: String?

    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
    }

    /// From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set, AWS_SESSION_TOKEN. Nil when one
    /// of the first two is absent or empty.
    public init?(environment: [String: String]) {
        guard let id = environment["AWS_ACCESS_KEY_ID"], !id.isEmpty,
            let secret = environment["AWS_SECRET_ACCESS_KEY"], !secret.isEmpty
        else { return nil }
        let token = environment["AWS_SESSION_TOKEN"] ?? ""
        self.init(
            accessKeyID: id, secretAccessKey: secret, sessionToken: token.isEmpty ? nil : token)
    }

    /// From the text of a credentials file (`~/.aws/credentials`, INI). Nil when the profile or one
    /// of its two keys is not there.
    public init?(profileFile text: String, profile: String = "default") {
        var section: Substring = ""
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            if line.isEmpty || line.first == "#" || line.first == ";" { continue }
            if line.first == "[" {
                section = trimmed(line.dropFirst().prefix { $0 != "]" })
            } else if section == profile, let equals = line.firstIndex(of: "=") {
                let key = trimmed(line[..<equals]).lowercased()
                values[key] = String(trimmed(line[line.index(after: equals)...]))
            }
        }
        guard let id = values["aws_access_key_id"], !id.isEmpty,
            let secret = values["aws_secret_access_key"], !secret.isEmpty
        else { return nil }
        let token = values["aws_session_token"] ?? ""
        self.init(
            accessKeyID: id, secretAccessKey: secret, sessionToken: token.isEmpty ? nil : token)
    }

    /// The text of a credentials file with this pair as its default profile.
    public var profileFile: String {
        var text = "[default]\naws_access_key_id = \(accessKeyID)\n"
        text += "aws_secret_access_key = \(secretAccessKey)\n"
        if let sessionToken { text += "aws_session_token = \(sessionToken)\n" }
        return text
    }
}

/// Secrets stay out of logs, whoever prints the value.
extension Credentials: CustomStringConvertible, CustomReflectable {
    public var description: String { "credentials of \(accessKeyID)" }
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
