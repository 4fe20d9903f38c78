import ArgumentParser
import Config
import Core
import Platform

/// `hydrant credentials`: as whom the workers would call Firehose.
struct CredentialsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials",
        abstract: "Say where AWS credentials come from and when they end; never the secret.",
        discussion: """
            Looks where a worker looks, once, in the environment of this shell: environment, web \
            identity, profile files, container endpoint, instance metadata. Exit status 78, and what \
            each of them said, when none has any; 1 when those that are there have ended.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var cluster: ConfigOptions

    func run() throws {
        let settings = try cluster.settings()
        let now = Int64(realtimeMicroseconds() / 1_000_000)
        do {
            let report = CredentialsReport(
                found: try Self.find(settings), region: settings.region, nowUnixSeconds: now)
            print(json ? report.json : report.text)
            if report.hasEnded {
                Terminal.printError(
                    "error: these credentials have ended: workers wait for others\n"
                        + "hint: renew them where they come from\n")
                throw ExitCode(1)
            }
        } catch let failure as CredentialsReport.Failure {
            if json { print(failure.json) } else { Terminal.printError(failure.text) }
            throw ExitCode(ConfigProblems.exitCode)
        }
    }

    private static func find(_ settings: Settings) throws -> CredentialsReport.Found {
        if settings.deliveryMode == .aws { return .aws(try Glue.findCredentials(settings)) }
        let path = settings.localCredentialsPath
        var pair: Credentials?
        if let bytes = try? SmallFile.read(path) {
            pair = Credentials(profileFile: String(decoding: bytes, as: UTF8.self))
        }
        return .local(path: path, pair)
    }
}
