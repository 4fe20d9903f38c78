/// What a generator thread counts, in the order of its words in shared memory.
///
/// due = sent + dropped + backlog, and sent = answered + `requestFailures` + in flight, at every
/// moment (counters are stored one by one: a reader may be one request off).
enum LoadCounter: Int, CaseIterable, Codable {
    /// Open model: requests whose time has come. Closed model: the same as `sent`.
    case due
    case sent
    /// Whole answers, whatever their status.
    case answered
    /// Due, but never sent: the backlog was full, or the time was up.
    case dropped
    /// Sent more than 1 ms after they were due.
    case late
    /// Due and waiting for a free connection (a level).
    case backlog
    /// Sent and not answered (a level).
    case inFlight
    case connectionsOpened
    /// Open now (a level).
    case connectionsOpen
    case bytesRead
    case bytesWritten
    /// Attempts to connect that failed; no request was on its way.
    case connectFailed
    /// Requests that got no whole answer, by what happened.
    case connectionBroken
    case timedOut
    case answerMalformed
    /// Attempts to connect that failed in TLS.
    case tlsFailed
    /// The errno (positive) of the latest failure of connection or transport, 0 if none (a level).
    case lastErrno
    /// CPU time of the thread.
    case cpuNanoseconds
    /// Nanoseconds since the start of the run at which the thread ended; 0 while it runs (a level).
    case endedAtNanoseconds
    /// `ThreadState` (a level).
    case state
    /// Ledger bytes that could not be written (a full disk): the errno, 0 if all is well (a level).
    case ledgerErrno
    /// Times that a connection was given up because more came on it than was asked for.
    case answersUnasked

    /// What became of requests that were sent and not answered.
    static let requestFailures: [LoadCounter] = [.connectionBroken, .timedOut, .answerMalformed]

    /// What did not come to a whole answer.
    static let failures: [LoadCounter] = [
        .connectFailed, .connectionBroken, .timedOut, .answerMalformed, .tlsFailed,
    ]
}

/// The life of a generator thread, as `LoadCounter.state` tells it.
enum ThreadState: UInt64 {
    case starting, ready, running, done
}
