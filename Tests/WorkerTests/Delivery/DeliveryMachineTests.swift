import Core
import TestSupport
import Testing

@testable import Worker

@Suite struct DeliveryMachineTests {
    static var tuning: DeliveryTuning {
        var it = DeliveryTuning()
        it.lingerBytes = 1000
        it.lingerMs = 50
        return it
    }

    /// In the midst of a call that holds everything there is.
    static func calling() -> DeliveryMachine {
        var machine = DeliveryMachine(tuning: tuning)
        _ = machine.appended(.init(bytes: 1000))
        _ = machine.built(batch: (.init(bytes: 1000), true))
        return machine
    }

    static func fail(
        _ machine: inout DeliveryMachine, _ fault: FirehoseFault, dice: UInt64 = .max
    ) -> UInt64? {
        let end = machine.failed(.init(fault: fault), nowMs: 0, dice: dice)
        if case .callAfter(let ms) = end.action { return ms }
        return nil
    }

    @Test func `the first rows start the clock, enough rows start the batch`() {
        var machine = DeliveryMachine(tuning: Self.tuning)
        #expect(machine.appended(.init(bytes: 400)) == .startTimer(afterMs: 50))
        #expect(machine.appended(.init(bytes: 400)) == .none)
        #expect(machine.appended(.init(bytes: 200)) == .build)
        #expect(machine.appended(.init(bytes: 5000)) == .none)
        #expect(machine.state == .sending)
    }

    @Test func `few rows leave when they have waited long enough`() {
        var machine = DeliveryMachine(tuning: Self.tuning)
        _ = machine.appended(.init(bytes: 1))
        #expect(machine.timerFired() == .build)
        #expect(machine.built(batch: (.init(bytes: 1), true)) == .call)
        #expect(machine.delivered() == .init(action: .rest))
        #expect(machine.isCaughtUp && machine.state == .idle)
    }

    @Test func `after a call, what came meanwhile lingers or leaves at once`() {
        var machine = Self.calling()
        _ = machine.appended(.init(bytes: 10))
        #expect(machine.delivered().action == .startTimer(afterMs: 50))
        machine = Self.calling()
        _ = machine.appended(.init(bytes: 1000))
        #expect(machine.delivered().action == .build)
    }

    @Test func `a batch that did not hold everything is followed by another`() {
        var machine = DeliveryMachine(tuning: Self.tuning)
        _ = machine.appended(.init(bytes: 10_000))
        #expect(machine.built(batch: (.init(bytes: 4000), false)) == .call)
        #expect(machine.delivered().action == .build)
        #expect(machine.built(batch: (.init(bytes: 5999), false)) == .call)
        #expect(machine.delivered().action == .startTimer(afterMs: 50))
    }

    @Test func `only the last eighth of a full batch may stay behind, and nothing in a flush`() {
        var machine = DeliveryMachine(tuning: Self.tuning)
        _ = machine.appended(.init(bytes: 999))
        #expect(machine.timerFired() == .build)
        #expect(machine.earlyEndBytes == nil)
        machine = DeliveryMachine(tuning: Self.tuning)
        _ = machine.appended(.init(bytes: 1000))
        #expect(machine.earlyEndBytes == 875)
        _ = machine.appended(.init(bytes: 1000))
        #expect(machine.earlyEndBytes == 1875)
        _ = machine.flushNow()
        #expect(machine.earlyEndBytes == nil)
    }

    @Test func `a flush begins at once and is fulfilled by the call that held everything`() {
        var machine = DeliveryMachine(tuning: Self.tuning)
        #expect(machine.flushNow() == .caughtUp)
        _ = machine.appended(.init(bytes: 1))
        #expect(machine.flushNow() == .build)
        #expect(machine.built(batch: (.init(bytes: 1), true)) == .call)
        _ = machine.appended(.init(bytes: 1))
        #expect(machine.delivered() == .init(action: .startTimer(afterMs: 50), caughtUp: true))
    }

    @Test func `a flush during a call waits for the rows that came after it was made`() {
        var machine = Self.calling()
        _ = machine.appended(.init(bytes: 1))
        #expect(machine.flushNow() == .none)
        #expect(machine.delivered() == .init(action: .build))
        #expect(machine.built(batch: (.init(bytes: 1), true)) == .call)
        #expect(machine.delivered() == .init(action: .rest, caughtUp: true))
    }

