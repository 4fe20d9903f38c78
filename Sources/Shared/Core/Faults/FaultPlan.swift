/// Decides what befalls each call to the local Firehose. Pure: calls and a clock in, verdicts out; the
/// same entries, seed and calls give the same verdicts.
///
/// Entries are looked at in their order. Delays and skews add up; of all others the first that meets
/// a call has it.
public struct FaultPlan: Sendable {
    /// What an entry has done so far.
    public struct Tally: Equatable, Sendable {
        /// Calls (for what happens to connections: connections) that were its to meet.
        public var matched: UInt64 = 0
        public var fired: UInt64 = 0
        /// Records of the calls it met: kept; kept, although the answer does not say so; not kept.
        public var recordsStored: UInt64 = 0
        public var recordsUntold: UInt64 = 0
        public var recordsRefused: UInt64 = 0
    }

    public struct Entry: Sendable {
        public let fault: Fault
        public fileprivate(set) var tally = Tally()
        fileprivate var dice: FaultDice
        fileprivate var quotas: [String: FaultQuota] = [:]
    }

    /// A call that has been read and would be taken.
    public struct Call {
        /// "PutRecordBatch".
        public var operation: String
        public var stream: String
        /// Raw, a number a record.
        public var recordBytes: [Int]

        public init(operation: String, stream: String, recordBytes: [Int] = []) {
            self.operation = operation
            self.stream = stream
            self.recordBytes = recordBytes
        }

        var isPut: Bool { operation == "PutRecordBatch" || operation == "PutRecord" }
    }

    public enum Outcome: Equatable, Sendable {
        case refuse(FaultRefusal)
        /// Records of these indices fail, each with code and message.
        case fail([Int], FaultRefusal)
        case failedPutCount(Int)
        /// So many results more, or fewer.
        case results(Int)
        case notJSON, html
        case largeHeaders(byteCount: Int)
        case largeBody(byteCount: Int)
        case hang, silence, reset
        case drip(bytesPerSecond: Int)
        /// Answered as if the connection were kept, and closed so much later.
        case close(afterMs: UInt64)
        case chunked(pieceBytes: Int)
        case garbage, truncate
    }

    public struct Verdict: Equatable, Sendable {
        public var delayMs: UInt64 = 0
        public var outcome: Outcome?
        /// Whether what the outcome refuses or leaves untold is kept.
        public var stores = true
        fileprivate var entry: Int?

        public init() {}
    }

    private static let streamsMax = 1000

    public let seed: UInt64
    public private(set) var entries: [Entry]
    private let setAtMs: UInt64

    public var isEmpty: Bool { entries.isEmpty }

    public init(_ entries: FaultEntries = FaultEntries(), nowMs: UInt64 = 0) {
        seed = entries.seed
        setAtMs = nowMs
        // Dice of its own, so that an entry's calls are the same whatever stands beside it.
        self.entries = entries.faults.enumerated().map { index, fault in
            Entry(fault: fault, dice: FaultDice(seed: entries.seed &+ UInt64(index) << 32))
        }
    }

    // MARK: Decisions

    /// A client has connected over TLS: what befalls its handshake.
    public mutating func connectionCame(nowMs: UInt64) -> Fault.TLS? {
        for index in entries.indices {
            let fault = entries[index].fault
            guard fault.kind == .tls, fault.tls == .refuse || fault.tls == .silence else {
                continue
            }
            if fires(index, nowMs: nowMs) { return fault.tls }
        }
        return nil
    }

    /// The first of a call's body is there, and the stream's name if it was in it: whether the
    /// connection is reset.
    public mutating func resets(operation: String, stream: String?, nowMs: UInt64) -> Bool {
        for index in entries.indices {
            let fault = entries[index].fault
            guard fault.kind == .reset, fault.at == .request,
                fault.isMeant(operation: operation, stream: stream)
            else { continue }
            if fires(index, nowMs: nowMs) { return true }
        }
        return false
    }

