import Core
import Foundation
import Platform

/// Makes a result of what the board says while a run goes on, and what the live view shows.
final class RunRecorder {
    private static let showEvery = 1 / Double(TerminalScreen.framesPerSecond)
    /// Figures of a generator that is later than this, or busier, are doubted.
    private static let scheduleErrorMaxMicroseconds: UInt64 = 1000
    private static let busyShare = 0.9
    private static let stolenShareMax = 0.01

    private let run: LoadRun
    private var seconds = SecondsRecorder()
    private var hasBegun = false
    private var cpuTimes: SystemFacts.CPUTimes?
    private var secondsCPUTimes: SystemFacts.CPUTimes?
    private var nextSecond = 1.0
    private var nextShow = 0.0
    private(set) var view: ViewState
    private(set) var isTimeToShow = false
    var sampler: ServerSampler?

    init(_ run: LoadRun, note: String?) {
        self.run = run
        view = ViewState(plan: run.plan)
        view.note = note
    }

    private var elapsed: Double { Double(run.elapsedNanoseconds) / 1e9 }

    /// Called every tick of the run.
    func tick() {
        let now = elapsed
        if !hasBegun {
            hasBegun = true
            cpuTimes = SystemFacts.cpuTimes()
            secondsCPUTimes = cpuTimes
            sampler?.take(atSeconds: 0)
        }
        if now >= nextSecond || run.phase == .over {
            seconds.tick(run.board, elapsedSeconds: now, stolenShare: stolenInSecond())
            nextSecond = now.rounded(.down) + 1
            if let second = seconds.seconds.last, run.phase != .over { view.took(second: second) }
            sampler?.take(atSeconds: now)
        }
        isTimeToShow = now >= nextShow || run.phase == .over
        if !isTimeToShow { return }
        nextShow = now + Self.showEvery
        refresh(now)
    }

    private func stolenInSecond() -> Double? {
        let times = SystemFacts.cpuTimes()
        defer { secondsCPUTimes = times }
        guard let times, let earlier = secondsCPUTimes else { return nil }
        return times.stolenShare(since: earlier)
    }

    private func refresh(_ now: Double) {
        let board = run.board
        let service = board.cells(.service)
        view.phase = phase(now)
        view.took(
            totals: RunResult.Totals(board),
            response: run.plan.model == .open ? board.cells(.response) : service,
            service: service, schedule: board.cells(.schedule), elapsed: now)
        view.cpuLoad = board.threadLoads(elapsedSeconds: now).max()
        view.backlog = board.total(.backlog)
        view.inFlight = board.total(.inFlight)
        view.connectionsOpen = board.total(.connectionsOpen)
        if let path = run.plan.ledger {
            view.ledgerBytes = (try? FileManager.default.attributesOfItem(atPath: path))?[.size]
                .flatMap { ($0 as? NSNumber)?.uint64Value }
        }
    }

    private func phase(_ now: Double) -> ViewState.Phase {
        if run.phase == .starting { return .connecting }
        if run.wasInterrupted { return .stopping }
        if let seconds = run.plan.seconds, now > seconds { return .finishing }
        return .running
    }

    // MARK: The result

    /// When the run is over.
    func result(commandLine: [String]) -> RunResult {
        let board = run.board
        let ended = (0..<board.threads).map { board.section($0).value(.endedAtNanoseconds) }.max()
        // Threads of a process that died have told no end.
        let elapsed = Double((ended ?? 0) > 0 ? ended! : run.elapsedNanoseconds) / 1e9
        let service = board.cells(.service)
        let isOpen = run.plan.model == .open
        var result = RunResult(
            hydrantVersion: hydrantVersion,
            startedAt: Self.utc(run.startedAtMicroseconds),
            startedAtMicroseconds: run.startedAtMicroseconds, commandLine: commandLine,
            machine: SystemFacts.machine(), plan: run.plan, elapsedSeconds: elapsed,
            wasInterrupted: run.wasInterrupted, totals: RunResult.Totals(board),
            response: isOpen ? board.cells(.response) : service, service: service,
            schedule: board.cells(.schedule),
            seconds: seconds.seconds.map { isOpen ? $0 : $0.withResponseAsService },
            threadLoads: board.threadLoads(elapsedSeconds: elapsed))
        result.stolenShare = cpuTimes.flatMap { SystemFacts.cpuTimes()?.stolenShare(since: $0) }
        result.server = sampler?.finish() ?? []
        result.warnings = warnings(result)
        return result
    }

    /// "2026-11-23T07:30:00.123Z"
    private static func utc(_ microseconds: UInt64) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.string(
            from: Date(timeIntervalSince1970: Double(microseconds) / 1_000_000))
    }

    /// Why its figures should be doubted.
    private func warnings(_ result: RunResult) -> [String] {
        var out: [String] = []
        let dropped = result.totals[.dropped]
        if dropped > 0 {
            out.append(
                "\(NumberText.grouped(dropped)) requests were due and never sent: no percentile knows of "
                    + "them, and the true ones are higher")
        }
        if let wanted = result.plan.requests, !result.wasInterrupted, result.totals[.due] < wanted,
            result.plan.seconds == nil
        {
            out.append(
                "\(NumberText.grouped(wanted - result.totals[.due])) requests of -n were never due: there "
                    + "was no connection any more")
        }
        let unasked = result.totals[.answersUnasked]
        if unasked > 0 {
            out.append(
                "\(NumberText.grouped(unasked)) times the server sent more than was asked for: its answers "
                    + "cannot be told apart, and the connection was given up")
        }
        let timedOut = result.totals[.timedOut]
        if timedOut > 0 {
            out.append(
                "\(NumberText.grouped(timedOut)) requests got no answer in time: latencies hold what "
                    + "they waited, and the true ones are higher")
        }
        let cut = result.totals[.connectionBroken] + result.totals[.answerMalformed]
        if cut > 0 {
            out.append(
                "\(NumberText.grouped(cut)) requests got no whole answer: no percentile knows of them"
            )
        }
        let error = result.schedule.percentileMicroseconds(99) ?? 0
        if error > Self.scheduleErrorMaxMicroseconds {
            out.append(
                "the generator was late by itself (schedule error p99 "
                    + "\(NumberText.latency(microseconds: Double(error)))): response times hold that "
                    + "too; give it more threads, or a host of its own")
        }
        if let stolen = result.stolenShare, stolen > Self.stolenShareMax {
            out.append(
                "this machine's host gave \(Figures.percent(stolen)) of its CPU time to others (steal): "
                    + "figures are of the host as much as of the server; measure at a calmer time")
        }
        let busiest = result.threadLoads.max() ?? 0
        if busiest > Self.busyShare && result.plan.model == .open {
            out.append(
                "a generator thread used \(Figures.percent(busiest)) of a core: add threads (-t) or "
                    + "processes (--workers)")
        }
        let opened = result.totals[.connectionsOpened]
        if opened < UInt64(result.plan.connections) {
            out.append(
                "only \(NumberText.grouped(opened)) of \(result.plan.connections) connections could be "
                    + "opened" + (result.totals.lastFailure.map { " (\($0.lowercased()))" } ?? ""))
        }
        if run.ledgerErrno > 0 {
            out.append(
                "the ledger could not be written: "
                    + String(cString: strerror(run.ledgerErrno)).lowercased()
                    + ": requests from then on are missing in it")
        }
        return out
    }
}

extension RunResult.Second {
    fileprivate var withResponseAsService: Self {
        var second = self
        second.response = second.service
        return second
    }
}
