import Config
import Core
import Platform
import TestSupport

@testable import Supervisor
@testable import Worker

/// A cluster in one process without a kernel: the machines of supervisor, routers and workers on
/// simulated time, links, disk and Firehose. The same plan is always the same life.
final class Simulation {
    /// One supervised slot.
    final class Child {
        let role: Inheritance.Role
        let slot: Int
        var machine = ChildMachine()
        var incarnation: UInt64 = 0
        var router: SimulatedRouter?
        var worker: SimulatedWorker?
        var disk: ProcessDisk?
        /// Links that came while it was starting: whose they are, and its ends.
        var early: [(peer: Int, out: SimulatedPipe, in: SimulatedPipe)] = []

        init(_ role: Inheritance.Role, _ slot: Int) { (self.role, self.slot) = (role, slot) }

        var end: LinkPlan.End { LinkPlan.End(role: role, slot: slot, incarnation: incarnation) }
    }

    let plan: Plan
    let agenda = Agenda()
    let disk: SimulatedDisk
    let firehose: SimulatedFirehose
    let encoder: UnsafeMutablePointer<RowEncoder>
    private var dice: SeededDice
    private var trafficDice: SeededDice
    private(set) var children: [Child] = []
    private var links = LinkPlan()
    private var incarnations: UInt64 = 0
    private var hits: UInt64 = 0
    private var poison: Set<UInt64>
    private var lastDeathMs: UInt64 = 0
    var judge: Judge

    init(_ plan: Plan, encoder: UnsafeMutablePointer<RowEncoder>) {
        self.plan = plan
        self.encoder = encoder
        disk = SimulatedDisk(seed: plan.seed &+ 1)
        firehose = SimulatedFirehose(
            agenda, seed: plan.seed &+ 2, refusesOneOf: plan.refusesOneOf)
        dice = SeededDice(seed: plan.seed &+ 3)
        trafficDice = SeededDice(seed: plan.seed &+ 4)
        judge = Judge(plan)
        poison = Set(plan.poison)
    }

    /// Lives the plan to its end; what was found wrong, or nil.
    func run() -> String? {
        defer { end() }
        startCluster()
        for event in plan.events {
            agenda.after(event.atMs) { [unowned self] in happen(event.fault) }
        }
        send(everyMs: plan.hitEveryMs, untilMs: plan.trafficMs)
        step(untilMs: plan.trafficMs + 200)
        calmDown()
        if !settle() { return "not everything was delivered two minutes after the last fault" }
        // A lane that a disk refused twice rests for a second.
        if plan.isSynced { step(untilMs: agenda.nowMs + ShardIntake.restMs + 500) }
        poison = poison.filter { $0 <= hits }
        judge.poison = poison.sorted()
        let first = hits + 1
        for _ in 0..<(4 * plan.workers) { sendHit() }
        step(untilMs: agenda.nowMs + 5000)
        if !settle() { return "fresh hits were not delivered" }
        if let flaw = judge.flaw { return flaw }
        judge.fresh = first...hits
        return judge.verdict(
            sent: hits, firehose: firehose,
            ledgers: children.compactMap { $0.worker?.ledger }, encoder: encoder)
    }

    /// Of all that happened and came of it: two lives that differ anywhere differ here.
    var fingerprint: UInt64 {
        var sum = agenda.nowMs &* 31 &+ agenda.count
        sum = sum &* 31 &+ firehose.fingerprint
        for file in disk.files.keys.sorted() {
            for byte in file.utf8 { sum = sum &* 31 &+ UInt64(byte) }
            sum = sum &* 31 &+ UInt64(disk.files[file]!.bytes.count)
        }
        return sum &* 31 &+ dice.next()
    }

    private func end() {
        for child in children { child.router?.die() }
        for child in children { child.worker?.die() }
        agenda.end()
    }

    private func step(untilMs: UInt64) {
        while judge.flaw == nil, agenda.step(untilMs: untilMs) { buryDead() }
    }