    /// How far the service's clock is off for a call.
    public mutating func skewSeconds(operation: String, stream: String?, nowMs: UInt64) -> Int64 {
        var seconds: Int64 = 0
        for index in entries.indices {
            let fault = entries[index].fault
            guard fault.kind == .skew, fault.isMeant(operation: operation, stream: stream) else {
                continue
            }
            if fires(index, nowMs: nowMs) { seconds += fault.offsetSeconds }
        }
        return seconds
    }

    /// What befalls a call. `holds` tells whether its rows hold a text.
    public mutating func judge(
        _ call: Call, nowMs: UInt64, holds: (String) -> Bool
    ) -> Verdict {
        var verdict = Verdict()
        for index in entries.indices {
            let fault = entries[index].fault
            guard fault.isJudged, fault.isMeant(operation: call.operation, stream: call.stream)
            else { continue }
            if fault.kind == .delay {
                if fires(index, nowMs: nowMs) { verdict.delayMs += delay(index) }
                continue
            }
            guard verdict.outcome == nil else { continue }
            if fault.kind == .poison && !holds(fault.text) { continue }
            guard let outcome = outcome(index, call, nowMs: nowMs) else { continue }
            verdict.outcome = outcome
            verdict.stores = fault.storesRecords
            verdict.entry = index
        }
        return verdict
    }

    /// What became of the records of a call with this verdict.
    public mutating func note(_ verdict: Verdict, stored: Int, untold: Int, refused: Int) {
        guard let entry = verdict.entry else { return }
        entries[entry].tally.recordsStored += UInt64(stored)
        entries[entry].tally.recordsUntold += UInt64(untold)
        entries[entry].tally.recordsRefused += UInt64(refused)
    }

    // MARK: Which calls

    /// Counts a call that an entry is meant for, and tells whether it has its turn.
    private mutating func fires(_ index: Int, nowMs: UInt64) -> Bool {
        let fault = entries[index].fault
        guard fault.isOn(sinceMs: nowMs - min(setAtMs, nowMs)) else { return false }
        entries[index].tally.matched += 1
        let matched = entries[index].tally.matched
        if matched <= UInt64(fault.after) { return false }
        if (matched - UInt64(fault.after) - 1) % UInt64(fault.every) != 0 { return false }
        if fault.count > 0 && entries[index].tally.fired >= UInt64(fault.count) { return false }
        if fault.probability < 1 && entries[index].dice.share() >= fault.probability {
            return false
        }
        entries[index].tally.fired += 1
        return true
    }

    // MARK: What

    private mutating func outcome(_ index: Int, _ call: Call, nowMs: UInt64) -> Outcome? {
        let fault = entries[index].fault
        if fault.kind == .quota { return quotaOutcome(index, call, nowMs: nowMs) }
        guard fires(index, nowMs: nowMs) else { return nil }
        switch fault.kind {
        case .partial:
            let failed = failedIndices(index, of: call.recordBytes.count)
            if !failed.isEmpty { return .fail(failed, fault.refusal) }
            // The dice, or a list of indices, spared every record of this one.
            entries[index].tally.fired -= 1
            return nil
        case .wrongCount: return .failedPutCount(fault.failedPutCount)
        case .results: return .results(fault.difference)
        case .notJSON: return .notJSON
        case .html: return .html
        case .largeHeaders: return .largeHeaders(byteCount: fault.size)
        case .largeBody: return .largeBody(byteCount: fault.size)
        case .hang: return .hang
        case .silence: return .silence
        case .reset: return .reset
        case .drip: return .drip(bytesPerSecond: max(1, fault.bytesPerSecond))
        case .close: return .close(afterMs: fault.delayMs)
        case .chunked: return .chunked(pieceBytes: fault.size)
        case .tls: return fault.tls == .garbage ? .garbage : .truncate
        default: return .refuse(fault.refusal)
        }
    }

