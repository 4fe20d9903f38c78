import TestSupport
import Testing

@testable import Supervisor

/// The order of a reload, with a clock that is told and children that are made up.
@Suite struct ReloadMachineTests {
    private static func look(
        _ nowMs: UInt64, workers: [ReloadMachine.Slot], fresh: (Int, ready: Int) = (1, 0),
        old: Int = 1, surplus: Int = 0
    ) -> ReloadMachine.Look {
        ReloadMachine.Look(
            nowMs: nowMs, workers: workers, freshRouters: fresh.0, freshRoutersReady: fresh.ready,
            oldRouters: old, surplusWorkers: surplus)
    }

    private static func worker(
        _ slot: Int, ready: Bool = true, fresh: Bool = false
    ) -> ReloadMachine.Slot {
        ReloadMachine.Slot(slot: slot, isReady: ready, isFresh: fresh)
    }

    @Test func `workers go one by one, then routers overlap, then surplus workers leave`() {
        var machine = ReloadMachine()
        let old = [Self.worker(0), Self.worker(1)]
        #expect(machine.begin(Self.look(0, workers: old)) == [.startNewWorkers])
        #expect(machine.tick(Self.look(1, workers: old)) == [.replaceWorker(0)])
        #expect(machine.tick(Self.look(2, workers: old)) == [])
        var workers = [Self.worker(0, ready: false, fresh: true), Self.worker(1)]
        #expect(machine.tick(Self.look(3, workers: workers)) == [])
        workers[0].isReady = true
        #expect(machine.tick(Self.look(4, workers: workers)) == [.replaceWorker(1)])
        workers[1] = Self.worker(1, fresh: true)
        #expect(machine.tick(Self.look(5, workers: workers)) == [.startFreshRouters])
        #expect(machine.tick(Self.look(6, workers: workers)) == [])
        let ready = Self.look(7, workers: workers, fresh: (1, 1), surplus: 2)
        #expect(machine.tick(ready) == [.drainOldRouters])
        #expect(machine.tick(ready) == [])
        let drained = Self.look(8, workers: workers, fresh: (1, 1), old: 0, surplus: 2)
        #expect(machine.tick(drained) == [.stopSurplusWorkers])
        #expect(machine.tick(drained) == [])
        let gone = Self.look(9, workers: workers, fresh: (1, 1), old: 0)
        #expect(machine.tick(gone) == [.finish(.done)])
        #expect(!machine.isActive)
    }

    @Test func `nobody sends to a new worker before it is at work, which an old one may hinder`() {
        var machine = ReloadMachine()
        // Its shard is adopted by worker 1 until that leaves.
        var workers = [Self.worker(0, ready: false, fresh: true), Self.worker(1)]
        _ = machine.begin(Self.look(0, workers: workers))
        #expect(machine.tick(Self.look(1, workers: workers)) == [.replaceWorker(1)])
        workers[1] = Self.worker(1, fresh: true)
        #expect(machine.tick(Self.look(2, workers: workers)) == [])
        workers[0].isReady = true
        #expect(machine.tick(Self.look(3, workers: workers)) == [.startFreshRouters])
    }