    @Test func `a flush during a call that holds everything is fulfilled by it`() {
        var machine = Self.calling()
        #expect(machine.flushNow() == .none)
        #expect(machine.delivered() == .init(action: .rest, caughtUp: true))
    }

    @Test func `a flush that finds an empty spool is fulfilled`() {
        var machine = DeliveryMachine(tuning: Self.tuning)
        _ = machine.appended(.init(bytes: 1))
        _ = machine.flushNow()
        #expect(machine.built(batch: nil) == .rest(caughtUp: true))
        #expect(machine.isCaughtUp)
    }

    @Test func `a flush cuts a wait short, and fails as any call`() throws {
        var machine = Self.calling()
        _ = try #require(Self.fail(&machine, .retry))
        #expect(machine.flushNow() == .call)
        let ms = try #require(Self.fail(&machine, .retry))
        #expect(ms >= 100)
        #expect(machine.timerFired() == .call)
        #expect(machine.delivered().caughtUp)
    }

    @Test func `a flush that goes on leaves a wait as it is, and is fulfilled after it`() throws {
        var machine = Self.calling()
        let ms = try #require(Self.fail(&machine, .retry))
        #expect(machine.flushNow(cutsWaits: false) == .none)
        #expect(ms >= 100 && machine.state == .backingOff)
        #expect(machine.timerFired() == .call)
        #expect(machine.delivered().caughtUp)
    }

