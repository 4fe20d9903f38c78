import Core

/// The profile that AWS's own tools would use, as its files have it.
struct AWSProfile {
    var name: String
    var values: [String: String]

    /// Nil when there is none. Files that cannot be read are passed over here: the search for
    /// credentials, which needs them, tells of them.
    static func inForce(_ environment: [String: String]) -> AWSProfile? {
        let inputs = CredentialInputs(environment: environment, region: "")
        let texts = inputs.profilePaths.map { path -> String in
            guard let path, let found = try? ConfigText.read(path: path, shownAs: path) else {
                return ""
            }
            return found.text
        }
        let name = inputs.wantedProfile ?? "default"
        let values = ProfileFile.profile(
            name, credentials: ProfileFile(texts[0], kind: .credentials),
            config: ProfileFile(texts[1], kind: .config))
        return values.map { AWSProfile(name: name, values: $0.filter { !$0.value.isEmpty }) }
    }
}
