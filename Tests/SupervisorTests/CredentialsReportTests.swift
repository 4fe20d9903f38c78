import Testing

@testable import Core
@testable import Supervisor

@Suite struct CredentialsReportTests {
    private static let now: Int64 = 1_767_323_045  // 2026-01-02T03:04:05Z

    private static func report(
        _ source: CredentialSource = .profile, endsIn seconds: Int64?
    ) -> CredentialsReport {
        let pair = Credentials(accessKeyID: "AKIAEXAMPLE1234", secretAccessKey: "hush")
        var found = FoundCredentials(
            pair, detail: "profile shop", expiresAt: seconds.map { now + $0 }, givenAt: now)
        found.source = source
        return CredentialsReport(found: .aws(found), region: "eu-west-1", nowUnixSeconds: now)
    }

    @Test(
        arguments: [
            (nil, "never", false), (1, "2026-01-02T03:04:06Z (in 1 s)", false),
            (0, "2026-01-02T03:04:05Z (0 s ago)", true),
            (-3700, "2026-01-02T02:02:25Z (1 h 1 min ago)", true),
        ] as [(Int64?, String, Bool)])
    func `credentials are of no use from the second they end`(
        seconds: Int64?, ends: String, hasEnded: Bool
    ) {
        let report = Self.report(endsIn: seconds)
        #expect(report.text.contains("ends     \(ends)\n"), "\(report.text)")
        #expect(report.hasEnded == hasEnded)
    }

    @Test func `the instance's own are used on after their end, and it says so`() {
        let ended = Self.report(.instanceMetadata, endsIn: -60)
        #expect(!ended.hasEnded && ended.text.contains("(1 min 0 s ago; used on: AWS extends"))
        #expect(!Self.report(.instanceMetadata, endsIn: 60).text.contains("used on"))
    }

    @Test func `the local pair never ends`() {
        let report = CredentialsReport(
            found: .local(path: "var/c", nil), region: "us-east-1", nowUnixSeconds: Self.now)
        #expect(!report.hasEnded && report.text.contains("made by the first `hydrant run`"))
    }

    @Test func `the secret is in neither form`() {
        let report = Self.report(endsIn: 60)
        for text in [report.text, report.json] {
            #expect(text.contains("…1234") && !text.contains("hush") && !text.contains("AKIA"))
        }
    }
}