    private mutating func failedIndices(_ index: Int, of count: Int) -> [Int] {
        let fault = entries[index].fault
        if !fault.entries.isEmpty { return (0..<count).filter(fault.entries.contains) }
        switch fault.which {
        case .first: return count > 0 ? [0] : []
        case .last: return count > 0 ? [count - 1] : []
        case .all: return Array(0..<count)
        case .random:
            return (0..<count).filter { _ in entries[index].dice.share() < fault.share }
        }
    }

    private mutating func quotaOutcome(_ index: Int, _ call: Call, nowMs: UInt64) -> Outcome? {
        let fault = entries[index].fault
        guard fault.isOn(sinceMs: nowMs - min(setAtMs, nowMs)) else { return nil }
        entries[index].tally.matched += 1
        if entries[index].quotas.count >= Self.streamsMax { entries[index].quotas = [:] }
        var quota = entries[index].quotas[call.stream] ?? FaultQuota(fault, nowMs: nowMs)
        let refused = quota.take(call.recordBytes, nowMs: nowMs)
        entries[index].quotas[call.stream] = quota
        if refused == [] { return nil }
        entries[index].tally.fired += 1
        guard let refused else {
            var throttle = fault
            throttle.kind = .throttle
            return .refuse(throttle.refusal)
        }
        // A single record has no results to fail in.
        return call.operation == "PutRecordBatch"
            ? .fail(refused, fault.refusal) : .refuse(fault.refusal)
    }

    /// Milliseconds.
    private mutating func delay(_ index: Int) -> UInt64 {
        let fault = entries[index].fault
        if fault.p50Ms > 0 {
            return UInt64(
                entries[index].dice.lognormal(p50: Double(fault.p50Ms), p99: Double(fault.p99Ms)))
        }
        guard fault.delayMaxMs > fault.delayMs else { return fault.delayMs }
        let spread = Double(fault.delayMaxMs - fault.delayMs)
        return fault.delayMs + UInt64(entries[index].dice.share() * spread)
    }
}

extension Fault {
    /// Whether it is for `judge`, which sees whole calls.
    fileprivate var isJudged: Bool {
        switch kind {
        case .skew: false
        case .reset: at == .response
        case .tls: tls == .garbage || tls == .truncate
        default: true
        }
    }

    /// What only makes sense of a batch's results meets no other call; nor does a limit on records
    /// meet a call without any.
    private var operations: Calls {
        switch kind {
        case .partial, .wrongCount, .results: .putRecordBatch
        case .poison, .quota: .put
        default: .any
        }
    }

    fileprivate func isMeant(operation: String, stream: String?) -> Bool {
        calls.contains(operation) && operations.contains(operation)
            && (streams == "*" || stream.map { streamMatches(streams, $0) } ?? false)
    }

    /// Within its time, by the milliseconds since the plan was set.
    fileprivate func isOn(sinceMs: UInt64) -> Bool {
        guard sinceMs >= startMs else { return false }
        let since = sinceMs - startMs
        if forMs > 0 && since >= forMs { return false }
        return onMs == 0 || since % (onMs + offMs) < onMs
    }
}

extension Fault.Calls {
    fileprivate func contains(_ operation: String) -> Bool {
        switch self {
        case .any: true
        case .put: operation == "PutRecordBatch" || operation == "PutRecord"
        default: rawValue == operation
        }
    }
}

/// Whether a pattern, in which "*" stands for any text, covers a name. Linear: only the last "*" is
/// ever taken up again.
func streamMatches(_ pattern: String, _ name: String) -> Bool {
    let pattern = Array(pattern.utf8)
    let name = Array(name.utf8)
    var (at, star, resume) = (0, -1, 0)
    var position = 0
    while position < name.count {
        if at < pattern.count && pattern[at] == UInt8(ascii: "*") {
            (star, resume) = (at, position)
            at += 1
        } else if at < pattern.count && pattern[at] == name[position] {
            at += 1
            position += 1
        } else if star >= 0 {
            resume += 1
            (at, position) = (star + 1, resume)
        } else {
            return false
        }
    }
    while at < pattern.count && pattern[at] == UInt8(ascii: "*") { at += 1 }
    return at == pattern.count
}
