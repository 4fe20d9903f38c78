import Glibc

extension LoadCounter {
    /// A state at a moment, not a sum over the run.
    var isLevel: Bool {
        switch self {
        case .backlog, .inFlight, .connectionsOpen, .lastErrno, .endedAtNanoseconds, .state,
            .ledgerErrno:
            true
        default: false
        }
    }
}

extension LoadBoard.Section {
    /// What the thread recorded until now.
    func cells(_ latency: LoadBoard.Latency) -> LatencyCells {
        var out = LatencyCells()
        for cell in 0..<LatencyScale.cellCount {
            let count = count(latency, cell: cell)
            if count > 0 {
                out.cells.append(cell)
                out.counts.append(count)
            }
        }
        return out
    }
}

/// Sums over all threads, of this moment.
extension LoadBoard {
    private var sections: [Section] { (0..<threads).map(section) }

    func total(_ counter: LoadCounter) -> UInt64 {
        sections.reduce(0) { $0 + $1.value(counter) }
    }

    func cells(_ latency: Latency) -> LatencyCells {
        var sums = [UInt64](repeating: 0, count: LatencyScale.cellCount)
        for section in sections {
            for cell in sums.indices { sums[cell] += section.count(latency, cell: cell) }
        }
        return LatencyCells(dense: sums)
    }

    /// By name; levels and zeros are left out.
    var counters: [String: UInt64] {
        var out: [String: UInt64] = [:]
        for counter in LoadCounter.allCases where !counter.isLevel {
            let sum = total(counter)
            if sum > 0 { out["\(counter)"] = sum }
        }
        return out
    }

    /// By status code; those that never came are left out.
    var statuses: [String: UInt64] {
        var out: [String: UInt64] = [:]
        for status in 0..<Self.statusCodes {
            let sum = sections.reduce(0) { $0 + $1.answers(status: status) }
            if sum > 0 { out[String(status)] = sum }
        }
        return out
    }

    /// CPU time of each thread over the time it has run, which is `elapsedSeconds` unless it ended.
    func threadLoads(elapsedSeconds: Double) -> [Double] {
        sections.map { section in
            let ended = section.value(.endedAtNanoseconds)
            let seconds = ended > 0 ? Double(ended) / 1e9 : elapsedSeconds
            return seconds > 0 ? Double(section.value(.cpuNanoseconds)) / 1e9 / seconds : 0
        }
    }

    /// The system's words for the failure that a thread saw last; nil when none saw any.
    var lastFailure: String? {
        let errno = sections.map { $0.value(.lastErrno) }.last { $0 > 0 }
        return errno.map { String(cString: strerror(Int32(truncatingIfNeeded: $0))) }
    }
}

extension RunResult.Totals {
    /// All that the threads have counted until now.
    init(_ board: LoadBoard) {
        self.init(
            counters: board.counters, statuses: board.statuses, lastFailure: board.lastFailure)
    }
}
