import Core
import Glibc
import Platform

/// `hydrant load`, from a plan to an exit code: looks whether there is a server, runs the load or a
/// search for the highest rate, holds the ledger against the rows, judges, writes the results.
final class LoadSession {
    private var plan: LoadPlan
    private let results: ResultOptions
    private let search: RateSearchOptions?
    private let expectations: [Expectation]
    private let loop: Loop
    private var live: LiveOutput
    private var current: LoadRun?
    private var signals: [SignalWatch] = []
    private var ledgerErrno: Int32 = 0
    private var interrupted = false
    private var log: ReplayLog?
    /// What ended the run before its time, told after the results.
    private var failure: LoadFailure?

    init(
        plan: LoadPlan, results: ResultOptions, search: RateSearchOptions?,
        expectations: [Expectation]
    ) throws {
        self.plan = plan
        self.results = results
        self.search = search
        self.expectations = expectations
        loop = try Loop.make()
        live = LiveOutput(viewIsRefused: results.noTUI, isQuiet: results.quiet)
    }

    /// The exit code.
    func perform() throws -> Int32 {
        prepareProcess(name: "hydrant-load", isChild: false)
        try checkPlan()
        if results.isDryRun {
            try printOut(try DryRun.text(plan))
            return 0
        }
        let outputs = try results.output.map { try ResultOutput($0) }
        plan.addresses = try TargetProbe.addresses(of: plan, in: loop)
        try createLedger()
        watchSignals()
        var result = try search.map { try find($0) } ?? measure(plan, note: nil)
        unwatchSignals()
        if let path = plan.ledger {
            // It was made before there were connections; entries count from the first due time.
            LedgerFile.setStart(
                path: path, header: ledgerHeader(startMicroseconds: result.startedAtMicroseconds))
        }
        // Before a ledger is joined, which may take long and can be interrupted, too.
        if plan.ledger != nil { _ = try outputs.write(result) }
        try judgeLedger(&result)
        result.verdicts = expectations.map { $0.evaluate(on: result) }
        let unwritten = try outputs.write(result)
        try printResult(result, asJSON: results.json, spectrum: results.latency)
        if let failure = failure ?? unwritten { throw failure }
        if interrupted { return LoadExit.interrupted }
        if let path = plan.ledger, ledgerErrno > 0 {
            // What it does not know of cannot be proven: no expectation makes up for that.
            throw LoadFailure(
                "--ledger \(path): \(String(cString: strerror(ledgerErrno)).lowercased()): it is not "
                    + "whole",
                hint: "make room there, or name a file on another disk",
                exitCode: LoadExit.cannotCreate)
        }
        return result.verdicts.allSatisfy(\.isMet) && searchSucceeded(result)
            ? 0 : LoadExit.expectation
    }

    private func searchSucceeded(_ result: RunResult) -> Bool {
        search == nil || result.search?.rate != nil
    }

    /// What generator processes would otherwise fail with.
    private func checkPlan() throws {
        try refuseUnknowable()
        try readLog()
        _ = try RequestMaker(plan, log: log)
        let descriptors = plan.connections / plan.workers + 64
        let limit = raiseFileLimit()
        if descriptors > limit {
            throw LoadFailure(
                "\(plan.connections) connections need \(descriptors) open files in a process, and "
                    + "the limit is \(limit)",
                hint:
                    "raise it (ulimit -n \(descriptors)), spread them over --workers, or lower -c",
                exitCode: LoadExit.usage)
        }
        for path in results.against where access(path, R_OK) != 0 {
            throw LoadFailure(
                "--against \(path): \(Failure(errnoOf: "access").reason.lowercased())",
                hint: "name a cluster's data folder, a folder of its objects, or a warehouse",
                exitCode: LoadExit.noInput)
        }
        if plan.target.isTLS { _ = try TLSContext.client(trust: plan.trust) }
    }

    /// Expectations that nothing of this run could meet.
    private func refuseUnknowable() throws(PlanRefusal) {
        let isJoined = plan.ledger != nil && !results.against.isEmpty
        if !isJoined, let expectation = expectations.first(where: \.needsLedger) {
            throw PlanRefusal(
                "--expect \(expectation.text): no ledger is held against any rows",
                hint: Expectation.ledgerRemedy)
        }
        if let expectation = search?.expectations.first(where: \.needsLedger) {
            throw PlanRefusal(
                "--find-max \(expectation.text): trials have no ledger",
                hint: "find the rate first, then prove it with --ledger, --against and --expect")
        }
    }

    /// Says what of a log is not replayed: a load sized by the rest would be too small.
    private func readLog() throws {
        guard let path = plan.replay?.file else { return }
        let log = try ReplayLog(reading: path)
        self.log = log
        let skipped = log.skipped
        if skipped.total == 0 || results.quiet { return }
        let parts = [
            (skipped.malformed, "not of the common or combined format"),
            (skipped.method, "neither GET nor HEAD"),
            (skipped.unsendable, "with a target or field that cannot be sent"),
        ].filter { $0.0 > 0 }.map { "\(NumberText.grouped(UInt64($0.0))) \($0.1)" }
        writeError(
            "note: \(path): \(NumberText.grouped(UInt64(log.count))) of "
                + "\(NumberText.grouped(UInt64(log.lines))) lines are replayed; left out: "
                + parts.joined(separator: ", "))
    }