    private func calmDown() {
        disk.weather = SimulatedDisk.Weather()
        firehose.weather = SimulatedFirehose.Weather()
        for child in children {
            child.disk?.changesLeft = nil
            child.worker?.goOn()
        }
    }

    /// Runs until nothing waits anywhere, or has for two minutes. A death is a fault too: of poison
    /// workers die on after all else is well, ever later.
    private func settle() -> Bool {
        let startMs = agenda.nowMs
        var round = 0
        while agenda.nowMs < max(startMs, lastDeathMs) + 120_000, agenda.nowMs < startMs + 1_200_000
        {
            round += 1
            step(untilMs: agenda.nowMs + 100)
            if judge.flaw != nil { return true }
            for child in children { child.worker?.flush() }
            let isQuiet = children.allSatisfy { child in
                child.router.map(\.isIdle) ?? child.worker.map(\.isCaughtUp) ?? false
            }
            if isQuiet { return true }
            // A row that is refused is known by others that are taken.
            if plan.refusesOneOf > 0, round % 20 == 0 {
                for _ in 0..<(2 * plan.workers) { sendHit() }
            }
        }
        return false
    }

    // MARK: Traffic

    private func send(everyMs: UInt64, untilMs: UInt64) {
        agenda.after(1 + trafficDice.roll(2 * everyMs)) { [unowned self] in
            for _ in 0...trafficDice.roll(4) { sendHit() }
            if agenda.nowMs < untilMs { send(everyMs: everyMs, untilMs: untilMs) }
        }
    }

    private func sendHit() {
        let routers = children.compactMap(\.router)
        let pick = Int(trafficDice.roll(UInt64(max(1, routers.count))))
        let shard = Int(trafficDice.roll(UInt64(plan.workers)))
        let connection = Int(trafficDice.roll(8))
        guard !routers.isEmpty else { return }
        hits += 1
        routers[pick].take(hits, shard: shard, connection: connection)
    }

    // MARK: Faults

    private func happen(_ fault: Fault) {
        switch fault {
        case .killWorker(let slot): kill(child(.worker, slot))
        case .killWorkerInside(let slot, let changes):
            child(.worker, slot).disk?.changesLeft = changes
        case .killRouter(let slot): kill(child(.router, slot))
        case .killAll: children.forEach { kill($0) }
        case .cutPower: cutPower()
        case .cutLink(let router, let worker): child(.router, router).router?.cut(worker)
        case .stallWorker(let slot, let ms): child(.worker, slot).worker?.stall(forMs: ms)
        case .replaceClients(let count):
            for connection in 0..<count {
                children.forEach { $0.router?.replaceClient(connection: connection) }
            }
        case .disk(let weather, let ms):
            disk.weather = weather
            agenda.after(ms) { [unowned self] in
                if disk.weather == weather { disk.weather = SimulatedDisk.Weather() }
            }
        case .firehose(let weather, let ms):
            firehose.weather = weather
            agenda.after(ms) { [unowned self] in
                if firehose.weather == weather { firehose.weather = SimulatedFirehose.Weather() }
            }
        }
    }

    private func cutPower() {
        for child in children { bury(child) }
        disk.cutPower()
        judge.powerWasCut(isSynced: plan.isSynced)
        links = LinkPlan()
        for child in children {
            child.machine = ChildMachine()
            handle(.wanted, of: child)
        }
    }

    // MARK: The supervisor

    private func startCluster() {
        children = (0..<plan.workers).map { Child(.worker, $0) }
        children += (0..<plan.routers).map { Child(.router, $0) }
        for child in children { handle(.wanted, of: child) }
    }

    private func child(_ role: Inheritance.Role, _ slot: Int) -> Child {
        children.first { $0.role == role && $0.slot == slot }!
    }

