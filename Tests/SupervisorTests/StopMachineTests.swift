import Core
import TestSupport
import Testing

@testable import Supervisor

@Suite struct StopMachineTests {
    private var machine = StopMachine()
    private var living = StopMachine.Living(routers: 1, workers: 2, localFirehoses: 1)

    private mutating func stop(_ nowMs: UInt64, now: Bool = false) -> [StopMachine.Action] {
        machine.stop(nowMs: nowMs, timeoutMs: 10_000, immediately: now, living: living)
    }

    @Test mutating func `routers leave first, then workers, then the local firehose`() {
        #expect(stop(0) == [.order(.router, withinMs: 7000)])
        #expect(machine.tick(nowMs: 100, living: living) == [])
        living.routers = 0
        #expect(
            machine.tick(nowMs: 1200, living: living) == [.order(.worker, withinMs: 8300)])
        living.workers = 1
        #expect(machine.tick(nowMs: 1300, living: living) == [])
        living.workers = 0
        #expect(
            machine.tick(nowMs: 1400, living: living) == [.order(.localFirehose, withinMs: 8600)])
        living.localFirehoses = 0
        #expect(machine.tick(nowMs: 1500, living: living) == [.finish])
        #expect(machine.tick(nowMs: 1600, living: living) == [])
    }

    @Test mutating func `a role that does not go is killed at the end of its share`() {
        _ = stop(0)
        #expect(machine.tick(nowMs: 6999, living: living) == [])
        #expect(machine.tick(nowMs: 7000, living: living) == [.kill(.router)])
        #expect(machine.tick(nowMs: 7020, living: living) == [])
        living.routers = 0
        #expect(
            machine.tick(nowMs: 7040, living: living) == [.order(.worker, withinMs: 2460)])
        #expect(machine.tick(nowMs: 9500, living: living) == [.kill(.worker)])
        living.workers = 0
        #expect(
            machine.tick(nowMs: 9520, living: living) == [.order(.localFirehose, withinMs: 480)])
        #expect(machine.tick(nowMs: 10_000, living: living) == [.killAll])
        #expect(machine.tick(nowMs: 10_020, living: living) == [.killAll])
        living.localFirehoses = 0
        #expect(machine.tick(nowMs: 10_040, living: living) == [.finish])
    }

    @Test mutating func `to deliver, workers go on between routers and their own end`() {
        living.rowsInSpool = 500
        #expect(
            machine.stop(
                nowMs: 0, timeoutMs: 10_000, deliverMs: 60_000, immediately: false, living: living)
                == [.order(.router, withinMs: 7000)])
        #expect(machine.deliverEndMs == nil)
        living.routers = 0
        #expect(machine.tick(nowMs: 1000, living: living) == [.deliver])
        #expect(machine.deliverEndMs == 61_000)
        #expect(machine.tick(nowMs: 1020, living: living) == [])
        #expect(machine.tick(nowMs: 3000, living: living) == [.deliver])
        living.rowsInSpool = 0
        // The rest has the 9 s that were left before.
        #expect(
            machine.tick(nowMs: 30_000, living: living) == [.order(.worker, withinMs: 8500)])
        #expect(machine.deadlineMs == 39_000)
    }

    @Test mutating func `as long as routers drain, to deliver may still be asked for, or waived`() {
        living.rowsInSpool = 500
        _ = stop(0)
        #expect(machine.change(deliverMs: 60_000, nowMs: 500) == true)
        #expect(machine.change(deliverMs: 0, nowMs: 600) == true)
        #expect(machine.deliverMs == 0)
        #expect(machine.change(deliverMs: 60_000, nowMs: 700) == true)
        living.routers = 0
        #expect(machine.tick(nowMs: 1000, living: living) == [.deliver])
        #expect(machine.deliverEndMs == 61_000)
        // A second wish to deliver prolongs nothing.
        #expect(machine.change(deliverMs: 90_000, nowMs: 2000) == true)
        #expect(machine.deliverEndMs == 61_000)
        // To deliver no more ends it, and the rest has what it would have had.
        #expect(machine.change(deliverMs: 0, nowMs: 20_000) == true)
        #expect(
            machine.tick(nowMs: 20_000, living: living) == [.order(.worker, withinMs: 8500)])
        #expect(machine.deliverMs == 0 && machine.deadlineMs == 29_000)
    }

    @Test mutating func `once the workers were told to leave, nothing can be delivered any more`() {
        living.rowsInSpool = 500
        #expect(machine.change(deliverMs: 1, nowMs: 0) == false, "nothing stops yet")
        _ = stop(0)
        living.routers = 0
        _ = machine.tick(nowMs: 1000, living: living)
        #expect(machine.phase == .workers)
        let before = machine
        #expect(machine.change(deliverMs: 60_000, nowMs: 1100) == false)
        #expect(machine.change(deliverMs: 0, nowMs: 1100) == true)
        #expect(machine == before)
    }

    @Test mutating func `who leaves at once delivers nothing, whoever asks`() {
        _ = stop(0, now: true)
        #expect(machine.change(deliverMs: 60_000, nowMs: 10) == false)
        #expect(machine.deliverMs == 0)
    }

    @Test mutating func `delivering ends with its time, or with the last worker`() {
        living.rowsInSpool = 500
        _ = machine.stop(
            nowMs: 0, timeoutMs: 10_000, deliverMs: 5000, immediately: false, living: living)
        living.routers = 0
        _ = machine.tick(nowMs: 1000, living: living)
        let before = machine
        #expect(machine.tick(nowMs: 5999, living: living) == [.deliver])
        #expect(
            machine.tick(nowMs: 6000, living: living) == [.order(.worker, withinMs: 8500)])
        machine = before
        living.workers = 0
        #expect(
            machine.tick(nowMs: 2000, living: living)
                == [.order(.worker, withinMs: 8500), .order(.localFirehose, withinMs: 9000)])
    }

    @Test mutating func `the second call means now while it delivers too`() {
        living.rowsInSpool = 500
        _ = machine.stop(
            nowMs: 0, timeoutMs: 10_000, deliverMs: 60_000, immediately: false, living: living)
        living.routers = 0
        _ = machine.tick(nowMs: 1000, living: living)
        #expect(stop(2000).last == .quit)
        #expect(machine.deadlineMs == 2250 && machine.deliverEndMs == nil || machine.isImmediate)
        #expect(machine.tick(nowMs: 2250, living: living) == [.killAll])
    }

    @Test mutating func `without an order to deliver, rows stay`() {
        living.rowsInSpool = 500
        _ = stop(0)
        living.routers = 0
        #expect(machine.tick(nowMs: 10, living: living) == [.order(.worker, withinMs: 9490)])
    }

    @Test mutating func `roles that have nobody are passed over in one step`() {
        living = StopMachine.Living(routers: 0, workers: 0, localFirehoses: 1)
        #expect(
            stop(0) == [
                .order(.router, withinMs: 7000), .order(.worker, withinMs: 9500),
                .order(.localFirehose, withinMs: 10_000),
            ])
        living.localFirehoses = 0
        #expect(machine.tick(nowMs: 1, living: living) == [.finish])
    }

    @Test mutating func `the second call means now, the third nothing new`() {
        _ = stop(0)
        let all: [StopMachine.Action] = [
            .order(.router, withinMs: 250), .order(.worker, withinMs: 250),
            .order(.localFirehose, withinMs: 250), .quit,
        ]
        #expect(stop(500) == all)
        #expect(stop(501) == [])
        #expect(machine.tick(nowMs: 749, living: living) == [])
        #expect(machine.tick(nowMs: 750, living: living) == [.killAll])
        living = StopMachine.Living(routers: 0, workers: 0, localFirehoses: 0)
        #expect(machine.tick(nowMs: 760, living: living) == [.finish])
    }

    @Test mutating func `a second call never lengthens the deadline`() {
        _ = stop(0)
        _ = stop(9900)
        #expect(machine.deadlineMs == 10_000)
    }

    @Test mutating func `the first call may mean now`() {
        #expect(stop(1000, now: true).last == .quit)
        #expect(machine.isStopping && machine.deadlineMs == 1250)
        #expect(machine.tick(nowMs: 1250, living: living) == [.killAll])
    }

    /// Children that go when they please, or never before they are killed: the cluster is gone by
    /// its deadline and a tick, no role is ordered before the one in front of it is gone, and
    /// `finish` comes once.
    @Test(arguments: 0..<200) mutating func `any stop ends in time and in order`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        let timeoutMs = 100 + random.roll(10_000)
        let stubborn = random.roll(4) == 0
        let deliverMs = random.roll(2) * random.roll(5000)
        living = StopMachine.Living(
            routers: Int(random.roll(3)), workers: Int(random.roll(4)),
            localFirehoses: Int(random.roll(2)), rowsInSpool: random.roll(3) * 100)
        var finished = 0
        func obey(_ actions: [StopMachine.Action], _ living: inout StopMachine.Living) {
            for action in actions {
                switch action {
                case .order(.worker, _): #expect(living.routers == 0)
                case .order(.localFirehose, _): #expect(living.routers + living.workers == 0)
                case .order(.router, _), .quit: break
                case .deliver: #expect(living.routers == 0 && deliverMs > 0)
                case .kill(.router): living.routers = 0
                case .kill(.worker): living.workers = 0
                case .kill(.localFirehose): living.localFirehoses = 0
                case .killAll:
                    living = StopMachine.Living(
                        routers: 0, workers: 0, localFirehoses: 0, rowsInSpool: living.rowsInSpool)
                case .finish: finished += 1
                }
            }
        }
        var nowMs: UInt64 = 0
        obey(
            machine.stop(
                nowMs: 0, timeoutMs: timeoutMs, deliverMs: deliverMs, immediately: false,
                living: living), &living)
        while finished == 0 {
            nowMs += 20
            #expect(nowMs <= timeoutMs + deliverMs + 80)
            if nowMs > timeoutMs + deliverMs + 80 { return }
            if !stubborn && random.roll(10) == 0 {
                switch random.roll(3) {
                case 0: living.routers = max(0, living.routers - 1)
                case 1 where machine.phase >= .workers: living.workers = max(0, living.workers - 1)
                case 1 where machine.phase == .delivery:
                    living.rowsInSpool -= min(living.rowsInSpool, 100)
                case 2 where machine.phase >= .localFirehose: living.localFirehoses = 0
                default: break
                }
            }
            obey(machine.tick(nowMs: nowMs, living: living), &living)
        }
        #expect(machine.tick(nowMs: nowMs + 20, living: living) == [])
        #expect(finished == 1)
    }
}