    private func createLedger() throws {
        guard let path = plan.ledger else { return }
        do throws(LedgerFailure) {
            try LedgerFile.create(
                path: path, header: ledgerHeader(startMicroseconds: realtimeMicroseconds()))
        } catch {
            throw LoadFailure(error, exitCode: LoadExit.cannotCreate)
        }
    }

    private func ledgerHeader(startMicroseconds: UInt64) -> LedgerHeader {
        LedgerHeader(
            run: plan.run, startMicroseconds: startMicroseconds, seed: plan.seed,
            hydrantVersion: hydrantVersion)
    }

    // MARK: Signals

    private func watchSignals() {
        let me = Unmanaged.passUnretained(self).toOpaque()
        signals = [SIGINT, SIGTERM, SIGHUP].map { signal in
            SignalWatch(signal, in: loop, owner: me) { owner, _ in
                Unmanaged<LoadSession>.fromOpaque(owner).takeUnretainedValue().interrupt()
            }
        }
    }

    /// From then on a signal ends the process, as if nobody had ever listened: the loop does not run
    /// any more to hear of it.
    private func unwatchSignals() {
        signals.forEach { $0.close() }
        signals = []
        loop.runNoWait()
    }

    private func interrupt() {
        interrupted = true
        guard let current, !current.interrupt() else {
            live.restore()
            exit(LoadExit.interrupted)
        }
    }

    // MARK: Measuring

    /// One run of a plan.
    private func measure(_ plan: LoadPlan, note: String?) throws -> RunResult {
        let run = try LoadRun(plan, in: loop)
        let recorder = RunRecorder(run, note: note)
        if let folder = results.against.first(where: { ServerSampler.isCluster($0) }) {
            recorder.sampler = ServerSampler(folder)
        }
        current = run
        run.onTick = { [unowned self] in
            recorder.tick()
            if recorder.isTimeToShow { self.live.show(recorder.view) }
        }
        defer {
            current = nil
            run.onTick = {}
        }
        do {
            try run.perform()
        } catch let failure as LoadFailure where run.board.startNanoseconds != 0 {
            // A generator died: what it and the others counted until then is kept, and told of.
            self.failure = failure
        } catch {
            live.restore()
            throw error
        }
        ledgerErrno = run.ledgerErrno
        live.restore(erasing: search != nil)
        var result = recorder.result(commandLine: CommandLine.arguments)
        if let failure {
            result.wasInterrupted = true
            result.warnings.insert("\(failure.message): figures are of what was counted", at: 0)
        }
        return result
    }

    /// --find-max: trial after trial.
    private func find(_ search: RateSearchOptions) throws -> RunResult {
        let seconds = plan.seconds ?? 10
        let start = plan.rate.pieces.first?.from ?? 1000
        var machine = FindMaxMachine(
            .init(
                condition: search.condition, startRate: start, missesToBelieve: 2, trialsMax: 96))
        var action = machine.start()
        var last: RunResult?
        while true {
            switch action {
            case .finished(let found):
                var result = try last ?? measure(plan, note: nil)
                result.search = found
                return result
            case .measure(let rate, let isRepeat):
                var trial = plan
                trial.rate = plan.rate.scaled(to: rate, from: start)
                trial.seconds = seconds
                // Each trial has arrivals and requests of its own, and they follow from the seed.
                trial.seed = plan.seed &+ UInt64(machine.trials.count)
                live.beginAgain()
                let rateText = Figures.rate(rate)
                let result = try measure(
                    trial, note: "--find-max: \(isRepeat ? "repeating" : "trying") \(rateText)/s")
                if interrupted || failure != nil {
                    return interruptedSearch(result, machine, search)
                }
                let judgement = Expectation.judge(
                    trial: result, expectations: search.expectations)
                tell(rate: rateText, isRepeat, judgement)
                if judgement.isHeld || last == nil { last = result }
                action =
                    judgement.isHeld
                    ? machine.held(found: judgement.found, answeredRate: judgement.answeredRate)
                    : machine.missed(found: judgement.found)
            }
        }
    }

    private func interruptedSearch(
        _ result: RunResult, _ machine: FindMaxMachine, _ search: RateSearchOptions
    ) -> RunResult {
        var result = result
        result.search = RunResult.RateSearch(
            condition: search.condition, trials: machine.trials, rate: nil)
        return result
    }

    private func tell(rate: String, _ isRepeat: Bool, _ judgement: Expectation.Judgement) {
        if results.quiet { return }
        writeError(
            "\(isRepeat ? "repeat" : "trial")  \(rate)/s  \(judgement.isHeld ? "held" : "missed")  "
                + judgement.found)
    }

    // MARK: Afterwards

    private func judgeLedger(_ result: inout RunResult) throws {
        guard let ledger = plan.ledger, !results.against.isEmpty else { return }
        do throws(LedgerFailure) {
            result.ledger = try LedgerJoin.report(
                ledgers: [ledger], against: results.against,
                progress: ProgressLine("reading rows", isQuiet: results.quiet).show)
        } catch {
            throw LoadFailure(error, exitCode: LoadExit.noInput)
        }
    }

}

extension LoadFailure {
    init(_ failure: LedgerFailure, exitCode: Int32) {
        self.init(failure.message, hint: failure.hint, exitCode: exitCode)
    }
}
