/// Cuts a run into seconds: called about once a second, it takes what the threads have counted
/// since the call before.
struct SecondsRecorder {
    /// A rest shorter than this is part of the second before: a rate over so little is noise.
    private static let leastSpanSeconds = 0.25

    private(set) var seconds: [RunResult.Second] = []
    private var elapsed = 0.0
    private var counters: [String: UInt64] = [:]
    private var statuses: [String: UInt64] = [:]
    private var response = LatencyCells()
    private var service = LatencyCells()

    init() {}

    /// Takes the time since the last tick. A tick that comes late makes one longer second, with the
    /// index of the second it ends in and the time it really covers.
    ///
    /// - Parameters:
    ///   - elapsedSeconds: since the run's start; ascending.
    ///   - stolenShare: of this machine's CPU time since the last tick; nil: not known.
    mutating func tick(_ board: LoadBoard, elapsedSeconds: Double, stolenShare: Double? = nil) {
        var second = taken(from: board, spanSeconds: max(elapsedSeconds - elapsed, 0))
        second.stolenShare = stolenShare
        // A tick is due as a second ends, and comes a little after: 3.002 ends second 2.
        let index = max(Int(elapsedSeconds.rounded()) - 1, 0)
        elapsed = max(elapsed, elapsedSeconds)
        if let last = seconds.last,
            index <= last.index || second.spanSeconds < Self.leastSpanSeconds
        {
            seconds[seconds.count - 1].extend(by: second)
        } else {
            seconds.append(second)
            seconds[seconds.count - 1].index = index
        }
    }

    private mutating func taken(
        from board: LoadBoard, spanSeconds: Double
    ) -> RunResult.Second {
        let now = (
            counters: board.counters, statuses: board.statuses, response: board.cells(.response),
            service: board.cells(.service)
        )
        defer {
            (counters, statuses) = (now.counters, now.statuses)
            (response, service) = (now.response, now.service)
        }
        return RunResult.Second(
            index: 0, counters: now.counters.difference(since: counters),
            statuses: now.statuses.difference(since: statuses), backlog: board.total(.backlog),
            inFlight: board.total(.inFlight), connectionsOpen: board.total(.connectionsOpen),
            response: now.response.difference(since: response),
            service: now.service.difference(since: service), spanSeconds: spanSeconds)
    }
}

extension RunResult.Second {
    /// Takes in what directly followed.
    fileprivate mutating func extend(by next: Self) {
        counters.add(next.counters)
        statuses.add(next.statuses)
        (backlog, inFlight) = (next.backlog, next.inFlight)
        connectionsOpen = next.connectionsOpen
        response.add(next.response)
        service.add(next.service)
        if let share = stolenShare, let nextShare = next.stolenShare {
            let stolen = share * spanSeconds + nextShare * next.spanSeconds
            let span = spanSeconds + next.spanSeconds
            stolenShare = span > 0 ? stolen / span : 0
        }
        spanSeconds += next.spanSeconds
    }

    /// Of a counter, a second.
    func rate(_ counter: LoadCounter) -> Double {
        spanSeconds > 0 ? Double(self[counter]) / spanSeconds : 0
    }
}

extension [String: UInt64] {
    mutating func add(_ other: Self) { merge(other) { $0 + $1 } }

    /// What each name gained; names that gained nothing are left out.
    func difference(since earlier: Self) -> Self {
        reduce(into: [:]) { out, entry in
            let before = earlier[entry.key] ?? 0
            if entry.value > before { out[entry.key] = entry.value - before }
        }
    }
}
