import Core
import Platform

/// Delivers one lane of a shard to its Firehose stream: reads the spool, makes batches, calls,
/// moves the cursor. Every decision is `DeliveryMachine`'s; this type owns the handles and does as
/// told.
///
/// Lives at one address from `allocate` to `free`. Methods change the state; the static functions
/// in `LaneDelivery+Events` call the owner back when the change is complete.
struct LaneDelivery: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<LaneDelivery>

    /// Which lane of the shard, for the counters that stand for each.
    enum Lane { case good, bad }

    /// Where the rows go, and as whom.
    struct Target {
        var route: ServiceRoute
        var region: String
        var streamName: String
        /// Nil: `use` brings them, and nothing is sent before.
        var credentials: Credentials?
    }

    let loop: Loop
    private let lane: Lane
    let target: Target
    private let tuning: DeliveryTuning
    let counters: CounterPage
    let log: (String) -> Void
    private let timer: Timer
    /// Makes batches: nobody waits for one, and somebody for each answer (docs/decisions/0013).
    private let work: PacedWork
    private let connection: ServiceConnection.Pointer

    var machine: DeliveryMachine
    var builder: BatchBuilder
    private var head: FirehoseCallHead
    private var hasCredentials: Bool
    /// From the next call on: the head of the one in flight stays in place.
    private var newCredentials: Credentials?
    /// Why there are none at all.
    private var lacking: String?
    var deliveryLog: DeliveryLog
    /// What to add to the local clock to have the service's.
    private var clockOffsetSeconds: Int64 = 0
    private var stateShown = DeliveryState.idle

    /// Called, a turn after it became true, when a flush is fulfilled: everything that was in the
    /// spool when it was asked for is delivered.
    var didCatchUp: (() -> Void)?
    /// Firehose refuses the credentials: the owner is to look for others. Called from within the
    /// lane's own work, so nothing of the lane may be called from there.
    var wantsCredentials: (() -> Void)?
    /// Refused rows became rows of the bad lane: its delivery is to know. Called as the one above.
    var didSetAside: ((RowLoad) -> Void)?
    /// What the service says of rows that it refuses, while they are searched for.
    var refusal = ""
    private var owesCatchUp = false
    private var catchUpIsDue = false
    /// A batch is being made, in the slices of `work`.
    private var isSlicing = false
    private var didStop: (() -> Void)?
    private var isStopped = false

    /// Of the last failure, until a call succeeds. At most a few hundred bytes.
    private(set) var lastError: String?
    /// When `state` became what it is, microseconds since 1970.
    private(set) var sinceMicroseconds = realtimeMicroseconds()

    /// - Parameters:
    ///   - undelivered: what the spool holds from before.
    ///   - log: takes a line for the operator; repetitions are held back.
    static func allocate(
        _ lane: Lane, source: DeliverySource, undelivered: RowLoad, target: Target,
        tuning: DeliveryTuning, in loop: Loop, counters: CounterPage,
        log: @escaping (String) -> Void
    ) -> Pointer {
        let it = Pointer.allocate(capacity: 1)
        it.initialize(
            to: LaneDelivery(
                at: it, lane, source: source, target: target, tuning: tuning, in: loop,
                counters: counters, log: log))
        if undelivered.bytes > 0 { it.pointee.appended(undelivered) }
        return it
    }

    private init(
        at address: Pointer, _ lane: Lane, source: DeliverySource, target: Target,
        tuning: DeliveryTuning, in loop: Loop, counters: CounterPage,
        log: @escaping (String) -> Void
    ) {
        self.loop = loop
        self.lane = lane
        self.target = target
        self.tuning = tuning
        self.counters = counters
        self.log = log
        timer = Timer(in: loop, owner: address, fire: Self.timerFired)
        work = PacedWork(in: loop, owner: address, fire: Self.sliceIsDue)
        connection = ServiceConnection.allocate(
            in: loop, route: target.route, limits: tuning.call, owner: address,
            didFinish: Self.callFinished)
        let callBytes = Pace.callBytesMax(tuning.quota)
        var tuning = tuning
        // A full call is enough, or what did not fit would linger once more.
        tuning.lingerBytes = min(tuning.lingerBytes, callBytes)
        machine = DeliveryMachine(tuning: tuning)
        builder = BatchBuilder(
            streamName: target.streamName, source: source,
            recordBytesMax: min(callBytes, Limits.firehoseRecordBytesMax), callBytesMax: callBytes,
            recordRowsMax: tuning.recordRowsMax)
        hasCredentials = target.credentials != nil
        let nobody = Credentials(accessKeyID: "", secretAccessKey: "")
        head = FirehoseCallHead(
            endpoint: target.route.endpoint, region: target.region,
            credentials: target.credentials ?? nobody)
        deliveryLog = DeliveryLog(everyMs: tuning.logEveryMs)
    }

    var state: DeliveryState { lacking == nil ? machine.state : .refused }
    /// Failures since something was taken.
    var failures: Int { machine.failures }
    /// Everything in the spool is delivered.
    var isCaughtUp: Bool { machine.isCaughtUp }

    // MARK: What the worker tells

    /// Rows were appended to the lane. Cheap, once an append.
    mutating func appended(_ load: RowLoad) {
        switch machine.appended(load) {
        case .none: return
        case .startTimer(let ms): timer.start(afterMs: ms)
        case .build: build()
        }
    }

    /// Delivers what is there without linger, and cuts a wait short if it is to. `didCatchUp` follows.
    mutating func flushNow(cutsWaits: Bool = true) {
        switch machine.flushNow(cutsWaits: cutsWaits) {
        case .none: break
        case .build: build()
        case .call: prepareCall()
        case .caughtUp:
            // Told in the next turn, not from within the owner's own call.
            catchUpIsDue = true
            work.start()
        }
        showState()
    }

    /// Begins no call any more, waits for the one in flight, shuts everything. `done` is called
    /// from here or later, once; then `free` may be.
    mutating func stop(deadlineMs: UInt64, done: @escaping () -> Void) {
        precondition(didStop == nil && !isStopped)
        didStop = done
        stopSlicing()
        timer.stop()
        switch machine.stop() {
        case .done: isStopped = true
        case .awaitCall:
            // In flight, or still being prepared for sending again: that one is not begun.
            if connection.pointee.isBusy {
                timer.start(afterMs: min(deadlineMs, tuning.stopWaitMs))
            } else {
                isStopped = true
            }
        }
    }

    /// Other credentials, from now on: a refused lane tries them at once.
    mutating func use(_ credentials: Credentials) {
        (newCredentials, hasCredentials) = (credentials, true)
        if lacking != nil, lastError == lacking { lastError = nil }
        lacking = nil
        if state == .refused { flushNow() }
        showState()
    }

    /// There are none, and why: shown until `use`.
    mutating func lack(_ why: String) {
        lacking = why
        lastError = why
        showState()
    }

    // MARK: Doing

    private mutating func build() {
        timer.stop()
        builder.begin(small: false)
        startSlicing()
    }

    mutating func startSlicing() {
        isSlicing = true
        work.start()
    }

    private mutating func stopSlicing() {
        isSlicing = false
        work.stop()
    }

    /// One slice of making a batch.
    mutating func advance() {
        if catchUpIsDue {
            (catchUpIsDue, owesCatchUp) = (false, true)
            if !isSlicing { work.stop() }
            return
        }
        switch builder.advance(earlyEndBytes: machine.earlyEndBytes) {
        case .more: return
        case .ready(let reachedEnd):
            stopSlicing()
            // After a partial failure the machine knows the batch already.
            _ = machine.built(batch: (builder.load, reachedEnd))
            call()
        case .empty:
            stopSlicing()
            if case .rest(caughtUp: true) = machine.built(batch: nil) { owesCatchUp = true }
        }
        showState()
    }

    /// The batch goes out again, once it is whole.
    private mutating func prepareCall() {
        timer.stop()
        if builder.isOccupied {
            goOnSearching()
        } else if builder.body.isCompacting {
            startSlicing()
        } else {
            call()
        }
    }

    mutating func call() {
        if let credentials = newCredentials {
            newCredentials = nil
            head = FirehoseCallHead(
                endpoint: target.route.endpoint, region: target.region, credentials: credentials)
        }
        guard hasCredentials else { return awaitCredentials() }
        if case .startTimer(let ms) = machine.leave(callWeight, nowMs: loop.nowMs) {
            return timer.start(afterMs: ms)
        }
        let now = Int64(realtimeMicroseconds() / 1_000_000) + clockOffsetSeconds
        head.sign(
            unixSeconds: max(0, now), payloadHash: builder.body.payloadHash,
            bodyByteCount: builder.body.bytes.count)
        connection.pointee.call(head: head.bytes, body: builder.body.bytes)
    }

    private var callWeight: CallWeight {
        CallWeight(bytes: builder.body.rawBytes, records: builder.callRecordCount)
    }

    /// The batch waits as if it had been refused; no call is made.
    private mutating func awaitCredentials() {
        let end = machine.failed(
            .init(fault: .refused), nowMs: loop.nowMs, dice: randomUInt64())
        lastError = lacking ?? "no credentials yet: they are being looked for"
        perform(end)
    }

    mutating func timeHasCome() {
        if didStop != nil {
            isStopped = true
            return
        }
        switch machine.timerFired() {
        case .none: break
        case .build: build()
        case .call: prepareCall()
        }
        showState()
    }

    // MARK: Answers

    mutating func callHasFinished() {
        let recordCount = builder.callRecordCount
        let weight = callWeight
        let reply: FirehoseReply
        var isAnswered = true
        if let trouble = connection.pointee.trouble {
            reply = .failed(FirehoseReply.Failure(fault: trouble.fault, text: trouble.text))
            isAnswered = false
        } else {
            counters.add(to: .firehoseCalls)
            reply = FirehoseReply(connection.pointee.response, recordCount: recordCount)
        }
        var ambiguous = connection.pointee.answersLost
        if isAnswered, connection.pointee.response.status == 200, case .failed = reply {
            ambiguous += 1
        }
        if ambiguous > 0 { counters.add(UInt64(ambiguous), to: .firehoseCallsAmbiguous) }
        // What got no answer may have been taken, and counts.
        settle(reply, isAnswered ? weight : CallWeight(), of: recordCount)
        showState()
    }

    private mutating func settle(
        _ reply: FirehoseReply, _ weight: CallWeight, of recordCount: Int
    ) {
        if builder.isSearching { return partHasFinished(reply, weight, of: recordCount) }
        switch reply {
        case .delivered:
            count(taken: builder.body, except: [])
            builder.settle(failed: [])
            if builder.isOccupied { goOnSearching() } else { delivered() }
        case .partial(let failed, .invalid, let text) where failed.count == recordCount:
            search(text, weight)
        case .partial(let failed, let fault, let text):
            count(taken: builder.body, except: failed)
            let untaken = CallWeight(bytes: bytes(of: failed), records: failed.count)
            builder.settle(failed: failed)
            // What is refused alone among others is soon refused alone.
            let fault = fault == .invalid ? .retry : fault
            failedCall(.init(fault: fault, text: text), untaken, of: recordCount)
        case .failed(let failure) where failure.fault == .invalid:
            search(failure.text, weight)
        case .failed(let failure):
            failedCall(failure, weight, of: recordCount)
        }
    }

    /// The batch is delivered, or what is not of it is in safety.
    mutating func delivered() {
        let failures = machine.failures
        let end = machine.delivered()
        lastError = nil
        if let line = deliveryLog.end(
            "stream \(target.streamName): delivering again (failures before: \(failures))")
        {
            log(line)
        }
        perform(end)
    }

    func bytes(of records: [Int]) -> Int {
        records.reduce(0) { $0 + builder.body.records[$1].rawBytes }
    }

    mutating func failedCall(
        _ failure: FirehoseReply.Failure, _ untaken: CallWeight, of recordCount: Int
    ) {
        counters.add(to: .firehoseCallsFailed)
        failedToDeliver(failure, untaken, of: recordCount)
    }

    mutating func failedToDeliver(
        _ failure: FirehoseReply.Failure, _ untaken: CallWeight, of recordCount: Int
    ) {
        let learned = failure.fault == .clockSkew && learnClock(failure.serverUnixSeconds)
        let tookSome = untaken.records > 0 && untaken.records < recordCount
        let end = machine.failed(
            .init(
                fault: failure.fault, tookSome: tookSome, learnedClock: learned,
                retryAfterMs: failure.retryAfterMs, untaken: untaken),
            nowMs: loop.nowMs, dice: randomUInt64())
        if failure.fault == .refused { wantsCredentials?() }
        tell("\(failure.fault)", "\(failure.text); \(failure.fault.remedy(failure.text))")
        perform(end)
    }

    /// Of a trouble: shown until a batch is delivered, and logged now and then.
    mutating func tell(_ kind: String, _ text: String) {
        let error = "stream \(target.streamName): \(text)"
        lastError = error
        let topic = "\(kind) \(text.prefix(40))"
        if let line = deliveryLog.trouble(topic, error, nowMs: loop.nowMs) { log(line) }
    }

    private mutating func learnClock(_ serverUnixSeconds: Int64?) -> Bool {
        guard let serverUnixSeconds else { return false }
        let offset = serverUnixSeconds - Int64(realtimeMicroseconds() / 1_000_000)
        // A second more or less is the way of the answer.
        guard abs(offset - clockOffsetSeconds) > 1 else { return false }
        clockOffsetSeconds = offset
        return true
    }

    mutating func perform(_ end: DeliveryMachine.CallEnd) {
        if end.caughtUp { owesCatchUp = true }
        switch end.action {
        case .rest: builder.begin(small: true)
        case .startTimer(let ms):
            builder.begin(small: true)
            timer.start(afterMs: ms)
        case .build: build()
        case .callAgain: prepareCall()
        case .callAfter(let ms): timer.start(afterMs: ms)
        case .stopped: isStopped = true
        }
    }

    /// Counts the records of a call that Firehose took, as it bills them.
    func count(taken body: borrowing PutRecordBatchBody, except failed: [Int]) {
        var (records, bytes, billed) = (0, 0, 0)
        var skip = failed[...]
        for (index, record) in body.records.enumerated() {
            if skip.first == index {
                skip = skip.dropFirst()
                continue
            }
            records += 1
            bytes += record.rawBytes
            let step = BatchBuilder.billedStepBytes
            billed += (record.rawBytes + step - 1) / step * step
        }
        counters.add(UInt64(records), to: .firehoseRecords)
        counters.add(UInt64(bytes), to: .firehoseRecordBytes)
        counters.add(UInt64(bytes), to: .firehoseRowBytes)
        counters.add(UInt64(billed), to: .firehoseBilledBytes)
    }

    // MARK: Showing and ending

    private mutating func showState() {
        if state == stateShown { return }
        stateShown = state
        sinceMicroseconds = realtimeMicroseconds()
        counters.set(
            lane == .good ? .goodDeliveryState : .badDeliveryState, to: stateShown.rawValue)
        counters.set(
            lane == .good ? .goodDeliverySinceMicroseconds : .badDeliverySinceMicroseconds,
            to: sinceMicroseconds)
    }

    mutating func takeCatchUp() -> (() -> Void)? {
        defer { owesCatchUp = false }
        return owesCatchUp ? didCatchUp : nil
    }

    /// The stop is complete: everything is shut, and the owner is to be told.
    mutating func takeStopped() -> (() -> Void)? {
        guard isStopped, let done = didStop else { return nil }
        didStop = nil
        timer.close()
        work.close()
        ServiceConnection.shutDown(connection)
        return done
    }
}