    private func handle(_ event: ChildMachine.Event, of child: Child) {
        switch child.machine.handle(event, nowMs: agenda.nowMs, random: dice.next()) {
        case .none, .order, .kill: break
        case .spawn: spawn(child)
        case .spawnAfter(let ms):
            agenda.after(ms) { [unowned self, unowned child] in handle(.timeCame, of: child) }
        }
    }

    private func spawn(_ child: Child) {
        incarnations += 1
        child.incarnation = incarnations
        if child.role == .worker { child.disk = ProcessDisk(disk) }
        handle(.spawned(pid: Int32(incarnations)), of: child)
        for link in links.spawned(child.end) { make(link) }
        let incarnation = child.incarnation
        agenda.after(5 + dice.roll(40)) { [unowned self, unowned child] in
            if child.incarnation == incarnation, child.machine.pid == Int32(incarnation) {
                begin(child)
            }
        }
    }

    private func make(_ link: LinkPlan.Link) {
        let router = child(.router, link.router.slot)
        let worker = child(.worker, link.worker.slot)
        let there = SimulatedPipe(agenda, seed: dice.next())
        let back = SimulatedPipe(agenda, seed: dice.next())
        give(router, peer: worker.slot, out: there, in: back)
        give(worker, peer: router.slot, out: back, in: there)
    }

    private func give(_ child: Child, peer: Int, out: SimulatedPipe, in: SimulatedPipe) {
        if let router = child.router {
            router.link(to: peer, out: out, in: `in`)
        } else if let worker = child.worker {
            worker.open(out: out, in: `in`)
        } else {
            child.early.append((peer, out, `in`))
        }
    }

    /// The process has started: it does what its `main` does, and says that it is ready.
    private func begin(_ child: Child) {
        switch child.role {
        case .router: beginRouter(child)
        case .worker: if !beginWorker(child) { return exited(child) }
        case .localFirehose: break
        }
        let early = child.early
        child.early = []
        for link in early { give(child, peer: link.peer, out: link.out, in: link.in) }
        handle(.saidReady, of: child)
    }

    private func beginRouter(_ child: Child) {
        let slot = child.slot
        child.router = SimulatedRouter(
            agenda, origin: Origin(slot: UInt16(slot), incarnation: child.incarnation),
            workers: plan.workers,
            answered: { [unowned self] hit, answer in judge.answered(hit, answer) },
            linkBroken: { [unowned self] worker in relink(slot, worker) })
    }

    private func beginWorker(_ child: Child) -> Bool {
        guard
            let worker = try? SimulatedWorker(
                agenda, child.disk!, firehose, shard: child.slot, isSynced: plan.isSynced,
                dice: SeededDice(seed: dice.next()),
                isPoison: { [unowned self] in poison.contains($0) },
                spoolIsLoose: { [unowned self] in judge.spoolIsLoose() })
        else { return false }
        child.worker = worker
        judge.deliveries += [(worker.good, true), (worker.bad, false)]
        judge.recovered(shard: child.slot, worker.ledger)
        return true
    }

    private func relink(_ router: Int, _ worker: Int) {
        let (router, worker) = (child(.router, router), child(.worker, worker))
        guard router.machine.pid != nil, worker.machine.pid != nil else { return }
        make(LinkPlan.Link(router: router.end, worker: worker.end))
    }

    private func kill(_ child: Child) {
        if child.machine.pid != nil { exited(child) }
    }

    private func exited(_ child: Child) {
        lastDeathMs = agenda.nowMs
        bury(child)
        links.died(child.end)
        handle(.exited, of: child)
    }

    /// Its ends of links and files are closed by the kernel.
    private func bury(_ child: Child) {
        if let worker = child.worker {
            judge.died(worker)
            worker.die()
        }
        child.router?.die()
        child.disk?.die()
        for link in child.early {
            link.out.end()
            link.in.abandon()
        }
        (child.router, child.worker, child.disk, child.early) = (nil, nil, nil, [])
    }

    /// Whoever met its death inside a call on the disk.
    private func buryDead() {
        for child in children where child.worker?.disk.isDead == true { exited(child) }
    }
}
