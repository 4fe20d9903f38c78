import Core
import Platform

/// The fault plan in force, and what it did, counted.
final class FaultDesk {
    private(set) var plan = FaultPlan()
    private(set) var setAtMs: UInt64 = 0
    private let counters: CounterPage
    /// Told when a plan comes or goes.
    var didChange: () -> Void = {}

    init(counters: CounterPage) { self.counters = counters }

    var isEmpty: Bool { plan.isEmpty }

    func set(_ entries: FaultEntries, nowMs: UInt64) {
        plan = FaultPlan(entries, nowMs: nowMs)
        setAtMs = nowMs
        didChange()
    }

    // MARK: Decisions

    /// How far this service's clock is off for a call.
    func skewSeconds(_ request: HTTPRequest, nowMs: UInt64) -> Int64 {
        if plan.isEmpty { return 0 }
        let seconds = plan.skewSeconds(
            operation: operation(request.head), stream: streamName(in: request.body), nowMs: nowMs)
        if seconds != 0 { counters.add(to: .localFaults) }
        return seconds
    }

    /// What befalls a call that has been read; nil without a plan.
    func judge(
        _ call: FaultPlan.Call, nowMs: UInt64, holds: (String) -> Bool
    ) -> FaultPlan.Verdict? {
        if plan.isEmpty { return nil }
        let verdict = plan.judge(call, nowMs: nowMs, holds: holds)
        if verdict != FaultPlan.Verdict() { counters.add(to: .localFaults) }
        return verdict
    }

    func note(_ verdict: FaultPlan.Verdict, _ fate: RecordFate) {
        plan.note(
            verdict, stored: fate.stored - fate.untold, untold: fate.untold, refused: fate.refused)
        counters.add(UInt64(fate.refused), to: .localRecordsRefused)
        counters.add(UInt64(fate.untold), to: .localRecordsUntold)
    }

    /// For connections, while there is a plan.
    func connectionFaults(_ loop: Loop) -> ConnectionFaults? {
        if plan.isEmpty { return nil }
        return ConnectionFaults(
            handshake: { [unowned self] in
                let fault = plan.connectionCame(nowMs: loop.nowMs)
                if fault != nil { counters.add(to: .localFaults) }
                return fault
            },
            resets: { [unowned self] head, first in
                let resets = plan.resets(
                    operation: operation(head), stream: streamName(in: first), nowMs: loop.nowMs)
                if resets { counters.add(to: .localFaults) }
                return resets
            })
    }
}

/// "PutRecordBatch" of "Firehose_20150804.PutRecordBatch".
private func operation(_ head: APIRequestHead) -> String {
    let target = head.header("x-amz-target") ?? ""
    return target.lastIndex(of: ".").map { String(target[target.index(after: $0)...]) } ?? ""
}

/// What becomes of a call's records.
struct RecordFate: Equatable {
    /// Indices that the answer calls failed, and in which words.
    var failed: Set<Int> = []
    var refusal: FaultRefusal?
    /// Indices that are not kept.
    var dropped: Set<Int> = []
    var stored: Int
    /// Of those stored: the answer does not say so, or cannot be believed.
    var untold = 0
    var refused: Int { dropped.count }

    init(_ verdict: FaultPlan.Verdict?, recordCount: Int) {
        stored = recordCount
        guard let verdict, let outcome = verdict.outcome else { return }
        switch outcome {
        case .fail(let indices, let refusal):
            failed = Set(indices)
            self.refusal = refusal
            if verdict.stores { untold = failed.count } else { dropped = failed }
        case .close, .chunked, .drip, .largeHeaders: break
        case .refuse, .failedPutCount, .results, .notJSON, .html, .largeBody, .hang, .silence,
            .reset, .garbage, .truncate:
            if verdict.stores { untold = recordCount } else { dropped = Set(0..<recordCount) }
        }
        stored = recordCount - dropped.count
    }
}

extension HTTPAnswer {
    /// The answer as the verdict has it.
    mutating func take(_ verdict: FaultPlan.Verdict?) {
        guard let verdict else { return }
        manner.delayMs = verdict.delayMs
        switch verdict.outcome {
        case nil, .refuse, .fail, .failedPutCount, .results: break
        case .notJSON: body = Array("{\"FailedPutCount\":0,\"RequestResponses\":[{\"Rec".utf8)
        case .html:
            contentType = "text/html"
            body = Array("<html><body><h1>It works!</h1></body></html>\n".utf8)
        case .largeHeaders(let byteCount):
            // In lines that servers commonly take each.
            for start in stride(from: 0, to: byteCount, by: 4096) {
                let length = min(4096, byteCount - start)
                fields.append(
                    Field(name: "X-Filler", value: String(repeating: "x", count: length)))
            }
        case .largeBody(let byteCount):
            // Still the same JSON: blanks may follow it.
            body += [UInt8](repeating: 0x20, count: max(0, byteCount - body.count))
        case .hang: manner.way = .never
        case .silence: manner.way = .headOnly
        case .reset: manner.way = .reset
        case .drip(let bytesPerSecond): manner.way = .drip(bytesPerSecond: bytesPerSecond)
        case .close(let afterMs): manner.way = .closeAfter(milliseconds: afterMs)
        case .chunked(let pieceBytes): manner.way = .chunked(pieceBytes: pieceBytes)
        case .garbage: manner.way = .garbage
        case .truncate: manner.way = .truncate
        }
    }
}
