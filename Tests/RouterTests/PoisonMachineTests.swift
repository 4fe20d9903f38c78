import Core
import Testing

@testable import Router

@Suite struct PoisonMachineTests {
    private typealias Oldest = (sequence: UInt64, hitCount: Int)

    /// A machine that was brought to sending batch 7 of three hits hit by hit.
    private func isolating() -> PoisonMachine {
        var machine = PoisonMachine()
        check(machine.workerDied(oldest: (7, 3), hadReadAll: false) == .sendAgain)
        check(machine.workerDied(oldest: (7, 3), hadReadAll: false) == .isolate)
        return machine
    }

    private func number(_ place: Int) -> UInt64 { 7 * 256 + UInt64(place) }

    private func send(_ machine: inout PoisonMachine) -> PoisonMachine.LoneFrame? {
        guard let frame = machine.toSend else { return nil }
        machine.didSend()
        return frame
    }

    private func die(_ machine: inout PoisonMachine, read: Bool = true)
        -> PoisonMachine.DeathAction
    {
        let action = machine.workerDied(oldest: nil, hadReadAll: read)
        machine.linkOpened()
        return action
    }

    private func acknowledge(_ machine: inout PoisonMachine, _ place: Int, hits: Int = 1)
        -> PoisonMachine.AckOutcome
    {
        machine.acknowledge(sequence: number(place), hitCount: hits)
    }

    @Test func `two deaths with the same oldest batch take it apart`() {
        var machine = PoisonMachine()
        check(machine.toSend == nil)
        check(machine.workerDied(oldest: (7, 3), hadReadAll: true) == .sendAgain)
        check(machine.toSend == nil && !machine.isIsolating)
        check(machine.workerDied(oldest: (7, 3), hadReadAll: true) == .isolate)
        check(machine.isIsolating)
        check(machine.toSend == .init(kind: .lone, place: 0, sequence: number(0)))
    }

    @Test func `deaths with different oldest batches, or with none, take nothing apart`() {
        var machine = PoisonMachine()
        let history: [Oldest?] = [(1, 9), (2, 9), nil, (3, 9), (1, 9), (3, 9), nil, nil]
        for oldest in history {
            check(machine.workerDied(oldest: oldest, hadReadAll: true) == .sendAgain)
        }
        // A worker that got nothing says nothing about what the one before it died of.
        check(machine.workerDied(oldest: (3, 9), hadReadAll: true) == .isolate)
    }

    @Test func `hits go one at a time, in order, and then batches go together again`() {
        var machine = isolating()
        for place in 0..<3 {
            check(
                send(&machine) == .init(kind: .lone, place: place, sequence: number(place)))
            check(machine.toSend == nil, "one at a time")
            let outcome = acknowledge(&machine, place)
            check(outcome == (place < 2 ? .verdict(place: place) : .lastVerdict(place: place)))
        }
        check(!machine.isIsolating && machine.toSend == nil)
        check(machine.workerDied(oldest: (8, 1), hadReadAll: true) == .sendAgain)
    }

    @Test func `a hit that two more workers read and died over goes out undecoded`() {
        var machine = isolating()
        _ = send(&machine)
        _ = acknowledge(&machine, 0)
        check(send(&machine)?.kind == .lone)
        check(die(&machine) == .sendAgain)
        check(send(&machine)?.kind == .lone)
        check(die(&machine) == .goOpaque)
        check(send(&machine) == .init(kind: .opaque, place: 1, sequence: number(1)))
        // It stays so, whatever else the worker dies of.
        check(die(&machine) == .sendAgain)
        check(send(&machine)?.kind == .opaque)
        check(acknowledge(&machine, 1) == .verdict(place: 1))
        // The next one has a clean slate.
        check(send(&machine) == .init(kind: .lone, place: 2, sequence: number(2)))
        check(die(&machine) == .sendAgain)
        check(machine.toSend?.kind == .lone)
    }

    @Test func `a worker that never read the hit did not die of it`() {
        var machine = isolating()
        for _ in 0..<10 {
            check(send(&machine)?.kind == .lone)
            check(die(&machine, read: false) == .sendAgain)
        }
        // Nor did one to which it was never written.
        for _ in 0..<10 { check(die(&machine, read: true) == .sendAgain) }
        check(machine.toSend?.kind == .lone)
    }

    @Test func `acks of what is not out are not taken`() {
        var machine = PoisonMachine()
        check(acknowledge(&machine, 0) == .unexpected, "nothing is sent hit by hit")
        machine = isolating()
        check(acknowledge(&machine, 0) == .unexpected, "not sent")
        _ = send(&machine)
        check(acknowledge(&machine, 1) == .unexpected)
        check(acknowledge(&machine, 0, hits: 2) == .unexpected)
        check(machine.acknowledge(sequence: .max, hitCount: 1) == .unexpected)
        check(acknowledge(&machine, 0) == .verdict(place: 0))
        check(acknowledge(&machine, 0) == .repeated)
        check(acknowledge(&machine, 1) == .unexpected, "not sent")
        _ = send(&machine)
        _ = die(&machine)
        check(acknowledge(&machine, 1) == .unexpected, "not sent on this link")
    }
}
