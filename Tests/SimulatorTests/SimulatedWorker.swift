import Config
import Core
import Platform
import TestSupport

@testable import Worker

/// A worker: its own spool, on a simulated disk, its own intake and deliveries, joined to simulated
/// links as `Working` joins them to sockets.
final class SimulatedWorker {
    private final class Link {
        let out: SimulatedPipe
        let `in`: SimulatedPipe
        var carried: [UInt8] = []
        /// Acks that wait for a sync.
        var waiting = AckQueue()
        var isClosed = false
        /// No more frames are taken from it until a group is settled.
        var isHeldUp = false

        init(out: SimulatedPipe, in: SimulatedPipe) { (self.out, self.in) = (out, `in`) }
    }

    private static let tickMs: UInt64 = 250

    let disk: ProcessDisk
    private let agenda: Agenda
    private let spool: UnsafeMutablePointer<ShardSpool>
    private let intake: UnsafeMutablePointer<ShardIntake>
    private let page: UnsafeMutableRawPointer
    private let goodQueue: UnsafeMutablePointer<LaneQueue>
    private let isPoison: (_ hit: UInt64) -> Bool
    private let spoolIsLoose: () -> Void
    private var dice: SeededDice
    private var links: [Link] = []
    private var isStalled = false
    private var isSettling = false
    /// A sync has failed, and what it was for is not yet written again.
    private(set) var knowsOfFailedSync = false
    private(set) var good: SimulatedDelivery!
    private(set) var bad: SimulatedDelivery!

    /// Recovers the shard. Fails as a worker's start does.
    init(
        _ agenda: Agenda, _ disk: ProcessDisk, _ firehose: SimulatedFirehose, shard: Int,
        isSynced: Bool, dice: SeededDice, isPoison: @escaping (UInt64) -> Bool,
        spoolIsLoose: @escaping () -> Void
    ) throws(SpoolError) {
        (self.agenda, self.disk, self.dice) = (agenda, disk, dice)
        (self.isPoison, self.spoolIsLoose) = (isPoison, spoolIsLoose)
        let opened = try ShardSpool.open(
            spoolFolder: "/spool", shard: shard, bytesMax: 256 << 10, badBytesMax: 256 << 10,
            segmentBytes: 64 << 10, files: disk.files)
        spool = .allocate(capacity: 1)
        spool.initialize(to: opened)
        page = .allocate(byteCount: CounterPage.byteCount, alignment: 64)
        page.initializeMemory(as: UInt8.self, repeating: 0, count: CounterPage.byteCount)
        intake = .allocate(capacity: 1)
        intake.initialize(
            to: ShardIntake(
                spool: spool, encoder: RowEncoder(SchemaFile.standard.schema),
                counters: CounterPage(at: page), waitsForSync: isSynced))
        goodQueue = .allocate(capacity: 1)
        let random = { [unowned self] in self.dice.next() }
        let alive = { [weak self] in self.map { !$0.disk.isDead } ?? false }
        let badLane = withUnsafeMutablePointer(to: &spool.pointee.bad) { $0 }
        goodQueue.initialize(
            to: LaneQueue(
                own: withUnsafeMutablePointer(to: &spool.pointee.good) { $0 },
                refuge: .badLane(
                    badLane, MovedRowFormat(SchemaFile.standard.schema),
                    incarnation: self.dice.next())))
        good = SimulatedDelivery(
            agenda, firehose, isGood: true, source: .queue(goodQueue),
            lane: goodQueue.pointee.own, random: random, isAlive: alive)
        bad = SimulatedDelivery(
            agenda, firehose, isGood: false, source: .spool(badLane), lane: badLane,
            random: random, isAlive: alive)
        good.didSetAside = { [unowned self] in bad.appended($0) }
        if isSynced { startSyncing() }
    }

    deinit {
        intake.deinitialize(count: 1)
        intake.deallocate()
        goodQueue.deinitialize(count: 1)
        goodQueue.deallocate()
        spool.deinitialize(count: 1)
        spool.deallocate()
        page.deallocate()
    }

    var ledger: SpoolLedger { spool.pointee.ledger }
    var isCaughtUp: Bool { ledger.good.undelivered == 0 && ledger.bad.undelivered == 0 }
    /// Its cursor in memory is ahead of the one on disk: a death repeats what lies between.
    var hasLooseCursor: Bool {
        !spool.pointee.good.cursorIsWritten || !spool.pointee.bad.cursorIsWritten
    }

    func die() {
        disk.die()
        for link in links {
            link.out.end()
            link.in.abandon()
        }
    }

    func flush() {
        good.flushNow()
        bad.flushNow()
    }

    // MARK: Links

    func open(out: SimulatedPipe, in: SimulatedPipe) {
        let link = Link(out: out, in: `in`)
        links.append(link)
        `in`.didRead = { [unowned self, unowned link] bytes in
            if disk.isDead { return }
            link.carried += bytes
            readFrames(link)
        }
        `in`.didEnd = { [unowned self, unowned link] in close(link) }
        if !isStalled { `in`.resume() }
    }

