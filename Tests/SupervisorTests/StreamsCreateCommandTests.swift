import Testing

@testable import Supervisor

/// What is refused before anything is asked of Firehose.
@Suite struct StreamsCreateCommandTests {
    private static let making = [
        "streams", "create", "--role-arn", "arn:aws:iam::123456789012:role/fh", "--bucket-arn",
        "arn:aws:s3:::pixels",
    ]
    private static let login = ["--user", "u", "--password-file", "f"]

    private static func refusal(_ flags: [String]) -> String? {
        do {
            _ = try Hydrant.parseAsRoot(making + flags)
            return nil
        } catch {
            return Hydrant.fullMessage(for: error)
        }
    }

    @Test func `a database is named by its JDBC address`() {
        let right = ["--jdbc-url", "jdbc:redshift://h:5439/d"]
        #expect(Self.refusal(right + Self.login) == nil)
        for wrong in ["h:5439/d", "jdbc:postgresql://h:5439/d", "redshift://h/d", ""] {
            let refusal = Self.refusal(["--jdbc-url", wrong] + Self.login) ?? ""
            #expect(refusal.contains("write jdbc:redshift://HOST:5439/DATABASE"), "\(refusal)")
        }
    }

    @Test(arguments: [
        (["--jdbc-url", "jdbc:redshift://h:5439/d"], "needs either --secret-arn, or --user"),
        (
            ["--jdbc-url", "jdbc:redshift://h:5439/d", "--secret-arn", "arn:x"] + login,
            "needs either"
        ),
        (["--user", "u"], "belong together"), (login, "needs --jdbc-url"),
        (["--table", "t"], "needs --jdbc-url"), (["--buffer-size", "129"], "--buffer-size 129"),
    ])
    func `flags that do not go together are named`(flags: [String], words: String) {
        let refusal = Self.refusal(flags) ?? ""
        #expect(refusal.contains(words), "\(refusal)")
        #expect(refusal.contains("Usage: hydrant streams create"), "\(refusal)")
    }
}
