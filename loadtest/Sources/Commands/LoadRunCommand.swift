import ArgumentParser
import Config
import Platform

/// Sends requests to a URL. The default of `hydrant load`.
struct LoadRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Send requests to a URL (what `hydrant load URL` does).",
        discussion: """
            Requests are due by a schedule, whether or not the server keeps up (open model). \
            Response times count from when a request was due; --closed sends as fast as answers \
            come instead.

            Examples:
              hydrant load http://127.0.0.1:8080/p.gif?event=load -R 20k -z 30s
              hydrant load http://127.0.0.1:8080 --scenario adtech -R 20k -z 1m -o report.html
              hydrant load http://127.0.0.1:8080 --scenario adtech --find-max 'p99<10ms,errors<0.1%'
              hydrant load http://127.0.0.1:8080 --scenario adtech --ledger run.ledger \\
                  --against var --expect lost=0

            Exit codes: 0 done · 64 wrong usage · 66 an input cannot be read · 68 unknown host · \
            69 connection refused · 70 a generator process died · 73 an output cannot be written · \
            75 unreachable · 76 no TLS · 78 wrong scenario · 99 an expectation was not met · \
            130 Ctrl-C (the results so far are kept).
            """)

    @Argument(help: "Where to send: [http://|https://]host[:port][/path].")
    var url: String

    @OptionGroup(title: "Load") var load: LoadOptions
    @OptionGroup(title: "Requests") var requests: RequestOptions
    @OptionGroup(title: "Results") var results: ResultOptions

    func run() throws {
        try loadReporting {
            let session = try LoadSession(
                plan: plan(), results: results,
                search: load.findMax.map { try RateSearchOptions($0, load) },
                expectations: results.expect.flatMap { try Expectation.parse($0) })
            let exitCode = try session.perform()
            if exitCode != 0 { throw ExitCode(exitCode) }
        }
    }
}

/// How much, how long, from where.
struct LoadOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: "Connections, in all. [default: 50, or the scenario's]")
    var connections: Int?

    @Option(name: [.short, .long], help: "Threads in each generator process.")
    var threads = 1

    @Option(help: "Generator processes.")
    var workers = 1

    @Option(
        name: [.customShort("z"), .long],
        help: ArgumentHelp(
            "How long: 500ms, 10s, 5m, 1m30s. [default: 10s, or what --ramp and --step take]",
            valueName: "time"))
    var duration: String?

    @Option(
        name: [.customShort("n"), .customLong("requests")],
        help: ArgumentHelp("How many requests, instead of how long.", valueName: "count"))
    var count: UInt64?

    @Option(
        name: [.customShort("R"), .customShort("q"), .long],
        help: ArgumentHelp(
            "Requests a second, in all: 500, 20k, 1.5M. [default: 1000, or the scenario's]",
            valueName: "rate"))
    var rate: String?

    @Option(
        help: ArgumentHelp("From one rate to another: 0:20k/30s.", valueName: "from:to/time"))
    var ramp: String?

    @Option(
        help: ArgumentHelp(
            "Rates one after another: 1k,2k,5k/10s or 1k:10k:1k/10s.", valueName: "rates/time"))
    var step: String?

    @Option(
        help: ArgumentHelp(
            "Find the highest rate at which this holds, as 'p99<10ms,errors<0.1%'. Starts at "
                + "--rate, tries each for --duration, repeats the best three times.",
            valueName: "condition"))
    var findMax: String?

    @Flag(help: "Closed model: each connection sends when its answer has come.")
    var closed = false

    @Flag(help: "Requests due at random times (Poisson), not at even ones.")
    var poisson = false

    @Flag(
        help: "Stay awake between requests: more punctual, for up to a core of each thread.")
    var spin = false

    @Option(help: "Requests in flight on one connection. [default: 1, or the scenario's]")
    var pipeline: Int?

    @Option(
        help: ArgumentHelp(
            "A connection closes after so many requests; 1: no keep-alive.", valueName: "count"))
    var requestsPerConnection: Int?

    @Option(help: ArgumentHelp("Give up on an answer after this.", valueName: "time"))
    var timeout = "10s"

    @Option(
        help: ArgumentHelp(
            "Due requests that may wait for a connection; more are dropped. [default: what 10 s "
                + "bring, 1000 at least]",
            valueName: "count"))
    var backlog: Int?
}

/// What is sent.
struct RequestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Traffic like adtech's: a built-in name (`hydrant load scenarios`) or a TOML file.",
            valueName: "name|file"))
    var scenario: String?

    @Option(
        help: ArgumentHelp(
            "The requests of an access log (common or combined format) instead.",
            valueName: "file"))
    var replay: String?

    @Option(
        help: ArgumentHelp(
            "How fast the log is replayed: 1 as recorded, 10 ten times faster. Without it, at "
                + "--rate.",
            valueName: "factor"))
    var pace: Double?

    @Option(name: .short, help: ArgumentHelp("Method.", valueName: "method"))
    var method: String?

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp("A header; may be repeated.", valueName: "name: value"))
    var header: [String] = []

    @Option(name: [.customShort("d"), .long], help: ArgumentHelp("Body.", valueName: "text"))
    var data: String?

    @Option(
        name: [.customShort("D"), .long], help: ArgumentHelp("Body from a file.", valueName: "file")
    )
    var dataFile: String?

    @Option(help: "The same seed sends the same requests. [default: random]")
    var seed: UInt64?

    @Flag(name: [.customShort("k"), .long], help: "TLS: trust any certificate.")
    var insecure = false

    @Option(help: ArgumentHelp("TLS: trust the authorities of this file.", valueName: "PEM file"))
    var cacert: String?
}

/// What comes out.
struct ResultOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Write the result; may be repeated. The name's end says how: .html report, .json "
                + "everything, .csv seconds, .hgrm percentiles, .txt summary.",
            valueName: "file"))
    var output: [String] = []

    @Flag(help: "Print JSON instead of the summary.")
    var json = false

    @Flag(help: "Print the whole spectrum of percentiles.")
    var latency = false

    @Option(
        help: ArgumentHelp(
            "Exit 99 unless this holds, as 'p99<20ms', 'errors=0', 'lost=0'; may be repeated.",
            valueName: "condition"))
    var expect: [String] = []

    @Option(
        help: ArgumentHelp(
            "Mark each request (_hl=…) and write what became of it.", valueName: "file"))
    var ledger: String?

    @Option(
        help: ArgumentHelp(
            "Where the rows are: a cluster's data folder, a folder of its objects, a warehouse. "
                + "The ledger is held against it at the end; a running cluster's counters are "
                + "recorded beside. May be repeated.",
            valueName: "folder|file"))
    var against: [String] = []

    @Flag(
        name: .customLong("dry-run"), help: "Print the schedule and three requests; send nothing.")
    var isDryRun = false

    @Flag(name: .customLong("no-tui"), help: "Plain lines instead of the live view.")
    var noTUI = false

    @Flag(help: "No progress.")
    var quiet = false
}

/// Runs a command's body; a failure is told on stderr with its remedy and becomes its exit code.
func loadReporting(_ body: () throws -> Void) throws {
    ensureStandardDescriptors()
    do {
        try body()
    } catch let problems as ConfigProblems {
        // Of a scenario: all at once, each with its place.
        writeError(problems.render(color: errorsAreColored))
        throw ExitCode(LoadExit.scenario)
    } catch let failure as any LoadFailing {
        writeError(failure.loadFailure.description)
        throw ExitCode(failure.loadFailure.exitCode)
    }
}
