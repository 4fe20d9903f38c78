import TestSupport
import Testing

@testable import Supervisor

@Suite struct ChildMachineTests {
    private var machine = ChildMachine()
    private var nowMs: UInt64 = 10_000

    private mutating func send(
        _ event: ChildMachine.Event, random: UInt64 = 0
    ) -> ChildMachine.Action {
        machine.handle(event, nowMs: nowMs, random: random)
    }

    private mutating func boot(pid: Int32) {
        #expect(send(.spawned(pid: pid)) == .none)
        #expect(machine.state == .starting(pid: pid))
        #expect(send(.saidReady) == .none)
        #expect(machine.state == .ready(pid: pid, sinceMs: nowMs))
    }

    @Test mutating func `a wanted child is spawned, starts and is ready`() {
        #expect(send(.wanted) == .spawn)
        boot(pid: 7)
        #expect(machine.pid == 7 && machine.isReady && machine.wasEverReady)
        #expect(send(.saidReady) == .none)
        #expect(send(.wanted) == .none)
    }

    @Test mutating func `one that had been ready for a second restarts at once`() {
        _ = send(.wanted)
        boot(pid: 7)
        nowMs += 1000
        #expect(send(.exited, random: .max) == .spawn)
        boot(pid: 8)
        nowMs += 999
        #expect(send(.exited, random: 60) == .spawnAfter(ms: 60))
    }