    @Test func `a worker that does not come back is told of, and holds nobody up for long`() {
        var machine = ReloadMachine()
        var workers = [Self.worker(0), Self.worker(1)]
        _ = machine.begin(Self.look(0, workers: workers))
        #expect(machine.tick(Self.look(0, workers: workers)) == [.replaceWorker(0)])
        workers[0] = Self.worker(0, ready: false, fresh: true)
        let late = ReloadMachine.patienceMs
        #expect(machine.tick(Self.look(late - 1, workers: workers)) == [])
        #expect(machine.tick(Self.look(late, workers: workers)) == [.replaceWorker(1)])
        workers[1] = Self.worker(1, fresh: true)
        #expect(machine.tick(Self.look(late + 1, workers: workers)) == [.startFreshRouters])
        let end = Self.look(late + 2, workers: workers, fresh: (1, 1), old: 0)
        #expect(
            machine.tick(end)
                == [.drainOldRouters, .stopSurplusWorkers, .finish(.workersMissing([0]))])
    }

    @Test func `fresh routers that do not start are given up, and the old ones go on`() {
        var machine = ReloadMachine()
        let workers = [Self.worker(0, fresh: true)]
        _ = machine.begin(Self.look(0, workers: workers))
        #expect(machine.tick(Self.look(0, workers: workers)) == [.startFreshRouters])
        let late = ReloadMachine.patienceMs
        let half = Self.look(late - 1, workers: workers, fresh: (2, 1))
        #expect(machine.tick(half) == [])
        let over = Self.look(late, workers: workers, fresh: (2, 1))
        #expect(machine.tick(over) == [.giveUpFreshRouters, .finish(.oldRoutersStay)])
        #expect(!machine.isActive)
    }

    /// To give the fresh ones up would leave nobody.
    @Test func `fresh routers are kept when those of before have died`() {
        var machine = ReloadMachine()
        let workers = [Self.worker(0, fresh: true)]
        _ = machine.begin(Self.look(0, workers: workers))
        _ = machine.tick(Self.look(0, workers: workers))
        let late = ReloadMachine.patienceMs
        #expect(machine.tick(Self.look(late - 1, workers: workers, old: 0)) == [])
        let over = Self.look(late, workers: workers, old: 0, surplus: 1)
        #expect(machine.tick(over) == [.stopSurplusWorkers])
        let shrunk = Self.look(late + 1, workers: workers, old: 0)
        #expect(machine.tick(shrunk) == [.finish(.routersMissing)])
        #expect(!machine.isActive)
        // The next one begins afresh.
        _ = machine.begin(Self.look(late + 2, workers: workers, fresh: (1, 1)))
        #expect(
            machine.tick(Self.look(late + 2, workers: workers, fresh: (1, 1)))
                == [.startFreshRouters])
        #expect(
            machine.tick(Self.look(late + 3, workers: workers, fresh: (1, 1), old: 0))
                == [.drainOldRouters, .stopSurplusWorkers, .finish(.done)])
    }

    /// Children that take their time, die and come back, at random.
    @Test(arguments: 0..<200)
    func `whatever children do, old routers leave only when fresh ones are at work`(seed: Int) {
        var dice = SeededDice(seed: UInt64(seed))
        var machine = ReloadMachine()
        let wanted = 1 + Int(dice.roll(5))
        let had = 1 + Int(dice.roll(5))
        var workers = (0..<wanted).map {
            Self.worker($0, ready: $0 < had, fresh: $0 >= had)
        }
        let freshWanted = 1 + Int(dice.roll(3))
        var (freshStarted, freshReady, old) = (false, 0, 1 + Int(dice.roll(3)))
        var (surplus, isStopping, isDraining) = (max(0, had - wanted), false, false)
        var nowMs: UInt64 = 0
        func look() -> ReloadMachine.Look {
            Self.look(
                nowMs, workers: workers, fresh: (freshWanted, freshReady), old: old,
                surplus: surplus)
        }
        var actions = machine.begin(look())
        var outcome: ReloadMachine.Outcome?
        for _ in 0..<20_000 where outcome == nil {
            for action in actions {
                switch action {
                case .startNewWorkers: break
                case .replaceWorker(let slot):
                    #expect(workers[slot].isReady && !workers[slot].isFresh)
                    #expect(workers.count { !$0.isReady } <= wanted)
                    workers[slot] = Self.worker(slot, ready: false, fresh: true)
                case .startFreshRouters: freshStarted = true
                case .drainOldRouters:
                    #expect(freshReady == freshWanted)
                    isDraining = true
                case .giveUpFreshRouters: #expect(!isDraining)
                case .stopSurplusWorkers:
                    // Nobody sends to them any more.
                    #expect(old == 0)
                    isStopping = true
                case .finish(let end): outcome = end
                }
            }
            nowMs += dice.roll(60)
            for slot in workers.indices where !workers[slot].isReady && dice.chance(5) {
                workers[slot] = Self.worker(slot, fresh: true)
            }
            if dice.chance(1), let slot = workers.indices.randomElement(using: &dice) {
                workers[slot] = Self.worker(slot, ready: false, fresh: true)
            }
            if freshStarted, freshReady < freshWanted, dice.chance(3) { freshReady += 1 }
            if isDraining, old > 0, dice.chance(10) { old -= 1 }
            // Or they die.
            if old > 0, dice.roll(1000) == 0 { old -= 1 }
            if isStopping, surplus > 0, dice.chance(10) { surplus -= 1 }
            actions = machine.tick(look())
        }
        switch outcome {
        case .done, .workersMissing: #expect(old == 0 && surplus == 0)
        case .routersMissing:
            #expect(old == 0 && surplus == 0 && freshReady < freshWanted && !isDraining)
        case .oldRoutersStay: #expect(!isDraining)
        case nil: Issue.record("it never ended: \(machine)")
        }
    }
}
