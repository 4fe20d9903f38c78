/// Why results cannot be one.
struct MergeError: Error, CustomStringConvertible, Equatable {
    let description: String
}

extension RunResult {
    /// One result of what several generators did at the same time, on one host or many.
    ///
    /// Counters and distributions are added up. Seconds are laid beside one another by the clock, so
    /// hosts should keep time. What differs between the runs and should not is said in `warnings`.
    ///
    /// - Throws: `MergeError` where the sum would mean nothing: no results at all, the same one
    ///   twice, other formats, open and closed model together.
    static func merged(_ results: [RunResult]) throws(MergeError) -> RunResult {
        try checkTheyJoin(results)
        guard results.count > 1 else { return results[0] }
        // The earliest leads: its clock is the merged one.
        let results = results.sorted { $0.startedAtMicroseconds < $1.startedAtMicroseconds }
        var out = results[0]
        out.plan = LoadPlan.merged(results.map(\.plan))
        out.elapsedSeconds = results.map { $0.endSeconds - results[0].startSeconds }.max() ?? 0
        out.wasInterrupted = results.contains { $0.wasInterrupted }
        for result in results.dropFirst() {
            out.totals.counters.add(result.totals.counters)
            out.totals.statuses.add(result.totals.statuses)
            out.totals.lastFailure = result.totals.lastFailure ?? out.totals.lastFailure
            out.response.add(result.response)
            out.service.add(result.service)
            out.schedule.add(result.schedule)
        }
        out.seconds = mergedSeconds(results)
        out.threadLoads = results.flatMap(\.threadLoads)
        out.stolenShare = results.compactMap(\.stolenShare).max()
        out.server = mergedServer(results)
        out.verdicts = results.flatMap { result in
            result.verdicts.map { verdict in
                var verdict = verdict
                verdict.found = "\(result.machine.host): \(verdict.found)"
                return verdict
            }
        }
        out.search = nil
        (out.ledger, out.warnings) = (nil, differences(results))
        let (ledger, note) = mergedLedger(results)
        out.ledger = ledger
        out.warnings += [note].compactMap { $0 }
        out.warnings += results.flatMap { result in
            result.warnings.map { "\(result.machine.host): \($0)" }
        }
        out.parts = results.flatMap { $0.parts ?? [$0.part] }
        out.mergedFrom = out.parts?.count
        return out
    }

    private static func checkTheyJoin(_ results: [RunResult]) throws(MergeError) {
        guard let first = results.first else {
            throw MergeError(description: "no results to merge: name at least two files")
        }
        var seen: Set<String> = []
        for part in results.flatMap({ $0.parts ?? [$0.part] }) {
            let name = "\(part.machine.host) \(part.startedAtMicroseconds) \(part.plan.run)"
            guard seen.insert(name).inserted else {
                throw MergeError(
                    description: "the same result twice (\(part.machine.host), started "
                        + "\(part.startedAt)): it would be counted twice")
            }
        }
        for result in results {
            guard result.format == first.format else {
                throw MergeError(
                    description: "results of formats \(first.format) and \(result.format): merge "
                        + "with the version that made them")
            }
            guard result.plan.model == first.plan.model else {
                throw MergeError(
                    description: "open and closed model together: their response times do not "
                        + "mean the same; merge each model by itself")
            }
        }
    }

    private static func mergedSeconds(_ results: [RunResult]) -> [Second] {
        var byIndex: [Int: Second] = [:]
        for result in results {
            let offset = Int((result.startSeconds - results[0].startSeconds).rounded())
            for second in result.seconds {
                var second = second
                second.index += offset
                byIndex[second.index]?.addBeside(second)
                if byIndex[second.index] == nil { byIndex[second.index] = second }
            }
        }
        return byIndex.values.sorted { $0.index < $1.index }
    }

    /// Generators that watch the same server see the same counters: one of them is enough.
    private static func mergedServer(_ results: [RunResult]) -> [ServerSample] {
        guard let watcher = results.max(by: { $0.server.count < $1.server.count }) else {
            return []
        }
        let offset = watcher.startSeconds - results[0].startSeconds
        return watcher.server.map {
            ServerSample(second: $0.second + offset, counters: $0.counters)
        }
    }

    /// Added up when no request can be in two of them; else nothing, and why.
    private static func mergedLedger(_ results: [RunResult]) -> (LedgerFindings?, String?) {
        let findings = results.compactMap(\.ledger)
        guard !findings.isEmpty else { return (nil, nil) }
        guard findings.count == results.count else {
            return (
                nil,
                "\(findings.count) of \(results.count) results have ledger findings: left out; "
                    + "judge all ledgers together with `hydrant load report --ledger`"
            )
        }
        guard Set(results.map(\.plan.run)).count == results.count else {
            return (
                nil,
                "ledger findings left out: two runs have the same run number, so their requests "
                    + "cannot be told apart"
            )
        }
        return (findings.dropFirst().reduce(into: findings[0]) { $0.add($1) }, nil)
    }

    private var startSeconds: Double { Double(startedAtMicroseconds) / 1e6 }
    private var endSeconds: Double { startSeconds + elapsedSeconds }