    @Test mutating func `the ceiling of the back-off doubles up to 30 s, with full jitter`() {
        _ = send(.wanted)
        var ceilings: [UInt64] = []
        for _ in 0..<12 {
            _ = send(.spawned(pid: 1))
            // With the ceiling + 1 as modulus, the largest delay comes of random = ceiling.
            let before = machine
            let ceiling = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]
            let expected = UInt64(ceiling[min(ceilings.count, 9)])
            #expect(send(.exited, random: expected) == .spawnAfter(ms: expected))
            machine = before
            #expect(send(.exited, random: expected + 1) == .spawn)  // jitter reaches 0
            machine = before
            _ = send(.exited, random: expected)
            ceilings.append(expected)
            nowMs += expected
            #expect(send(.timeCame) == .spawn)
            nowMs += 2000
        }
        #expect(ceilings.last == 30_000)
        boot(pid: 2)
        nowMs += 1000
        _ = send(.exited)
        #expect(machine.earlyDeaths == 0)
    }

    @Test mutating func `no slot starts more than four times a second`() {
        _ = send(.wanted)
        var starts: [UInt64] = []
        while starts.count < 12 {
            _ = send(.spawned(pid: 1))
            starts.append(nowMs)
            switch send(.exited, random: 0) {
            case .spawn: break
            case .spawnAfter(let ms):
                nowMs += ms
                #expect(send(.timeCame) == .spawn)
            default: Issue.record("a dead child must come back")
            }
        }
        for (first, fifth) in zip(starts, starts.dropFirst(4)) { #expect(fifth - first >= 1000) }
    }

    @Test mutating func `a failed spawn is a death before ready`() {
        _ = send(.wanted)
        #expect(send(.spawnFailed, random: 40) == .spawnAfter(ms: 40))
        #expect(machine.earlyDeaths == 1)
        nowMs += 39
        #expect(send(.timeCame) == .spawnAfter(ms: 1))
        nowMs += 1
        #expect(send(.timeCame) == .spawn)
    }

    @Test mutating func `one told to leave for good stays away, and is killed when it does not go`()
    {
        _ = send(.wanted)
        boot(pid: 7)
        #expect(send(.leave(comesBack: false)) == .order)
        #expect(machine.word == "draining")
        #expect(send(.graceOver) == .kill(pid: 7))
        #expect(send(.saidReady) == .none)
        #expect(send(.exited) == .none)
        #expect(machine.isGone)
        #expect(send(.timeCame) == .none && send(.graceOver) == .none)
    }

    @Test mutating func `one told to leave and come back is replaced at once`() {
        _ = send(.wanted)
        boot(pid: 7)
        #expect(send(.leave(comesBack: true)) == .order)
        #expect(send(.exited, random: .max) == .spawn)
        _ = send(.spawned(pid: 8))
        #expect(send(.leave(comesBack: true)) == .order)
        #expect(send(.leave(comesBack: false)) == .order)
        #expect(send(.leave(comesBack: true)) == .order)
        #expect(send(.exited) == .none)
        #expect(machine.isGone)
    }

    @Test mutating func `a restart is what follows a death, not what was asked for`() {
        _ = send(.wanted)
        boot(pid: 7)
        #expect(machine.restarts == 0)
        _ = send(.leave(comesBack: true))
        _ = send(.exited)
        boot(pid: 8)
        #expect(machine.restarts == 0)
        nowMs += 5000
        #expect(send(.exited) == .spawn)
        #expect(machine.restarts == 0, "not yet")
        boot(pid: 9)
        #expect(machine.restarts == 1)
        nowMs += 5000
        #expect(send(.exited) == .spawn)
        #expect(send(.spawnFailed, random: 70) == .spawnAfter(ms: 70))
        nowMs += 70
        #expect(send(.timeCame) == .spawn)
        boot(pid: 10)
        #expect(machine.restarts == 3)
    }

    @Test mutating func `one that waits for its restart is simply not started again`() {
        _ = send(.wanted)
        _ = send(.spawned(pid: 1))
        #expect(send(.exited, random: 50) == .spawnAfter(ms: 50))
        #expect(send(.leave(comesBack: true)) == .none)
        #expect(!machine.isGone)
        #expect(send(.leave(comesBack: false)) == .none)
        #expect(machine.isGone)
    }

    @Test
    mutating func `one that hangs is killed in whatever state, and then restarts as any dead one`()
    {
        #expect(send(.hung) == .none)
        _ = send(.wanted)
        _ = send(.spawned(pid: 7))
        #expect(send(.hung) == .kill(pid: 7))
        #expect(send(.exited, random: 60) == .spawnAfter(ms: 60))
        #expect(machine.earlyDeaths == 1 && machine.word == "down")
        nowMs += 60
        _ = send(.timeCame)
        boot(pid: 8)
        nowMs += 30_000
        #expect(send(.hung) == .kill(pid: 8))
        #expect(machine.isReady)  // until the kernel says that it is dead
        #expect(send(.hung) == .kill(pid: 8))
        #expect(send(.exited) == .spawn)
        boot(pid: 9)
        _ = send(.leave(comesBack: false))
        #expect(send(.hung) == .kill(pid: 9))
    }

    /// Starts and dies until it is not started again.
    private mutating func spendBudget() -> Int {
        var starts = 0
        while machine.pid == nil, machine.state != .abandoned {
            starts += 1
            _ = send(.spawned(pid: 1))
            if case .spawnAfter(let ms) = send(.exited, random: .max) {
                nowMs += ms
                #expect(send(.timeCame) == .spawn)
            }
            if starts > 100 { break }
        }
        return starts
    }

    @Test mutating func `a slot that was never ready is abandoned when its budget is spent`() {
        _ = send(.wanted)
        #expect(spendBudget() == ChildMachine.startsWithoutReadyMax)
        #expect(machine.word == "abandoned" && machine.isGone)
        for event in [ChildMachine.Event.timeCame, .hung, .graceOver, .leave(comesBack: false)] {
            #expect(send(event) == .none)
        }
        // Asked for again, it has a fresh budget.
        #expect(send(.wanted) == .spawn)
        #expect(spendBudget() == ChildMachine.startsWithoutReadyMax)
    }

    @Test mutating func `a slot that was ever ready is never abandoned`() {
        _ = send(.wanted)
        boot(pid: 7)
        #expect(send(.exited, random: 0) == .spawn)
        #expect(spendBudget() == 101)
    }

    /// An owner that does what it is told, a child that does anything: the slot always has at most
    /// one process, comes back while it is wanted, and stays away afterwards.
    @Test(arguments: 0..<200) mutating func `a random life keeps its promises`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        var alive: Int32?
        var nextPid: Int32 = 1
        var timerMs: UInt64?
        var isWanted = true
        var action = send(.wanted)
        for _ in 0..<400 {
            switch action {
            case .spawn:
                #expect(alive == nil)
                #expect(isWanted)
                if random.roll(5) == 0 {
                    action = send(.spawnFailed, random: random.next())
                } else {
                    alive = nextPid
                    nextPid += 1
                    action = send(.spawned(pid: alive!))
                }
                continue
            case .spawnAfter(let ms):
                #expect(alive == nil && ms <= 30_000)
                timerMs = nowMs + ms
            case .kill(let pid):
                #expect(pid == alive)
                alive = nil
                action = send(.exited, random: random.next())
                continue
            case .order, .none: break
            }
            #expect(machine.pid == alive)
            nowMs += random.roll(700)
            action = .none
            if let due = timerMs, nowMs >= due {
                timerMs = nil
                action = send(.timeCame)
            } else if alive != nil {
                switch random.roll(6) {
                case 0, 1: action = send(.saidReady)
                case 2:
                    alive = nil
                    action = send(.exited, random: random.next())
                case 3 where random.roll(30) == 0:
                    isWanted = false
                    action = send(.leave(comesBack: false))
                case 4 where random.roll(4) == 0: action = send(.leave(comesBack: true))
                case 5 where random.roll(4) == 0: action = send(.graceOver)
                case 5 where random.roll(4) == 0: action = send(.hung)
                default: break
                }
            }
            if machine.state == .abandoned {
                #expect(!machine.wasEverReady)
                return
            }
            if isWanted { #expect(alive != nil || timerMs != nil || action != .none) }
        }
    }
}

