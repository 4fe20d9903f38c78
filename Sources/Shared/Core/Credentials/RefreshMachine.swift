/// Decides when credentials are looked for again. One search at a time; the owner searches when told
/// to, says what came of it, and sets a timer to `wakeAtMs` after every event.
///
///     found ──── 15 min before their end, or half of a short life ──→ search
///     failed ─── back-off from 5 s to 5 min, for as long as it takes → search
///     wanted ─── Firehose refused them: at once, then ever more rarely → search
///
/// What is held is never taken away: whether credentials are still good is the service's to say.
///
/// Times are milliseconds of any monotonic clock, chance comes from the caller: a test replays it.
public struct RefreshMachine {
    public struct Tuning: Sendable {
        /// Renewed this long before their end.
        public var advisoryMs: UInt64 = 15 * 60_000
        /// From here on a failure is told as a warning.
        public var mandatoryMs: UInt64 = 10 * 60_000
        /// Workers spread their searches over this much of the time before that.
        public var spreadMs: UInt64 = 4 * 60_000
        /// Between two searches, at least; doubled with each that did not help.
        public var retryMs: UInt64 = 5000
        public var retryCapMs: UInt64 = 5 * 60_000
        /// Instance metadata whose end has passed is looked at again after a span of this range.
        public var staleMs: ClosedRange<UInt64> = 2 * 60_000...10 * 60_000
        /// When nobody has complained for so long, the next complaint is acted on at once again.
        public var calmMs: UInt64 = 15 * 60_000

        public init() {}
    }

    public enum Action: Equatable, Sendable { case none, search }

    /// What to do with what was found.
    public enum Verdict: Equatable, Sendable {
        /// Good, and not what was held before.
        case use
        /// Good, and the same as before.
        case same
        /// Their end has passed, and yet they are the best there is: instance metadata keeps
        /// handing out what it has while it cannot renew it, and AWS goes on honouring that.
        case useStale
        /// Their end has passed: not used.
        case expired
    }

    private let tuning: Tuning
    private var isSearching = false
    private var held: Credentials?
    private var endsAtMs: UInt64?
    private var searchEndedAtMs: UInt64?
    /// Searches without a result, one after the other.
    private var failures = 0
    /// Searches because of a complaint, one soon after the other.
    private var complaints = 0
    private var complainedAtMs: UInt64?
    /// When to call `timerFired`; nil: not before something else happens.
    public private(set) var wakeAtMs: UInt64?

    public init(tuning: Tuning = Tuning()) { self.tuning = tuning }

    public var isAwaitingResult: Bool { isSearching }

    /// Whether what is held is so near its end, or there is so little, that a failure matters.
    public func isPressing(nowMs: UInt64) -> Bool {
        if held == nil { return true }
        guard let endsAtMs else { return complaints > 0 }
        return complaints > 0 || nowMs + tuning.mandatoryMs >= endsAtMs
    }

    // MARK: Reasons to search

    public mutating func start() -> Action { search() }

    public mutating func timerFired(nowMs: UInt64) -> Action {
        guard let wakeAtMs, nowMs >= wakeAtMs else { return .none }
        return search()
    }

    /// The service refused what is held.
    public mutating func wanted(nowMs: UInt64) -> Action {
        if isSearching { return .none }
        if let complainedAtMs, nowMs >= complainedAtMs + tuning.calmMs { complaints = 0 }
        complainedAtMs = nowMs
        let earliestMs = searchEndedAtMs.map { $0 + backoff(complaints) } ?? 0
        if nowMs >= earliestMs {
            complaints += 1
            return search()
        }
        if wakeAtMs.map({ $0 > earliestMs }) ?? true {
            wakeAtMs = earliestMs
            complaints += 1
        }
        return .none
    }

    private mutating func search() -> Action {
        if isSearching { return .none }
        isSearching = true
        wakeAtMs = nil
        return .search
    }

    private func backoff(_ count: Int) -> UInt64 {
        min(tuning.retryCapMs, tuning.retryMs << UInt64(min(count, 20)))
    }

    // MARK: Results

    /// - Parameters:
    ///   - msLeft: until their end; negative when that has passed; nil: they have none.
    ///   - dice: any 64 bits.
    public mutating func found(
        _ credentials: Credentials, msLeft: Int64?, isInstanceMetadata: Bool, nowMs: UInt64,
        dice: UInt64
    ) -> Verdict {
        precondition(isSearching)
        if let msLeft, msLeft <= 0 {
            guard isInstanceMetadata else {
                failed(nowMs: nowMs, dice: dice)
                return .expired
            }
            end(nowMs)
            (held, endsAtMs) = (credentials, nowMs)
            let range = tuning.staleMs
            wakeAtMs = nowMs + range.lowerBound + dice % (range.upperBound - range.lowerBound + 1)
            return .useStale
        }
        end(nowMs)
        let isSame = credentials == held
        held = credentials
        endsAtMs = msLeft.map { nowMs + UInt64($0) }
        wakeAtMs = msLeft.map { nowMs + wait(UInt64($0), dice) }
        return isSame ? .same : .use
    }

    /// Nobody had any.
    public mutating func failed(nowMs: UInt64, dice: UInt64) {
        precondition(isSearching)
        let ceiling = backoff(failures)
        let failures = failures + 1
        end(nowMs)
        self.failures = failures
        // The lower half is left out: a tight loop must not come about by chance.
        wakeAtMs = nowMs + ceiling / 2 + dice % (ceiling / 2 + 1)
    }

    private mutating func end(_ nowMs: UInt64) {
        isSearching = false
        failures = 0
        searchEndedAtMs = nowMs
    }

    /// Until credentials with so much life left are renewed.
    private func wait(_ msLeft: UInt64, _ dice: UInt64) -> UInt64 {
        if msLeft >= 2 * tuning.advisoryMs {
            return msLeft - tuning.advisoryMs + dice % (tuning.spreadMs + 1)
        }
        // Short ones, and those whose giver has not renewed them yet.
        return max(tuning.retryMs, msLeft / 2 + dice % (msLeft / 8 + 1))
    }
}
