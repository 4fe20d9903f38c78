import ArgumentParser
import Config
import Core
import Platform

/// `hydrant streams …`: looks at the Firehose streams of this host's shards, and makes them.
struct StreamsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams",
        abstract: "Check the Firehose streams of this host's shards, or create them.",
        discussion: """
            Which streams: firehose.stream and firehose.bad_stream, for each worker. In \
            delivery.mode = "local" they are the local Firehose's, which must run.
            """,
        subcommands: [Check.self, StreamsCreateCommand.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Say of each stream whether it can take rows, and how to mend it.",
            discussion: """
                Only looks, with DescribeDeliveryStream. Exit status 1 if a stream is missing, not \
                active, in another region, or set up so that rows do not arrive; warnings leave \
                it 0.
                """)

        @Flag(help: "One line of JSON.")
        var json = false

        @OptionGroup var options: ConfigOptions

        func run() throws {
            let (settings, schema) = try options.settingsAndSchema()
            try reporting {
                let streams = StreamsOfHost(settings, schema: schema)
                var progress = StreamsProgress("looking at streams", total: streams.wanted.count)
                defer { progress.end() }
                let checks = try streams.look(try streams.control) { progress.show($0) }
                progress.end()
                let report = StreamsReport(
                    checks: checks, region: settings.region,
                    endpoint: settings.firehoseEndpoint.url)
                print(json ? report.json : report.table, terminator: json ? "\n" : "")
                if !report.isReady { throw ExitCode(ClusterExit.failed) }
            }
        }
    }
}

extension ConfigOptions {
    /// For commands that go by the schema's tables too.
    func settingsAndSchema() throws -> (Settings, Schema) {
        let settings = try self.settings()
        let file = try reportingProblems { () throws(ConfigProblems) in
            try StartChecks.schema(of: settings)
        }
        return (settings, file.schema)
    }
}

/// How far a command about streams is, on stderr where that is a terminal.
struct StreamsProgress {
    private let what: String
    private let total: Int
    private let terminal = TerminalDevice(2)
    private var hasDrawn = false

    init(_ what: String, total: Int) { (self.what, self.total) = (what, total) }

    mutating func show(_ count: Int) {
        guard let terminal else { return }
        hasDrawn = true
        terminal.write(Array("\r\u{1B}[K\(what): \(count) of \(total)".utf8))
    }

    /// Takes the line off the screen.
    mutating func end() {
        if hasDrawn { terminal?.write(Array("\r\u{1B}[K".utf8)) }
        hasDrawn = false
    }
}
