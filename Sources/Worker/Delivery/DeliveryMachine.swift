import Core

/// How a lane's delivery stands, as operators see it. The raw value is the counter's.
enum DeliveryState: UInt64 {
    case idle = 0
    case sending = 1
    /// Firehose cannot be reached, is busy, or failed: tried again by itself.
    case backingOff = 2
    /// Firehose does not let us, or does not take the rows: somebody must act. Still tried, slowly.
    case refused = 3
}

/// Decides when a lane's rows are batched, called, and called again. One call at a time; no limit
/// to the tries, nothing is ever given up.
///
///     idle ─rows→ lingering ─enough, or long enough→ building ─batch→ calling ─taken→ idle …
///                                                                └─not taken→ waiting → calling
///
/// A call that the stream's quota does not allow yet waits as well (`leave`).
///
/// Times are milliseconds of any monotonic clock, chance comes from the caller: a test replays it.
struct DeliveryMachine {
    private enum Phase: Equatable { case idle, lingering, building, calling, waiting, stopped }

    /// A wish to deliver everything at once, and how far it came.
    private enum Flush { case none, wanted, riding }

    private let tuning: DeliveryTuning
    private var phase = Phase.idle
    private var flush = Flush.none
    /// What the spool has that no batch holds. Near enough: only "none" and "enough" matter.
    private var pending = RowLoad()
    /// Failures since something was taken.
    private(set) var failures = 0
    /// What troubles the lane, until a call succeeds.
    private var trouble: DeliveryState?
    /// The clock was corrected, and no call has succeeded since.
    private var correctedClock = false
    /// Nil: the stream has no quota.
    private var pace: Pace?

    init(tuning: DeliveryTuning) {
        self.tuning = tuning
        pace = tuning.quota.map(Pace.init)
    }

    var state: DeliveryState {
        if let trouble { return trouble }
        // Without trouble, a wait is for the pace.
        return phase == .building || phase == .calling || phase == .waiting ? .sending : .idle
    }

    /// Nothing waits and nothing is under way.
    var isCaughtUp: Bool { pending.bytes == 0 && phase == .idle }

    // MARK: Rows

    enum ArrivalAction: Equatable { case none, startTimer(afterMs: UInt64), build }

    /// Rows were appended to the spool. A few compares: this runs once a frame.
    mutating func appended(_ load: RowLoad) -> ArrivalAction {
        pending = pending + load
        switch phase {
        case .lingering:
            if !hasEnough { return .none }
            phase = .building
            return .build
        case .idle:
            return rest()
        case .building, .calling, .waiting, .stopped:
            return .none
        }
    }

    /// No need to linger.
    private var hasEnough: Bool {
        pending.bytes >= tuning.lingerBytes || pending.rows >= tuning.lingerRows
    }

    /// What to do when nothing is under way.
    private mutating func rest() -> ArrivalAction {
        if pending.bytes == 0 {
            phase = .idle
            return .none
        }
        if hasEnough || flush == .wanted {
            phase = .building
            return .build
        }
        phase = .lingering
        return .startTimer(afterMs: tuning.lingerMs)
    }

    // MARK: Wishes

    enum FlushAction: Equatable { case none, build, call, caughtUp }

    /// Everything present is wanted out, without linger. `cutsWaits`: a wait ends, the one after a
    /// failure too.
    mutating func flushNow(cutsWaits: Bool = true) -> FlushAction {
        switch phase {
        case .stopped: return .none
        case .idle:
            return .caughtUp
        case .lingering:
            flush = .wanted
            phase = .building
            return .build
        case .building, .calling:
            flush = .wanted
            return .none
        case .waiting:
            flush = .wanted
            if !cutsWaits { return .none }
            phase = .calling
            return .call
        }
    }

    enum StopAction: Equatable { case done, awaitCall }

    /// No call begins any more.
    mutating func stop() -> StopAction {
        let action: StopAction = phase == .calling ? .awaitCall : .done
        phase = .stopped
        return action
    }

    // MARK: Time

    enum TimerAction: Equatable { case none, build, call }

    mutating func timerFired() -> TimerAction {
        switch phase {
        case .lingering:
            phase = .building
            return .build
        case .waiting:
            phase = .calling
            return .call
        case .idle, .building, .calling, .stopped:
            return .none
        }
    }

    // MARK: Batches

    /// From how many raw bytes on the batch being built may end though the spool has more; nil: not
    /// before the spool does. What may stay behind is a fraction of a full batch and the newest of
    /// it, so it waits little longer than it has to.
    var earlyEndBytes: Int? {
        guard flush == .none, pending.bytes >= tuning.lingerBytes else { return nil }
        return pending.bytes - tuning.lingerBytes / 8
    }

    enum BuiltAction: Equatable {
        case call
        /// There were no rows after all. `caughtUp`: a flush is thereby fulfilled.
        case rest(caughtUp: Bool)
        case none
    }

