import ArgumentParser
import Core
import Glibc
import Platform
import Worker

struct StreamsCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create the streams that are missing, and wait until they take rows.",
        discussion: """
            Streams that exist are left as they are. Without --jdbc-url objects go to S3 and nothing \
            loads them. Objects are GZIP, and lie below the prefix, in which {stream} is the \
            stream's name. docs/aws.md has the role, the bucket and the rest of the way.
            """)

    @Option(name: .customLong("role-arn"), help: "The role that Firehose takes on.")
    var roleARN: String

    @Option(name: .customLong("bucket-arn"), help: "The bucket: arn:aws:s3:::NAME.")
    var bucketARN: String

    @Option(help: "Where in the bucket; ends with a slash, to be a folder.")
    var prefix = "{stream}/"

    @Option(help: ArgumentHelp("Gather so much for an object, 1 to 128.", valueName: "MiB"))
    var bufferSize = 64

    @Option(help: ArgumentHelp("Gather no longer than this, 0 to 900.", valueName: "seconds"))
    var bufferInterval = 300

    @Option(help: "A CloudWatch log group that exists, for Firehose's errors.")
    var logGroup: String?

    @Option(help: "Redshift: jdbc:redshift://HOST:5439/DATABASE.")
    var jdbcURL: String?

    @Option(
        name: .customLong("secret-arn"),
        help: "Redshift: the secret with username and password of who loads.")
    var secretARN: String?

    @Option(help: "Redshift: who loads, instead of a secret.")
    var user: String?

    @Option(help: "Redshift: the file that holds that user's password.")
    var passwordFile: String?

    @Option(help: "Redshift: the table of good rows; else the schema's.")
    var table: String?

    @Option(help: "Redshift: the table of bad rows; else the schema's.")
    var badTable: String?

    @Option(help: "Redshift: how COPY is to read.")
    var copyOptions = StreamRequest.copyOptions

    @Option(help: ArgumentHelp("How long to wait until they are active.", valueName: "time"))
    var timeout = DurationArgument(milliseconds: 600_000)

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var options: ConfigOptions

    func validate() throws {
        guard roleARN.hasPrefix("arn:"), roleARN.contains(":role/") else {
            throw ValidationError("--role-arn \(roleARN): write arn:aws:iam::ACCOUNT:role/NAME")
        }
        guard bucketARN.hasPrefix("arn:"), bucketARN.contains(":s3:::") else {
            throw ValidationError("--bucket-arn \(bucketARN): write arn:aws:s3:::NAME")
        }
        guard (1...128).contains(bufferSize) else {
            throw ValidationError("--buffer-size \(bufferSize): must be 1 to 128 MiB")
        }
        guard (0...900).contains(bufferInterval) else {
            throw ValidationError("--buffer-interval \(bufferInterval): must be 0 to 900 seconds")
        }
        guard (user == nil) == (passwordFile == nil) else {
            throw ValidationError("--user and --password-file belong together")
        }
        let logins = [secretARN, user].count { $0 != nil }
        if jdbcURL == nil, logins + [table, badTable].count(where: { $0 != nil }) > 0 {
            throw ValidationError("what is said of Redshift needs --jdbc-url")
        }
        if let jdbcURL, !jdbcURL.hasPrefix("jdbc:redshift://") {
            throw ValidationError(
                "--jdbc-url \(jdbcURL): write jdbc:redshift://HOST:5439/DATABASE")
        }
        if jdbcURL != nil, logins != 1 {
            throw ValidationError(
                "--jdbc-url needs either --secret-arn, or --user and --password-file")
        }
    }

    func run() throws {
        let (settings, schema) = try options.settingsAndSchema()
        try reporting {
            let streams = StreamsOfHost(settings, schema: schema)
            let control = try streams.control
            let checks = try streams.look(control)
            let requests = try requests(checks, schema)
            Terminal.print(Self.intent(checks, requests, settings))
            if requests.isEmpty {
                try wait(for: streams, control, settings)
                return
            }
            try ask(requests.count)
            for request in requests { try create(request, control) }
            try wait(for: streams, control, settings)
        }
    }

    // MARK: What is to be made

    /// Of the missing streams; fails when one could not be looked at.
    func requests(
        _ checks: [StreamCheck], _ schema: Schema
    ) throws -> [StreamRequest.Creation] {
        let login = try login()
        return try checks.compactMap { check in
            switch check.found {
            case .stream: return nil
            case .refused:
                let finding = check.findings[0]
                throw ClusterFailure(
                    "\(check.wanted.name) \(printable(finding.text))", hint: finding.mend,
                    exitCode: ClusterExit.failed)
            case .missing: return request(check.wanted, schema, login)
            }
        }
    }

    private func request(
        _ wanted: StreamCheck.Wanted, _ schema: Schema,
        _ login: StreamRequest.Creation.Redshift.Login?
    ) -> StreamRequest.Creation {
        let folder = prefix.split(separator: "{stream}", omittingEmptySubsequences: false)
            .joined(separator: wanted.name)
        var it = StreamRequest.Creation(
            name: wanted.name, roleARN: roleARN, bucketARN: bucketARN, prefix: folder)
        it.bufferMiB = bufferSize
        it.bufferSeconds = bufferInterval
        it.logGroup = logGroup
        guard let jdbcURL, let login else { return it }
        let isGood = wanted.rows == .good
        // Columns of the table's own keep their DEFAULT only where the list leaves them out. The
        // table of bad rows has none.
        it.redshift = StreamRequest.Creation.Redshift(
            jdbcURL: jdbcURL, login: login,
            table: (isGood ? table : badTable) ?? wanted.table,
            columns: isGood ? schema.copyColumns : [])
        it.redshift?.copyOptions = copyOptions
        return it
    }

    private func login() throws -> StreamRequest.Creation.Redshift.Login? {
        if let secretARN { return .secret(arn: secretARN) }
        guard let user, let passwordFile else { return nil }
        let text: String
        do throws(Failure) {
            text = String(decoding: try SmallFile.read(passwordFile), as: UTF8.self)
        } catch {
            throw ClusterFailure(
                "--password-file \(passwordFile): \(error.reason.lowercased())",
                hint: "its first line is to be the password of \(user)",
                exitCode: ClusterExit.failed)
        }
        let password = String(text.prefix { !$0.isNewline })
        if password.isEmpty {
            throw ClusterFailure(
                "\(passwordFile): its first line is empty", hint: "write the password there",
                exitCode: ClusterExit.failed)
        }
        return .password(user: user, password: password)
    }

    static func intent(
        _ checks: [StreamCheck], _ requests: [StreamRequest.Creation], _ settings: Settings
    ) -> String {
        var text = ""
        for check in checks {
            if case .stream(let it) = check.found {
                text += "\(check.wanted.name): exists (\(printable(it.status))), left as it is\n"
            }
        }
        for it in requests {
            let bucket = it.bucketARN.split(separator: ":").last ?? ""
            let redshift = it.redshift.map { ", then into \($0.table) at \($0.jdbcURL)" } ?? ""
            text +=
                "\(it.name): to be created, GZIP objects in s3://\(bucket)/\(it.prefix), each "
                + "of \(it.bufferMiB) MiB or \(it.bufferSeconds) s\(redshift)\n"
        }
        return text + (requests.isEmpty ? "nothing to create in \(settings.region)\n" : "")
    }

    private func ask(_ count: Int) throws {
        if yes { return }
        guard isTerminal(0) else {
            throw ClusterFailure(
                "nobody to ask: standard input is no terminal", hint: "say --yes",
                exitCode: ClusterExit.failed)
        }
        Terminal.print("Create \(counted(count, "stream"))? AWS bills what they take in. [y/N] ")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw ClusterFailure("nothing was created", exitCode: ClusterExit.failed)
        }
    }

    // MARK: Making them

    private func create(_ request: StreamRequest.Creation, _ control: FirehoseControl) throws {
        let body = StreamRequest.create(request)
        switch try StreamsOfHost.calling(control, "CreateDeliveryStream", body) {
        case .done: Terminal.print("\(request.name): creation has begun\n")
        // Somebody else was faster, or the answer to our own first try was lost.
        case .refused("ResourceInUseException", _):
            Terminal.print("\(request.name): exists by now\n")
        case .refused(let code, let message):
            throw ClusterFailure(
                "\(request.name): \(code): \(printable(message))", hint: Self.hint(code, message),
                exitCode: ClusterExit.failed)
        }
    }

    static func hint(_ code: String, _ message: String) -> String {
        switch code {
        case "LimitExceededException":
            "the region's number of streams is used up: ask AWS for more, or use fewer workers"
        case "AccessDeniedException", "AccessDenied":
            "this needs firehose:CreateDeliveryStream, and iam:PassRole on the role"
        case _ where message.lowercased().contains("assume role"):
            "a role made moments ago is not known everywhere: run the same again in a minute; "
                + "else its trust policy must name firehose.amazonaws.com"
        default: "mend it and run the same again: streams that exist are left as they are"
        }
    }

    private func wait(
        for streams: StreamsOfHost, _ control: FirehoseControl, _ settings: Settings
    ) throws {
        let deadlineNs = monotonicNanoseconds() + timeout.milliseconds * 1_000_000
        var progress = StreamsProgress("active", total: streams.wanted.count)
        defer { progress.end() }
        while true {
            let checks = try streams.look(control)
            let pending = checks.filter { $0.state == "CREATING" || $0.found == .missing }
            progress.show(checks.count - pending.count)
            if pending.isEmpty {
                progress.end()
                let report = StreamsReport(
                    checks: checks, region: settings.region,
                    endpoint: settings.firehoseEndpoint.url)
                Terminal.print("\n" + report.table)
                if !report.isReady { throw ExitCode(ClusterExit.failed) }
                return
            }
            guard monotonicNanoseconds() < deadlineNs else {
                let names = pending.map(\.wanted.name).joined(separator: ", ")
                throw ClusterFailure(
                    "not active after \(timeout.milliseconds / 1000) s: \(names)",
                    hint: "look again with hydrant streams check",
                    exitCode: ClusterExit.timedOut)
            }
            usleep(2_000_000)
        }
    }
}
