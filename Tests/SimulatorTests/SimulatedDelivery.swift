import Core
import Platform

@testable import Worker

/// One lane's delivery: the worker's own machine, batches and ledger, joined to simulated time and a
/// simulated service as `LaneDelivery` joins them to real ones.
final class SimulatedDelivery {
    private let agenda: Agenda
    private let firehose: SimulatedFirehose
    private let isGood: Bool
    private let lane: UnsafeMutablePointer<SpoolLane>
    private let isAlive: () -> Bool
    private var machine: DeliveryMachine
    private var builder: BatchBuilder
    private var timer = 0
    private var isSlicing = false
    private var random: () -> UInt64
    var didSetAside: ((RowLoad) -> Void)?
    /// Rows of the batch in the making that the service has taken: at a death they may come again.
    private(set) var taken: [UInt64] = []
    /// Rows that were taken without an answer: they will come again.
    private(set) var ambiguous: [UInt64] = []

    init(
        _ agenda: Agenda, _ firehose: SimulatedFirehose, isGood: Bool, source: DeliverySource,
        lane: UnsafeMutablePointer<SpoolLane>, random: @escaping () -> UInt64,
        isAlive: @escaping () -> Bool
    ) {
        (self.agenda, self.firehose, self.isGood) = (agenda, firehose, isGood)
        (self.lane, self.random, self.isAlive) = (lane, random, isAlive)
        var tuning = DeliveryTuning()
        tuning.lingerBytes = 4096
        tuning.lingerMs = 200
        tuning.backoffCapMs = 2000
        tuning.probeBaseMs = 500
        tuning.probeCapMs = 2000
        // One lane keeps to a quota, the other knows none.
        tuning.quota =
            isGood
            ? StreamQuota(bytesPerSecond: 64 << 10, recordsPerSecond: 200, callsPerSecond: 20) : nil
        machine = DeliveryMachine(tuning: tuning)
        builder = BatchBuilder(
            streamName: isGood ? "good" : "bad", source: source, recordBytesMax: 2048,
            callBytesMax: 8192, recordRowsMax: isGood ? Int.max : 3)
        let load = lane.pointee.loadToDeliver
        if load.bytes > 0 { appended(load) }
    }

    var isCaughtUp: Bool { machine.isCaughtUp }

    func appended(_ load: RowLoad) {
        switch machine.appended(load) {
        case .none: break
        case .startTimer(let ms): startTimer(ms)
        case .build: build()
        }
    }

    func flushNow() {
        switch machine.flushNow() {
        case .none, .caughtUp: break
        case .build: build()
        case .call: prepareCall()
        }
    }

    private func startTimer(_ ms: UInt64) {
        timer += 1
        let mine = timer
        agenda.after(ms) { [self] in
            guard isAlive(), mine == timer else { return }
            switch machine.timerFired() {
            case .none: break
            case .build: build()
            case .call: prepareCall()
            }
        }
    }

    private func build() {
        timer += 1
        builder.begin(small: false)
        startSlicing()
    }

    private func startSlicing() {
        if isSlicing { return }
        isSlicing = true
        slice()
    }

    private func slice() {
        agenda.after(1) { [self] in
            guard isAlive(), isSlicing else { return }
            switch builder.advance(earlyEndBytes: machine.earlyEndBytes) {
            case .more: slice()
            case .ready(let reachedEnd):
                isSlicing = false
                _ = machine.built(batch: (builder.load, reachedEnd))
                call()
            case .empty:
                isSlicing = false
                _ = machine.built(batch: nil)
            }
        }
    }

    private func prepareCall() {
        timer += 1
        if builder.isOccupied {
            goOnSearching()
        } else if builder.body.isCompacting {
            startSlicing()
        } else {
            call()
        }
    }

    private func call() {
        let weight = CallWeight(bytes: builder.body.rawBytes, records: builder.callRecordCount)
        if case .startTimer(let ms) = machine.leave(weight, nowMs: agenda.nowMs) {
            return startTimer(ms)
        }
        var inCall: [UInt64] = []
        firehose.call(isGood: isGood, builder.body.bytes) { [self] rows in
            inCall += rows
            taken += rows
        } answered: { [self] reply in
            guard isAlive() else { return }
            finished(reply, inCall)
        }
    }

    private func finished(_ reply: FirehoseReply, _ inCall: [UInt64]) {
        let count = builder.callRecordCount
        if builder.isSearching { return partHasFinished(reply, inCall, of: count) }
        switch reply {
        case .delivered:
            builder.settle(failed: [])
            if builder.isOccupied { goOnSearching() } else { delivered() }
        case .partial(let failed, .invalid, _) where failed.count == count: search()
        case .partial(let failed, let fault, _):
            builder.settle(failed: failed)
            failedToDeliver(fault == .invalid ? .retry : fault, tookSome: failed.count < count)
        case .failed(let failure) where failure.fault == .invalid: search()
        case .failed(let failure):
            ambiguous += inCall
            failedToDeliver(failure.fault)
        }
    }

    private func delivered() {
        // A death while the cursor was on its way: nothing more happens here.
        guard isAlive() else { return }
        // A spool record larger than a call is passed with the last of its calls.
        if lane.pointee.readPassed == lane.pointee.cursor.passed { taken = [] }
        perform(machine.delivered())
    }

    private func failedToDeliver(_ fault: FirehoseFault, tookSome: Bool = false) {
        guard isAlive() else { return }
        perform(
            machine.failed(
                .init(fault: fault, tookSome: tookSome), nowMs: agenda.nowMs, dice: random()))
    }

    // MARK: Refused rows

    private func search() {
        builder.search()
        perform(machine.goesOn(took: false))
    }

    private func partHasFinished(_ reply: FirehoseReply, _ inCall: [UInt64], of count: Int) {
        switch reply {
        case .delivered:
            builder.partWasTaken()
            perform(machine.goesOn(took: true))
        case .partial(let failed, .invalid, _):
            if count > 1 {
                builder.partWasTaken(except: failed)
            } else {
                builder.partWasRefused()
            }
            perform(machine.goesOn(took: failed.count < count))
        case .partial(let failed, let fault, _):
            builder.partWasTaken(except: failed)
            failedToDeliver(fault, tookSome: failed.count < count)
        case .failed(let failure) where failure.fault == .invalid:
            builder.partWasRefused()
            perform(machine.goesOn(took: false))
        case .failed(let failure):
            ambiguous += inCall
            failedToDeliver(failure.fault)
        }
    }

    private func goOnSearching() {
        var load = RowLoad()
        let step = builder.goOnSearching { load = load + $1 }
        guard isAlive() else { return }
        if load.bytes > 0 { didSetAside?(load) }
        switch step {
        case .make: startSlicing()
        case .send: call()
        case .settled: delivered()
        case .syncing: perform(machine.waitsForSync())
        case .blocked: failedToDeliver(.retry)
        case .stuck: failedToDeliver(.invalid)
        }
    }

    private func perform(_ end: DeliveryMachine.CallEnd) {
        switch end.action {
        case .rest: builder.begin(small: true)
        case .startTimer(let ms):
            builder.begin(small: true)
            startTimer(ms)
        case .build: build()
        case .callAgain: prepareCall()
        case .callAfter(let ms): startTimer(ms)
        case .stopped: break
        }
    }
}