@Suite struct BootWatchTests {
    private func slot(
        _ deaths: Int, ready: Bool = false, abandoned: Bool = false
    ) -> BootWatch.Slot {
        BootWatch.Slot(wasEverReady: ready, earlyDeaths: deaths, isAbandoned: abandoned)
    }

    private func isHopeless(
        _ slots: [BootWatch.Slot], wasAtWork: Bool = false, sinceStartMs: UInt64
    ) -> Bool {
        BootWatch.isHopeless(slots, wasAtWork: wasAtWork, sinceStartMs: sinceStartMs)
    }

    /// A reload makes routers in fresh slots: that one of those dies says nothing of the cluster.
    @Test func `a role that was at work is given up with its last slot only`() {
        #expect(!isHopeless([slot(1)], wasAtWork: true, sinceStartMs: 1 << 40))
        #expect(
            !isHopeless(
                [slot(30, abandoned: true), slot(29)], wasAtWork: true, sinceStartMs: 1 << 40))
        #expect(isHopeless([slot(30, abandoned: true)], wasAtWork: true, sinceStartMs: 1 << 40))
    }

    @Test func `a cluster of which no worker ever boots is given up`() {
        #expect(isHopeless([slot(5), slot(9)], sinceStartMs: 2000))
        #expect(!isHopeless([slot(5), slot(4)], sinceStartMs: 2000))
        #expect(isHopeless([slot(1), slot(1)], sinceStartMs: 8000))
        #expect(!isHopeless([slot(1), slot(0)], sinceStartMs: 60_000))
    }

    @Test func `one that was ever ready is enough to go on for good`() {
        #expect(!isHopeless([slot(99, ready: true), slot(99)], sinceStartMs: 1 << 40))
        #expect(!isHopeless([], sinceStartMs: 1 << 40))
    }
}

@Suite struct ObituaryTests {
    @Test func `it says who died, how, after how long and what follows`() {
        var obituary = Obituary(
            role: .worker, slot: 1, pid: 123, status: 0, signal: 9, uptimeMs: 12_345,
            wasReady: true, wasOrdered: false, restartDelayMs: 0)
        #expect(
            obituary.line
                == "worker 1 (pid 123) died: killed by SIGKILL, up 12.3 s; restarts at once")
        obituary.signal = 0
        obituary.status = 3
        obituary.uptimeMs = 25
        obituary.wasReady = false
        obituary.restartDelayMs = 340
        #expect(
            obituary.line
                == "worker 1 (pid 123) died: exit code 3, up 0.02 s, never ready; restarts in 0.34 s"
        )
        obituary.wasOrdered = true
        obituary.restartDelayMs = nil
        #expect(obituary.line == "worker 1 (pid 123) left: exit code 3, up 0.02 s, never ready")
    }

    @Test func `it says why it was killed, what it said itself, and that it is given up`() {
        var obituary = Obituary(
            role: .router, slot: 0, pid: 5, status: 0, signal: 9, uptimeMs: 40_000,
            wasReady: true, wasOrdered: false, restartDelayMs: 0)
        obituary.hint = "not by the supervisor"
        #expect(
            obituary.line
                == "router 0 (pid 5) died: killed by SIGKILL (not by the supervisor), up 40.0 s; "
                + "restarts at once")
        obituary.killedBecause = "hung: no heartbeat for 30.1 s"
        obituary.lastWords = "a line\u{1B}[2J\nanother"
        #expect(
            obituary.line
                == "router 0 (pid 5) died: killed by SIGKILL (hung: no heartbeat for 30.1 s), "
                + "up 40.0 s: a line?[2J; restarts at once")
        obituary = Obituary(
            role: .worker, slot: 2, pid: 5, status: 71, signal: 0, uptimeMs: 40, wasReady: false,
            wasOrdered: false, restartDelayMs: nil, isAbandoned: true)
        #expect(
            obituary.line
                == "worker 2 (pid 5) died: exit code 71, up 0.04 s, never ready; abandoned after 30 "
                + "starts: mend the cause and start the cluster anew")
    }

    @Test func `a death streak is told at 1, 2, 4, 8 and so on`() {
        #expect((1...16).filter { Obituary.isNews(earlyDeaths: $0) } == [1, 2, 4, 8, 16])
    }
}
