/// AWS_ACCESS_KEY_ID and its companions.
struct EnvironmentSteps: CredentialSteps {
    private let inputs: CredentialInputs

    init(_ inputs: CredentialInputs) { self.inputs = inputs }

    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep {
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        let missing = names.filter { inputs.value($0) == nil }
        if missing.count == 2 { return .notSetUp("AWS_ACCESS_KEY_ID is not set") }
        guard missing.isEmpty, let credentials = Credentials(environment: inputs.environment)
        else {
            let present = names.first { inputs.value($0) != nil } ?? ""
            return .failed("\(present) is set, and \(missing.joined()) is not: set both, or none")
        }
        guard credentials.isSendable else {
            return .failed(
                "the key or the token holds a space, a line break or another character that no "
                    + "header takes: set it again, without quotes")
        }
        var expiresAt: Int64?
        if let text = inputs.value("AWS_CREDENTIAL_EXPIRATION") {
            guard let time = parseISOTime(text) else {
                return .failed(
                    "AWS_CREDENTIAL_EXPIRATION is no time: write it as 2026-01-02T09:04:05Z")
            }
            expiresAt = time
        }
        return .found(
            FoundCredentials(
                credentials, detail: "AWS_ACCESS_KEY_ID", expiresAt: expiresAt,
                givenAt: unixSeconds))
    }
}