    /// A batch is ready (`reachedEnd`: it holds all rows there are), or there was nothing (nil).
    mutating func built(batch: (load: RowLoad, reachedEnd: Bool)?) -> BuiltAction {
        guard phase == .building else { return .none }
        guard let batch else {
            pending = RowLoad()
            phase = .idle
            defer { flush = .none }
            return .rest(caughtUp: flush != .none)
        }
        pending =
            batch.reachedEnd
            ? RowLoad()
            : RowLoad(
                bytes: max(pending.bytes - batch.load.bytes, 1),
                rows: max(pending.rows - batch.load.rows, 0))
        if batch.reachedEnd, flush == .wanted { flush = .riding }
        phase = .calling
        return .call
    }

    // MARK: Calls

    enum LeaveAction: Equatable { case call, startTimer(afterMs: UInt64) }

    /// A call of that weight is ready. Asked before each try.
    mutating func leave(_ weight: CallWeight, nowMs: UInt64) -> LeaveAction {
        let waitMs = pace?.take(weight, nowMs: nowMs) ?? 0
        if waitMs == 0 || phase != .calling { return .call }
        phase = .waiting
        return .startTimer(afterMs: waitMs)
    }

    enum CallAction: Equatable {
        case rest, startTimer(afterMs: UInt64), build
        /// The same records again, signed anew with the corrected clock.
        case callAgain
        /// The same records again, after a wait.
        case callAfter(ms: UInt64)
        case stopped
    }

    struct CallEnd: Equatable {
        var action: CallAction
        /// A flush is fulfilled.
        var caughtUp = false
    }

    /// All records of the call were taken.
    mutating func delivered() -> CallEnd {
        failures = 0
        trouble = nil
        correctedClock = false
        guard phase == .calling else { return CallEnd(action: .stopped) }
        let caughtUp = flush == .riding || (flush == .wanted && pending.bytes == 0)
        if caughtUp { flush = .none }
        let action: CallAction =
            switch rest() {
            case .none: .rest
            case .startTimer(let ms): .startTimer(afterMs: ms)
            case .build: .build
            }
        return CallEnd(action: action, caughtUp: caughtUp)
    }

    /// The call is taken apart, since the service refuses it for its rows; the next part goes at
    /// once. `took`: of the last part something was taken; `untaken`: and that was not.
    mutating func goesOn(took: Bool, untaken: CallWeight = CallWeight()) -> CallEnd {
        pace?.giveBack(untaken)
        guard phase == .calling else { return CallEnd(action: .stopped) }
        if took {
            failures = 0
            trouble = nil
            correctedClock = false
        }
        return CallEnd(action: .callAgain)
    }

    /// About as long as a sync takes.
    private static let syncWaitMs: UInt64 = 10

    /// Rows that the service refuses are on their way into safety: no trouble, only a wait.
    mutating func waitsForSync() -> CallEnd {
        guard phase == .calling else { return CallEnd(action: .stopped) }
        phase = .waiting
        return CallEnd(action: .callAfter(ms: Self.syncWaitMs))
    }

    struct CallFailure: Equatable {
        var fault: FirehoseFault
        /// Some records were taken.
        var tookSome = false
        /// The answer told the service's time, and it differs from ours.
        var learnedClock = false
        var retryAfterMs: UInt64?
        /// What the service said it did not take.
        var untaken = CallWeight()
    }

    /// Some records were taken, or none. `dice`: any 64 bits.
    mutating func failed(_ failure: CallFailure, nowMs: UInt64, dice: UInt64) -> CallEnd {
        pace?.giveBack(failure.untaken)
        if failure.fault == .throttled { pace?.throttled(nowMs: nowMs) }
        guard phase == .calling else { return CallEnd(action: .stopped) }
        if failure.fault == .clockSkew, failure.learnedClock, !correctedClock {
            correctedClock = true
            return CallEnd(action: .callAgain)
        }
        failures = failure.tookSome ? 1 : failures + 1
        trouble = Self.trouble(of: failure.fault)
        phase = .waiting
        return CallEnd(action: .callAfter(ms: wait(failure.fault, failure.retryAfterMs, dice)))
    }

    private static func trouble(of fault: FirehoseFault) -> DeliveryState {
        switch fault {
        case .retry, .throttled: .backingOff
        case .clockSkew, .refused, .invalid, .notFirehose, .untrusted: .refused
        }
    }

    private func wait(_ fault: FirehoseFault, _ retryAfterMs: UInt64?, _ dice: UInt64) -> UInt64 {
        let (base, cap): (UInt64, UInt64) =
            switch fault {
            case .retry: (tuning.backoffBaseMs, tuning.backoffCapMs)
            case .throttled: (tuning.throttleBaseMs, tuning.backoffCapMs)
            case .clockSkew, .refused, .invalid, .notFirehose, .untrusted:
                (tuning.probeBaseMs, tuning.probeCapMs)
            }
        let ceiling = min(cap, base << UInt64(min(failures - 1, 20)))
        let isProbe = Self.trouble(of: fault) == .refused
        let floor = isProbe ? ceiling / 2 : min(tuning.backoffFloorMs, ceiling)
        let drawn = floor + dice % (ceiling - floor + 1)
        // The service's wish counts, but a strange one must not stall the lane.
        return max(drawn, min(retryAfterMs ?? 0, drawn + 5000))
    }
}
