import ArgumentParser

/// Joins the results of several hosts, or of several runs.
struct LoadMergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join the JSON results of several generators into one.",
        discussion: """
            Counts are added and latencies merged exactly; seconds are aligned by the wall clock, so \
            the hosts' clocks should agree.

            Example: hydrant load merge host-*.json -o all.html -o all.json
            """)

    @Argument(help: "Results that `hydrant load -o FILE.json` wrote.")
    var files: [String]

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write the joined result, as with `load`.", valueName: "file"))
    var output: [String] = []

    @Flag(help: "Print JSON instead of the summary.")
    var json = false

    @Option(
        help: ArgumentHelp("Exit 99 unless this holds; may be repeated.", valueName: "condition"))
    var expect: [String] = []

    func run() throws {
        try loadReporting {
            let expectations = try expect.flatMap { try Expectation.parse($0) }
            let outputs = try output.map { try ResultOutput($0) }
            var result: RunResult
            do {
                result = try RunResult.merged(try files.map { try ResultFile.read($0) })
            } catch let error as MergeError {
                throw LoadFailure("\(error)", exitCode: LoadExit.usage)
            }
            result.verdicts = expectations.map { $0.evaluate(on: result) }
            let unwritten = try outputs.write(result)
            try printResult(result, asJSON: json, spectrum: false)
            if let unwritten { throw unwritten }
            if !result.verdicts.allSatisfy(\.isMet) { throw ExitCode(LoadExit.expectation) }
        }
    }
}