    private var part: Part {
        Part(
            startedAt: startedAt, startedAtMicroseconds: startedAtMicroseconds,
            elapsedSeconds: elapsedSeconds, commandLine: commandLine, machine: machine, plan: plan,
            answered: totals[.answered])
    }

    /// What should be alike in runs that are one load.
    private static func differences(_ results: [RunResult]) -> [String] {
        func differ<Value: Hashable>(_ what: String, _ value: (RunResult) -> Value) -> String? {
            let values = Set(results.map(value))
            guard values.count > 1 else { return nil }
            let names = values.map { "\($0)" }.sorted().joined(separator: ", ")
            return "the merged runs differ in \(what): \(names)"
        }
        var out = [
            differ("target") {
                "\($0.plan.target.isTLS ? "https" : "http")://\($0.plan.target.authority)"
                    + $0.plan.target.path
            },
            differ("scenario") { $0.plan.scenario?.name ?? "none" },
            differ("method", \.plan.method),
            differ("pipelining", \.plan.pipeline),
            differ("version of Hydrant", \.hydrantVersion),
        ].compactMap { $0 }
        let starts = results.map(\.startSeconds)
        let apart = (starts.max() ?? 0) - (starts.min() ?? 0)
        let overlap = (results.map(\.endSeconds).min() ?? 0) - (starts.max() ?? 0)
        if overlap <= 0 {
            out.append("the merged runs did not all happen at the same time")
        } else if apart > 1 {
            out.append(
                "the merged runs started \(NumberText.fixed(apart, 1)) s apart by their clocks")
        }
        let seeds = results.map { "\($0.plan.seed)" }
        if Set(seeds).count < seeds.count && results.contains(where: { $0.plan.scenario != nil }) {
            out.append("merged runs with the same seed sent the same visitors' requests")
        }
        return out
    }
}

extension RunResult.Second {
    /// Takes in what another generator did in the same second.
    fileprivate mutating func addBeside(_ other: Self) {
        counters.add(other.counters)
        statuses.add(other.statuses)
        backlog += other.backlog
        inFlight += other.inFlight
        connectionsOpen += other.connectionsOpen
        response.add(other.response)
        service.add(other.service)
        spanSeconds = max(spanSeconds, other.spanSeconds)
        // Calm where every generator's machine was.
        stolenShare = stolenShare.flatMap { mine in other.stolenShare.map { max(mine, $0) } }
    }
}

extension LedgerFindings {
    fileprivate mutating func add(_ other: Self) {
        let sums: [WritableKeyPath<Self, UInt64>] = [
            \.sent, \.acked, \.ackedBad, \.refused, \.otherAnswers, \.unanswered, \.delivered,
            \.spooled, \.bad, \.lost, \.unpromisedKept, \.resent, \.retried, \.unrecorded,
        ]
        for field in sums { self[keyPath: field] += other[keyPath: field] }
        // Each has counted the rows of the others as foreign: what is foreign to all is not known,
        // but it is no more than the least.
        foreign = min(foreign, other.foreign)
        lostExamples = Array((lostExamples + other.lostExamples).prefix(10))
        notes += other.notes
    }
}

extension LoadPlan {
    /// What the plans ask for together; what is not a sum is the first one's.
    fileprivate static func merged(_ plans: [LoadPlan]) -> LoadPlan {
        var out = plans[0]
        out.connections = plans.reduce(0) { $0 + $1.connections }
        out.backlogMax = plans.reduce(0) { $0 + $1.backlogMax }
        out.seconds = plans.contains { $0.seconds == nil } ? nil : plans.compactMap(\.seconds).max()
        out.requests =
            plans.contains { $0.requests == nil }
            ? nil : plans.compactMap(\.requests).reduce(0) { $0 + $1 }
        if Set(plans.map(\.threads)).count == 1 {
            out.workers = plans.reduce(0) { $0 + $1.workers }
        } else {
            (out.workers, out.threads) = (plans.reduce(0) { $0 + $1.threadsInAll }, 1)
        }
        out.rate = plans.dropFirst().reduce(out.rate) { $0.added(to: $1.rate) }
        return out
    }
}

extension RateProfile {
    /// The rate of two that run at the same time from the same start.
    func added(to other: RateProfile) -> RateProfile {
        let cuts = Set(cuts + other.cuts).sorted()
        let pieces = zip(cuts, cuts.dropFirst()).map { start, end in
            let (mine, theirs) = (rates(from: start, to: end), other.rates(from: start, to: end))
            return Piece(
                seconds: end - start, from: mine.from + theirs.from, to: mine.to + theirs.to)
        }
        return RateProfile(pieces: pieces)
    }

    /// Where pieces begin and end.
    private var cuts: [Double] {
        pieces.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.seconds) }
    }

    /// At the ends of a stretch that lies in one piece; 0 after the last.
    private func rates(from start: Double, to end: Double) -> (from: Double, to: Double) {
        for (piece, begin) in zip(pieces, cuts)
        where piece.seconds > 0 && start >= begin && start < begin + piece.seconds {
            let slope = (piece.to - piece.from) / piece.seconds
            return (piece.from + slope * (start - begin), piece.from + slope * (end - begin))
        }
        return (0, 0)
    }
}