    @Test func `waits double up to their cap, and chance spreads them`() throws {
        for (fault, base, cap) in [
            (FirehoseFault.retry, UInt64(200), UInt64(30_000)), (.throttled, 1000, 30_000),
            (.refused, 5000, 60_000), (.invalid, 5000, 60_000), (.notFirehose, 5000, 60_000),
        ] {
            var machine = Self.calling()
            var ceiling = base
            for _ in 0..<70 {
                // A ceiling is drawn when the dice are one less than a multiple of the span.
                let floor = Self.isProbe(fault) ? ceiling / 2 : min(100, ceiling)
                let high = try #require(
                    Self.fail(&machine, fault, dice: ceiling - floor))
                #expect(high == ceiling)
                _ = machine.timerFired()
                ceiling = min(cap, ceiling * 2)
            }
            var low = Self.calling()
            let shortest = Self.isProbe(fault) ? base / 2 : 100
            #expect(Self.fail(&low, fault, dice: 0) == shortest)
        }
    }

    static func isProbe(_ fault: FirehoseFault) -> Bool {
        [.refused, .invalid, .notFirehose].contains(fault)
    }

    @Test func `the service's wish for a wait counts, within reason`() {
        func wait(wish: UInt64) -> DeliveryMachine.CallAction {
            var machine = Self.calling()
            return machine.failed(
                .init(fault: .retry, retryAfterMs: wish), nowMs: 0, dice: 0
            ).action
        }
        #expect(wait(wish: 0) == .callAfter(ms: 100))
        #expect(wait(wish: 2000) == .callAfter(ms: 2000))
        #expect(wait(wish: .max) == .callAfter(ms: 5100))
    }

    @Test func `a clock that was off is corrected and the call repeated at once, once`() {
        var machine = Self.calling()
        func skew() -> DeliveryMachine.CallAction {
            machine.failed(
                .init(fault: .clockSkew, learnedClock: true), nowMs: 0, dice: 0
            ).action
        }
        #expect(skew() == .callAgain)
        #expect(machine.state == .sending)
        #expect(skew() == .callAfter(ms: 2500))
        #expect(machine.state == .refused)
        _ = machine.timerFired()
        _ = machine.delivered()
        _ = machine.appended(.init(bytes: 1000))
        _ = machine.built(batch: (.init(bytes: 1000), true))
        #expect(skew() == .callAgain)
    }

    @Test func `a call that the quota does not allow yet waits, without being in trouble`() {
        var tuning = Self.tuning
        tuning.quota = StreamQuota(
            bytesPerSecond: 1000, recordsPerSecond: 100, callsPerSecond: 100)
        var machine = DeliveryMachine(tuning: tuning)
        _ = machine.appended(.init(bytes: 3000))
        let call = CallWeight(bytes: 750, records: 1)
        _ = machine.built(batch: (.init(bytes: 750), false))
        #expect(machine.leave(call, nowMs: 0) == .call)
        #expect(machine.delivered().action == .build)
        _ = machine.built(batch: (.init(bytes: 750), false))
        #expect(machine.leave(call, nowMs: 0) == .startTimer(afterMs: 750))
        #expect(machine.state == .sending && !machine.isCaughtUp)
        // Nobody can hurry it.
        #expect(machine.flushNow() == .call)
        #expect(machine.leave(call, nowMs: 250) == .startTimer(afterMs: 500))
        #expect(machine.timerFired() == .call)
        #expect(machine.leave(call, nowMs: 750) == .call)
        // A throttled call counts as not sent, and halves the rate.
        let failure = DeliveryMachine.CallFailure(fault: .throttled, untaken: call)
        #expect(machine.failed(failure, nowMs: 750, dice: 0).action == .callAfter(ms: 100))
        #expect(machine.timerFired() == .call)
        #expect(machine.leave(call, nowMs: 850) == .startTimer(afterMs: 1000))
        #expect(machine.stop() == .done)
    }

    @Test func `enough rows leave at once, where they are counted`() {
        var tuning = Self.tuning
        tuning.lingerRows = 3
        var machine = DeliveryMachine(tuning: tuning)
        #expect(machine.appended(.init(bytes: 1, rows: 2)) == .startTimer(afterMs: 50))
        #expect(machine.appended(.init(bytes: 1, rows: 1)) == .build)
        #expect(machine.built(batch: (.init(bytes: 2, rows: 3), true)) == .call)
        _ = machine.appended(.init(bytes: 3, rows: 3))
        #expect(machine.delivered().action == .build)
        #expect(machine.built(batch: (.init(bytes: 1, rows: 1), false)) == .call)
        #expect(machine.delivered().action == .startTimer(afterMs: 50))
    }

    @Test func `progress shortens the next wait`() throws {
        var machine = Self.calling()
        for _ in 0..<10 {
            _ = Self.fail(&machine, .retry)
            _ = machine.timerFired()
        }
        let end = machine.failed(.init(fault: .retry, tookSome: true), nowMs: 0, dice: 100)
        #expect(end.action == .callAfter(ms: 200))
    }

    @Test func `the state tells the trouble until a call succeeds`() {
        var machine = Self.calling()
        #expect(machine.state == .sending)
        _ = Self.fail(&machine, .throttled)
        #expect(machine.state == .backingOff)
        _ = machine.timerFired()
        #expect(machine.state == .backingOff)
        _ = Self.fail(&machine, .refused)
        #expect(machine.state == .refused)
        _ = machine.timerFired()
        _ = machine.delivered()
        #expect(machine.state == .idle)
    }

    @Test func `a stop waits for the call in flight and begins nothing`() {
        var machine = Self.calling()
        #expect(machine.stop() == .awaitCall)
        #expect(machine.appended(.init(bytes: 5000)) == .none)
        #expect(machine.flushNow() == .none)
        #expect(machine.timerFired() == .none)
        #expect(machine.delivered().action == .stopped)
        for prepare in 0..<4 {
            var machine = DeliveryMachine(tuning: Self.tuning)
            if prepare > 0 { _ = machine.appended(.init(bytes: prepare == 1 ? 1 : 1000)) }
            if prepare == 3 {
                _ = machine.built(batch: (.init(bytes: 1000), true))
                _ = Self.fail(&machine, .retry)
            }
            #expect(machine.stop() == .done)
            #expect(machine.built(batch: (.init(bytes: 1), true)) == .none)
        }
    }

    /// A lane of bytes, a service that fails at random, a fake clock. Whatever comes, there is at
    /// most one batch, at most one call, something always leads on while bytes wait, and when the
    /// service is well again everything arrives.
    @Test(arguments: 0..<200)
    func `a random walk never stalls, doubles or loses`(seed: UInt64) {
        var walk = Walk(seed: seed)
        for _ in 0..<3000 { walk.step(serviceIsWell: false) }
        for _ in 0..<200 { walk.step(serviceIsWell: true) }
        walk.arrivalsEnd = true
        for _ in 0..<200 { walk.step(serviceIsWell: true) }
        #expect(walk.delivered == walk.appended)
        #expect(walk.machine.isCaughtUp && walk.machine.state == .idle)
        #expect(walk.flushesOpen == 0)
    }

    struct Walk {
        enum Busy: Equatable { case nothing, building, calling }

        var random: SeededDice
        var machine: DeliveryMachine
        var busy = Busy.nothing
        var timerMs: UInt64?
        var nowMs: UInt64 = 0
        var appended = 0
        var batched = 0
        var delivered = 0
        var batch = 0
        var failedPart = 0
        var flushesOpen = 0
        var arrivalsEnd = false

        init(seed: UInt64) {
            random = SeededDice(seed: seed)
            machine = DeliveryMachine(tuning: DeliveryMachineTests.tuning)
        }

        mutating func chance(_ oneIn: UInt64) -> Bool { random.next() % oneIn == 0 }

        mutating func build() {
            precondition(busy == .nothing, "two things at once")
            timerMs = nil
            busy = .building
        }

        mutating func call() {
            precondition(busy == .nothing, "two calls at once")
            timerMs = nil
            busy = .calling
        }

        mutating func step(serviceIsWell: Bool) {
            // Bytes wait, so something must be on its way to lead on.
            precondition(
                appended == delivered || busy != .nothing || timerMs != nil, "stalled")
            if !arrivalsEnd, chance(3) { arrive() }
            if !arrivalsEnd, chance(40) { flush() }
            switch busy {
            case .building: if chance(2) { built() }
            case .calling: if chance(2) || serviceIsWell { answered(well: serviceIsWell) }
            case .nothing:
                nowMs += 1 + random.next() % 20
                if let at = timerMs, serviceIsWell || nowMs >= at { fire(at) }
            }
        }

        mutating func fire(_ at: UInt64) {
            nowMs = max(nowMs, at)
            timerMs = nil
            switch machine.timerFired() {
            case .none: preconditionFailure("a timer for nothing")
            case .build: build()
            case .call: call()
            }
        }

        mutating func arrive() {
            let bytes = 1 + Int(random.next() % 700)
            appended += bytes
            switch machine.appended(.init(bytes: bytes)) {
            case .none: break
            case .startTimer(let ms): timerMs = nowMs + ms
            case .build: build()
            }
        }

        mutating func flush() {
            switch machine.flushNow() {
            case .none: flushesOpen = 1
            case .caughtUp: precondition(appended == delivered)
            case .build:
                flushesOpen = 1
                build()
            case .call:
                flushesOpen = 1
                call()
            }
        }

        mutating func built() {
            busy = .nothing
            let whole = appended - batched
            batch = chance(5) ? max(1, whole / 2) : whole
            batched += batch
            guard machine.built(batch: (.init(bytes: batch), batched == appended)) == .call
            else { preconditionFailure("a batch that is not called") }
            call()
        }

        mutating func answered(well: Bool) {
            busy = .nothing
            let end: DeliveryMachine.CallEnd
            if well || chance(2) {
                delivered += batch
                end = machine.delivered()
            } else {
                let part = chance(2) ? batch / 2 : 0
                delivered += part
                batch -= part
                let faults: [FirehoseFault] = [
                    .retry, .throttled, .clockSkew, .refused, .invalid, .notFirehose,
                ]
                end = machine.failed(
                    .init(
                        fault: faults.randomElement(using: &random)!, tookSome: part > 0,
                        learnedClock: chance(2), retryAfterMs: chance(4) ? random.next() : nil,
                        untaken: .init(bytes: batch, records: 1)),
                    nowMs: nowMs, dice: random.next())
            }
            if end.caughtUp {
                precondition(flushesOpen > 0, "a flush that nobody asked for")
                flushesOpen = 0
            }
            switch end.action {
            case .rest: precondition(appended == delivered)
            case .startTimer(let ms), .callAfter(let ms):
                precondition(ms <= 65_000)
                timerMs = nowMs + ms
            case .build: build()
            case .callAgain: call()
            case .stopped: preconditionFailure("nobody stopped it")
            }
        }
    }
}

@Suite struct DeliveryLogTests {
    @Test func `a trouble is told once in a while, with what was not told`() {
        var log = DeliveryLog(everyMs: 30_000)
        #expect(log.trouble("a", "A", nowMs: 0) == "A")
        #expect(log.trouble("a", "A", nowMs: 1) == nil)
        #expect(log.trouble("b", "B", nowMs: 2) == "B")
        #expect(log.trouble("a", "A", nowMs: 29_999) == nil)
        #expect(log.trouble("a", "A", nowMs: 30_000) == "A (2 more since)")
        #expect(log.trouble("a", "A", nowMs: 60_000) == "A")
    }

    @Test func `an end is told once for a trouble that was`() {
        var log = DeliveryLog(everyMs: 30_000)
        #expect(log.end("well") == nil)
        _ = log.trouble("a", "A", nowMs: 0)
        #expect(log.end("well") == "well")
        #expect(log.end("well") == nil)
        _ = log.trouble("a", "A", nowMs: 5)
        #expect(log.end("well") == nil)
    }
}
