import Core

/// Makes the requests of a plan. The bytes of request `sequence` follow from plan, seed and sequence
/// alone, whichever thread sends it, so any of them can be made again.
struct RequestMaker: ~Copyable {
    /// No request is longer, and no more is ever written.
    static let bytesMax = 64 << 10
    static let userAgent = "hydrant-load/1"

    /// What the sender must know of a request besides its bytes.
    struct Request: Equatable {
        var byteCount: Int
        /// The answer has no body, whatever its Content-Length says (HEAD).
        var answerHasNoBody: Bool
    }

    private let store: ByteStore
    /// One of the three.
    private let plain: UnsafeMutablePointer<PlainTraffic>?
    private let scenario: UnsafeMutablePointer<ScenarioTraffic>?
    private let replay: UnsafeMutablePointer<ReplayTraffic>?
    private let lengths: ConnectionLengths
    /// What `replay` points into.
    private let log: ReplayLog?

    /// - Parameter log: The log of `plan.replay`, if it is read already: threads may share it.
    ///   Without it the file is read here.
    init(_ plan: LoadPlan, log: ReplayLog? = nil) throws(TrafficFlaw) {
        // All that throws comes before anything that has to be freed by hand.
        var store = ByteStore()
        lengths = ConnectionLengths(plan)
        if let replay = plan.replay {
            let log = if let log { log } else { try ReplayLog(path: replay.file) }
            let traffic = try ReplayTraffic(log, plan, in: &store)
            self.replay = .allocate(capacity: 1)
            self.replay?.initialize(to: traffic)
            self.log = log
            (plain, scenario) = (nil, nil)
        } else if let scenario = plan.scenario {
            let traffic = try ScenarioTraffic(scenario, plan, in: &store)
            self.scenario = .allocate(capacity: 1)
            self.scenario?.initialize(to: traffic)
            self.log = nil
            (plain, replay) = (nil, nil)
        } else {
            let traffic = try PlainTraffic(plan, in: &store)
            self.plain = .allocate(capacity: 1)
            self.plain?.initialize(to: traffic)
            self.log = nil
            (scenario, replay) = (nil, nil)
        }
        self.store = store
    }

    deinit {
        plain?.deinitialize(count: 1)
        plain?.deallocate()
        scenario?.deinitialize(count: 1)
        scenario?.deallocate()
        replay?.deinitialize(count: 1)
        replay?.deallocate()
    }

    /// Writes the request at `out`, where `bytesMax` bytes are free. What lies behind the request
    /// afterwards is rubbish.
    @inline(__always)
    func write(_ sequence: UInt64, to out: UnsafeMutablePointer<UInt8>) -> Request {
        if let scenario { return UnsafePointer(scenario).write(sequence, to: out) }
        if let plain { return plain.pointee.write(sequence, to: out) }
        return replay!.pointee.write(sequence, to: out)
    }

    /// After how many requests connection `ordinal` (0, 1, 2 … of its thread) closes; nil: never.
    func requestsOfConnection(_ ordinal: UInt64, thread: Int) -> Int? {
        lengths.requests(ordinal, thread: thread)
    }

    /// A request that may be too long is refused before the first is sent.
    static func checkSize(_ bytes: Int, of what: String, hint: String) throws(TrafficFlaw) {
        guard bytes + RequestWriter.slackBytes <= bytesMax else {
            throw TrafficFlaw(
                "\(what) may take \(bytes) bytes; at most"
                    + " \(bytesMax - RequestWriter.slackBytes) are sent", hint: hint)
        }
    }
}
