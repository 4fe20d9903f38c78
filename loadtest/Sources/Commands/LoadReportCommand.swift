import ArgumentParser

/// Reads results again, compares them, and holds ledgers against rows.
struct LoadReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Show results again, compare them, or hold ledgers against the rows.",
        discussion: """
            Examples:
              hydrant load report run.json -o run.html
              hydrant load report before.json after.json -o compared.html
              hydrant load report --ledger run.ledger --against var
              hydrant load report --ledger a.ledger --ledger b.ledger --against s3-copy/

            Of ledgers it exits 1 when something was lost, 66 when something could not \
            be read or the ledgers do not hold the whole run.
            """)

    @Argument(help: "Results that `hydrant load -o FILE.json` wrote; several are compared.")
    var files: [String] = []

    @Option(
        help: ArgumentHelp(
            "A ledger that `hydrant load --ledger` wrote; may be repeated.", valueName: "file"))
    var ledger: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where the rows are: a cluster's data folder, a folder of its objects, a warehouse; "
                + "may be repeated.",
            valueName: "folder|file"))
    var against: [String] = []

    @Option(
        help: ArgumentHelp("List every lost request in this file.", valueName: "file"))
    var lostTo: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Write the report: .html (several results: a comparison), .json, .csv, .hgrm, .txt.",
            valueName: "file"))
    var output: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the whole spectrum of percentiles.")
    var latency = false

    @Option(
        help: ArgumentHelp("Exit 99 unless this holds; may be repeated.", valueName: "condition"))
    var expect: [String] = []

    @Flag(help: "No progress.")
    var quiet = false

    func validate() throws {
        if files.isEmpty && ledger.isEmpty {
            throw ValidationError("name result files, or --ledger FILE --against FOLDER")
        }
        if ledger.isEmpty != against.isEmpty {
            throw ValidationError("--ledger and --against go together")
        }
        if files.count > 1 && !ledger.isEmpty {
            throw ValidationError("several results cannot share ledgers: report one at a time")
        }
    }

    func run() throws {
        try loadReporting {
            let expectations = try expect.flatMap { try Expectation.parse($0) }
            let outputs = try output.map { try ResultOutput($0) }
            let results = try files.map { try ResultFile.read($0) }
            let findings = try ledger.isEmpty ? nil : join()
            if results.isEmpty, let findings {
                try reportLedger(findings, expectations, outputs)
            } else {
                try report(results, findings, expectations, outputs)
            }
        }
    }

    private func join() throws -> LedgerFindings {
        try LedgerJoin.report(
            ledgers: ledger, against: against, lostTo: lostTo,
            progress: ProgressLine("reading", isQuiet: quiet).show)
    }

    // MARK: Ledgers alone

    private func reportLedger(
        _ findings: LedgerFindings, _ expectations: [Expectation], _ outputs: [ResultOutput]
    ) throws {
        let text = LedgerReport.text(findings)
        for output in outputs {
            guard output.form == .json || output.form == .txt else {
                throw LoadFailure(
                    "-o \(output.path): a ledger alone is written as .txt or .json",
                    hint: "name the run's .json result too", exitCode: LoadExit.usage)
            }
            try output.write(
                Array((output.form == .json ? LedgerReport.json(findings) : text).utf8))
        }
        try printOut(json ? try LedgerReport.json(findings) : text)
        let verdicts = try expectations.map { try $0.evaluate(on: findings) }
        verdicts.forEach { writeError(($0.isMet ? "met: " : "missed: ") + $0.found) }
        if !verdicts.allSatisfy(\.isMet) { throw ExitCode(LoadExit.expectation) }
        if !findings.isComplete { throw ExitCode(LoadExit.noInput) }
        if expectations.isEmpty && findings.lost > 0 { throw ExitCode(LoadExit.lost) }
    }

    // MARK: Results

    private func report(
        _ results: [RunResult], _ findings: LedgerFindings?, _ expectations: [Expectation],
        _ outputs: [ResultOutput]
    ) throws {
        if results.count > 1 { return try compare(results, outputs) }
        var result = results[0]
        if let findings {
            let run = HitLabel(run: result.plan.run, sequence: 0).text.prefix(8)
            guard findings.runs.contains(String(run)) else {
                throw LoadFailure(
                    "\(files[0]) is of run \(run), and the ledgers are of "
                        + findings.runs.joined(separator: ", "),
                    hint: "name the ledger of that run, or report them one at a time",
                    exitCode: LoadExit.usage)
            }
            result.ledger = findings
        }
        if !expectations.isEmpty {
            result.verdicts = expectations.map { $0.evaluate(on: result) }
        }
        let unwritten = try outputs.write(result)
        try printResult(result, asJSON: json, spectrum: latency)
        if let unwritten { throw unwritten }
        if !result.verdicts.allSatisfy(\.isMet) { throw ExitCode(LoadExit.expectation) }
    }

    private func compare(_ results: [RunResult], _ outputs: [ResultOutput]) throws {
        if !expect.isEmpty || json {
            throw LoadFailure(
                "--expect and --json are for one result",
                hint: "name one file, or write the comparison with -o FILE.html",
                exitCode: LoadExit.usage)
        }
        for output in outputs {
            switch output.form {
            case .html:
                try output.write(Array(HTMLReport.comparing(results, names: files).html.utf8))
            default:
                throw LoadFailure(
                    "-o \(output.path): a comparison is written as .html", exitCode: LoadExit.usage)
            }
        }
        if outputs.isEmpty || !quiet {
            for (index, result) in results.enumerated() {
                try printOut("== \(files[index])\n")
                try printResult(result, asJSON: false, spectrum: latency)
            }
        }
    }
}