    private func readFrames(_ link: Link) {
        while !link.isClosed, link.carried.count >= FrameHeader.byteCount {
            let header = link.carried.withUnsafeBytes { try? FrameHeader.read($0.baseAddress!) }
            guard let header, header.kind != .ack else { return close(link) }
            if link.carried.count < Int(header.byteCount) { break }
            let frame = Array(link.carried[..<Int(header.byteCount)])
            link.carried.removeFirst(Int(header.byteCount))
            let isWhole = frame.withUnsafeBytes { take(header, $0, from: link) }
            // Nothing that a process does after its death is ever seen.
            if disk.isDead { return }
            if !isWhole { return close(link) }
            if mustWait(link) {
                link.isHeldUp = true
                link.in.pause()
                break
            }
        }
        syncSpool()
    }

    private func mustWait(_ link: Link) -> Bool {
        link.waiting.isFull || intake.pointee.isSaturated
    }

    /// Reads nothing for a while, as when it is stopped by a signal.
    func stall(forMs ms: UInt64) {
        isStalled = true
        for link in links { link.in.pause() }
        agenda.after(ms) { [weak self] in self?.goOn() }
    }

    func goOn() {
        isStalled = false
        for link in links where !link.isHeldUp { link.in.resume() }
    }

    private func close(_ link: Link) {
        link.isClosed = true
        link.out.end()
        link.in.abandon()
        links.removeAll { $0 === link }
    }

    // MARK: Frames

    private func take(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer, from link: Link)
        -> Bool
    {
        if header.kind != .opaque, SimulatedHit.numbers(in: frame).contains(where: isPoison) {
            disk.die()
            return true
        }
        let taken = intake.pointee.take(header, frame)
        if disk.isDead { return true }
        switch taken {
        case .malformed: return false
        case .settled where link.waiting.isEmpty: link.out.write(intake.pointee.ack)
        case .settled: link.waiting.append(intake.pointee.ack, group: 0)
        case .waiting(let group): link.waiting.append(intake.pointee.ack, group: group)
        }
        let appended = intake.pointee.didAppend()
        if appended.good.bytes > 0 { good.appended(appended.good) }
        if appended.bad.bytes > 0 { bad.appended(appended.bad) }
        return true
    }

    // MARK: Syncs

    private func startSyncing() {
        for failure in [
            spool.pointee.good.startSyncing(), spool.pointee.bad.startSyncing(),
        ] where failure != nil { spoolIsLoose() }
        tick()
    }

    private func tick() {
        agenda.after(Self.tickMs) { [weak self] in
            guard let self, !self.disk.isDead else { return }
            self.intake.pointee.tick(nowMs: self.agenda.nowMs)
            self.syncSpool()
            self.tick()
        }
    }

    /// Begins a sync if frames wait for one and none is under way.
    private func syncSpool() {
        if isSettling || disk.isDead { return }
        isSettling = true
        defer { isSettling = false }
        while true {
            let action = intake.pointee.beginSync(nowMs: agenda.nowMs)
            if disk.isDead { return }
            switch action {
            case .none: return
            case .sync(let good, let bad): return sync(good, bad)
            case .settled(let settled): deal(with: settled)
            }
        }
    }

    /// What is there when the sync begins is all it is good for, though its end is late.
    private func sync(_ good: Int32, _ bad: Int32) {
        let failures = (failure(ofSyncing: good), failure(ofSyncing: bad))
        if disk.isDead { return }
        knowsOfFailedSync = failures.0 != nil || failures.1 != nil
        agenda.after(1 + dice.roll(12)) { [weak self] in
            guard let self, !self.disk.isDead else { return }
            self.syncEnded(failures.0, failures.1)
        }
    }

    private func failure(ofSyncing file: Int32) -> Failure? {
        if file < 0 { return nil }
        do throws(Failure) {
            try disk.syncData(file)
            return nil
        } catch {
            return error
        }
    }

    private func syncEnded(_ good: Failure?, _ bad: Failure?) {
        let settled = intake.pointee.finishSync(
            good: good, bad: bad, nanoseconds: 1, nowMs: agenda.nowMs)
        if disk.isDead { return }
        knowsOfFailedSync = false
        isSettling = true
        deal(with: settled)
        isSettling = false
        syncSpool()
    }

    private func deal(with settled: ShardIntake.Settled) {
        if settled.lostGood != nil { refuse(.good) }
        if settled.lostBad != nil { refuse(.bad) }
        for link in links where !link.isClosed { goOn(link) }
    }

    private func refuse(_ lane: SpoolLaneName) {
        spoolIsLoose()
        for link in links { _ = link.waiting.refuse(lane) }
    }

    /// Acks that may leave, leave, then frames are taken.
    private func goOn(_ link: Link) {
        let settled = link.waiting.settled(through: intake.pointee.commit.settledGroup)
        if settled.acks > 0 {
            link.out.write(settled.bytes)
            link.waiting.removeFirst(settled.acks)
        }
        guard link.isHeldUp, !mustWait(link) else { return }
        link.isHeldUp = false
        readFrames(link)
        if !disk.isDead, !link.isClosed, !link.isHeldUp, !isStalled { link.in.resume() }
    }
}
