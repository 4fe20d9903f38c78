/// Credentials as a program or a service hands them over, before anybody judges them.
struct CredentialText: Equatable {
    var accessKeyID = ""
    var secretAccessKey = ""
    var sessionToken = ""
    /// As it came.
    var expiration = ""
    var roleARN = ""
    var account = ""
    /// "Success", or what went wrong; "" when nothing is said.
    var code = ""
    var message = ""
    /// Of `credential_process`.
    var version: Int?

    private static let textBytesMax = 16 << 10

    /// Reads the JSON of the instance metadata, of a container's endpoint, and of
    /// `credential_process`, which differ in the name of the token only.
    init(json: UnsafeRawBufferPointer) throws(JSONScanner.Flaw) {
        var scanner = JSONScanner(json)
        var it = CredentialText()
        try scanner.object { (json, name) throws(JSONScanner.Flaw) in
            func text() throws(JSONScanner.Flaw) -> String {
                try json.textOrNull()?.string(bytesMax: Self.textBytesMax) ?? ""
            }
            switch name {
            case "AccessKeyId": it.accessKeyID = try text()
            case "SecretAccessKey": it.secretAccessKey = try text()
            case "Token", "SessionToken": it.sessionToken = try text()
            case "Expiration": it.expiration = try text()
            case "RoleArn": it.roleARN = try text()
            case "AccountId": it.account = try text()
            case "Code", "code": it.code = try text()
            case "Message", "message": it.message = try text()
            case "Version": it.version = try json.count()
            default: try json.skip()
            }
        }
        try scanner.end()
        self = it
    }

    init() {}

    /// Judged: with an end that can be read, or none at all.
    func judged() throws(CredentialFlaw) -> (credentials: Credentials, expiresAt: Int64?) {
        let credentials = Credentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey,
            sessionToken: sessionToken.isEmpty ? nil : sessionToken)
        if accessKeyID.isEmpty || secretAccessKey.isEmpty {
            throw CredentialFlaw("the answer has no AccessKeyId or no SecretAccessKey")
        }
        guard credentials.isSendable else {
            throw CredentialFlaw("the answer's key or token has characters that no header takes")
        }
        if expiration.isEmpty { return (credentials, nil) }
        guard let expiresAt = parseISOTime(expiration) else {
            let shown = printable(String(expiration.prefix(40)))
            throw CredentialFlaw("the answer's Expiration is no time: \"\(shown)\"")
        }
        return (credentials, expiresAt)
    }

    /// The error it tells, for people; nil when it tells none.
    var trouble: String? {
        if code.isEmpty || code == "Success" { return nil }
        let words = message.isEmpty ? code : "\(code): \(message)"
        return printable(String(words.prefix(300)))
    }
}

/// Why a source has no credentials, and what to do about it.
struct CredentialFlaw: Error, Equatable {
    let text: String

    init(_ text: String) { self.text = text }
}
