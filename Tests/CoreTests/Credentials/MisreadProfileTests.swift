import Testing

@testable import Core

/// A profile that is in a file and is not seen: what is missing is told with the line that is wrong.
@Suite struct MisreadProfileTests {
    private static let credentialsPath = "/users/u/.aws/credentials"
    private static let configPath = "/users/u/.aws/config"

    private static func outcome(
        _ environment: [String: String] = [:], credentials: String = "", config: String = ""
    ) -> String {
        var rig = ChainRig(environment)
        rig.files = [credentialsPath: credentials, configPath: config]
        guard case .failed(let attempts) = rig.run() else { return "found" }
        return attempts.first { $0.source == .profile }?.outcome ?? ""
    }

    @Test(arguments: [
        ("{\"aws_access_key_id\": \"A\"}\n", "line 1", "is no [section]"),
        ("# keys\n\n[default\naws_access_key_id = A\n", "line 3", "does not close it"),
        (
            "aws_access_key_id = A\r\naws_secret_access_key = B\r\n", "line 1",
            "before any [section]"
        ),
        (
            "[default]\naws_access_key_id: A\naws_secret_access_key: B\n", "line 2",
            "is no [section]"
        ),
    ])
    func `the first line that means nothing is named`(text: String, line: String, flaw: String) {
        let outcome = Self.outcome(credentials: text)
        #expect(outcome.contains("(\(line) of \(Self.credentialsPath) "), "\(outcome)")
        #expect(outcome.contains(flaw), "\(outcome)")
        #expect(!outcome.contains("aws_access_key_id ="), "no line is shown: it may be a secret")
    }

    @Test func `a section of the config file that lacks its word is told how to be written`() {
        let outcome = Self.outcome(["AWS_PROFILE": "shop"], config: "[x]\n[shop]\nrole_arn = r\n")
        #expect(outcome.contains("(line 2 of \(Self.configPath): write [profile shop] there)"))
        #expect(outcome.contains("AWS_PROFILE asks for it"))
    }

    @Test func `files in order have nothing to be told of`() {
        let outcome = Self.outcome(
            credentials: "[shop]\naws_access_key_id = A\n", config: "[sso-session x]\na = b\n c\n")
        #expect(
            outcome == "no profile default in \(Self.credentialsPath) nor in \(Self.configPath)")
    }
}
