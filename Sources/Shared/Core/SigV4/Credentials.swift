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
        let file = ProfileFile(text, kind: .credentials)
        guard let values = file.profiles[profile] else { return nil }
        self.init(profile: values)
    }

    /// From a profile's values. Nil when one of its two keys is not there.
    init?(profile values: [String: String]) {
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

extension Credentials {
    /// Whether every part can stand in a header: printable ASCII, of a sane length.
    public var isSendable: Bool {
        func isFine(_ text: String, _ byteCountMax: Int) -> Bool {
            !text.isEmpty && text.utf8.count <= byteCountMax
                && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
        return isFine(accessKeyID, 256) && isFine(secretAccessKey, 1024)
            && (sessionToken.map { isFine($0, 16 << 10) } ?? true)
    }

    /// What may be shown of the key: its last four characters.
    public var shownKey: String { "…" + accessKeyID.suffix(4) }
}

/// Secrets stay out of logs, whoever prints the value.
extension Credentials: CustomStringConvertible, CustomReflectable {
    public var description: String { "credentials of \(accessKeyID)" }
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
