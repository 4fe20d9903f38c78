/// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: a token that an identity provider (EKS, for one)
/// keeps in a file, exchanged at STS.
struct WebIdentitySteps: CredentialSteps {
    private let inputs: CredentialInputs
    private var role: RoleSteps?

    init(_ inputs: CredentialInputs) { self.inputs = inputs }

    mutating func next(_ event: CredentialEvent, unixSeconds: Int64) -> CredentialStep {
        if event != .begin { return role!.next(event, unixSeconds: unixSeconds) }
        guard let file = inputs.value("AWS_WEB_IDENTITY_TOKEN_FILE") else {
            return .notSetUp("AWS_WEB_IDENTITY_TOKEN_FILE is not set")
        }
        guard let arn = inputs.value("AWS_ROLE_ARN") else {
            return .failed("AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
        }
        do throws(CredentialFlaw) {
            let name = inputs.value("AWS_ROLE_SESSION_NAME") ?? inputs.sessionName
            role = try RoleSteps(
                .init(arn: arn, sessionName: name), as: .tokenFile(file), inputs)
        } catch { return .failed(error.text) }
        return role!.next(.begin, unixSeconds: unixSeconds)
    }
}
