import Core
import TestSupport

@testable import Router

/// A router: its own windows and pending answers, joined to simulated links and clients as `Routing`
/// joins them to sockets.
final class SimulatedRouter {
    /// The way to one worker.
    private final class Link {
        var out: SimulatedPipe?
        var `in`: SimulatedPipe?
        var successor: (out: SimulatedPipe, in: SimulatedPipe)?
        var carried: [UInt8] = []
        var poison = PoisonMachine()
        /// When there was last a link and is none now; 0 while there is, or never was.
        var lostAtMs: UInt64 = 0
        var isOpen: Bool { out != nil }
    }

    /// One client's connection: a slot of the slab.
    private struct Connection {
        var generation: UInt32 = 0
        var pending = PendingAnswers()
        /// Which hit waits under which ordinal, modulo 64.
        var hits = [UInt64](repeating: 0, count: 64)
    }

    static let waitLimitMs: UInt64 = 2000
    private static let tickMs: UInt64 = 100
    private static let connectionsMax = 8

    let origin: Origin
    private(set) var isAlive = true
    private let agenda: Agenda
    private let windows: UnsafeMutablePointer<FrameWindow>
    private let workers: Int
    private let links: [Link]
    private var expired: [UInt64]
    private var connections = [Connection](repeating: Connection(), count: connectionsMax)
    private let answered: (_ hit: UInt64, Answer) -> Void
    private let linkBroken: (_ worker: Int) -> Void

    init(
        _ agenda: Agenda, origin: Origin, workers: Int,
        answered: @escaping (UInt64, Answer) -> Void, linkBroken: @escaping (Int) -> Void
    ) {
        (self.agenda, self.origin, self.workers) = (agenda, origin, workers)
        (self.answered, self.linkBroken) = (answered, linkBroken)
        windows = .allocate(capacity: workers)
        for worker in 0..<workers {
            (windows + worker).initialize(
                to: FrameWindow(origin: origin, capacity: 4 * Limits.frameBytesMax))
        }
        links = (0..<workers).map { _ in Link() }
        expired = [UInt64](repeating: 0, count: workers)
        tick()
    }

    deinit {
        windows.deinitialize(count: workers)
        windows.deallocate()
    }

    /// Everything is acknowledged.
    var isIdle: Bool { (0..<workers).allSatisfy { (windows + $0).pointee.isEmpty } }

    func die() {
        isAlive = false
        for link in links {
            link.out?.end()
            link.in?.abandon()
            link.successor?.out.end()
            link.successor?.in.abandon()
        }
    }

    // MARK: Clients

    /// A hit on some connection, for that shard.
    func take(_ hit: UInt64, shard: Int, connection: Int) {
        let slot = connection % Self.connectionsMax
        if connections[slot].pending.isFull { return }
        let ordinal = connections[slot].pending.open(isHead: false)
        connections[slot].hits[Int(ordinal & 63)] = hit
        let bytes = SimulatedHit(number: hit).bytes
        let claim = Claim(
            slot: UInt32(slot), generation: connections[slot].generation, ordinal: ordinal,
            expired: false)
        let window = windows + shard
        if let room = window.pointee.reserve(bytes.count, nowMs: agenda.nowMs) {
            bytes.withUnsafeBytes { room.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            window.pointee.commitHit(bytes.count, claim: claim)
        } else {
            settle(claim, .unavailable)
        }
        endTurn()
    }

    /// The client leaves, and another gets its place.
    func replaceClient(connection: Int) {
        let slot = connection % Self.connectionsMax
        connections[slot].generation &+= 1
        connections[slot].pending = PendingAnswers()
    }

    private func settle(_ claim: Claim, _ answer: Answer) {
        let slot = Int(claim.slot)
        guard claim.isStill(connections[slot].generation),
            connections[slot].pending.answer(claim.ordinal, with: answer)
        else { return }
        while connections[slot].pending.firstIsAnswered {
            let (answer, _, ordinal) = connections[slot].pending.takeFirst()
            answered(connections[slot].hits[Int(ordinal & 63)], answer)
        }
    }

    // MARK: Time

    private func tick() {
        agenda.after(Self.tickMs) { [self] in
            guard isAlive else { return }
            for worker in 0..<workers { expireOverdue(worker) }
            endTurn(all: true)
            askForLinks()
            tick()
        }
    }

    private func expireOverdue(_ worker: Int) {
        let window = windows + worker
        guard agenda.nowMs >= Self.waitLimitMs else { return }
        let before = agenda.nowMs - Self.waitLimitMs
        while let (first, count) = window.pointee.overdue(
            before: before, alreadyExpired: expired[worker])
        {
            for index in 0..<count {
                let number = first &+ UInt64(index)
                settle(window.pointee.claim(number), .unavailable)
                window.pointee.expire(number)
            }
            expired[worker] = max(expired[worker], window.pointee.firstFrame) + 1
        }
    }

    private func endTurn(all: Bool = false) {
        for worker in 0..<workers where (windows + worker).pointee.hasOpenFrame {
            let isFree = (windows + worker).pointee.sentFrames == 0 && links[worker].isOpen
            guard all || isFree else { continue }
            (windows + worker).pointee.seal(nowMs: agenda.nowMs)
            send(to: worker)
        }
    }

    // MARK: Workers

    func link(to worker: Int, out: SimulatedPipe, in: SimulatedPipe) {
        guard isAlive else { return }
        if links[worker].isOpen {
            links[worker].successor?.out.end()
            links[worker].successor?.in.abandon()
            links[worker].successor = (out, `in`)
        } else {
            open(worker, out, `in`)
        }
    }

    private func open(_ worker: Int, _ out: SimulatedPipe, _ in: SimulatedPipe) {
        links[worker].out = out
        links[worker].in = `in`
        links[worker].carried = []
        links[worker].lostAtMs = 0
        links[worker].poison.linkOpened()
        `in`.didRead = { [unowned self] in read(worker, $0) }
        `in`.didEnd = { [unowned self] in close(worker, isAbandoned: false) }
        `in`.resume()
        _ = (windows + worker).pointee.sendAgain()
        send(to: worker)
    }

    /// The worker is gone, or the supervisor is asked for a new link to it.
    private func close(_ worker: Int, isAbandoned: Bool) {
        guard isAlive else { return }
        if !isAbandoned { workerDied(worker) }
        links[worker].lostAtMs = agenda.nowMs
        links[worker].out?.end()
        links[worker].in?.abandon()
        links[worker].out = nil
        links[worker].in = nil
        if let next = links[worker].successor {
            links[worker].successor = nil
            open(worker, next.out, next.in)
        } else if isAbandoned {
            linkBroken(worker)
        }
    }

    /// As if the other end had said nonsense.
    func cut(_ worker: Int) {
        if links[worker].isOpen { close(worker, isAbandoned: true) }
    }

    /// The other end went away by itself: is something in the window to blame?
    private func workerDied(_ worker: Int) {
        let window = windows + worker
        _ = links[worker].poison.workerDied(
            with: window.pointee,
            hadReadAll: links[worker].out?.wasReadWhole ?? false)
    }

    private func askForLinks() {
        for worker in 0..<workers
        where links[worker].lostAtMs > 0 && agenda.nowMs >= links[worker].lostAtMs + 1000 {
            links[worker].lostAtMs = agenda.nowMs
            linkBroken(worker)
        }
    }

    private func sendLone(_ worker: Int, _ out: SimulatedPipe) {
        var frame = [UInt8](repeating: 0, count: Limits.frameBytesMax)
        let count = frame.withUnsafeMutableBytes {
            links[worker].poison.writeLoneFrame(
                of: (windows + worker).pointee, to: $0.baseAddress!)
        }
        guard let count else { return }
        links[worker].poison.didSend()
        frame[..<count].withUnsafeBytes { out.write($0) }
    }

    private func send(to worker: Int) {
        guard let out = links[worker].out else { return }
        if links[worker].poison.isIsolating { return sendLone(worker, out) }
        let window = windows + worker
        while let run = window.pointee.unsent() {
            out.write(run.bytes)
            window.pointee.didSend(frames: run.frames)
        }
    }

    private func read(_ worker: Int, _ bytes: [UInt8]) {
        guard isAlive else { return }
        links[worker].carried += bytes
        while links[worker].carried.count >= FrameHeader.byteCount {
            let (header, verdicts) = links[worker].carried.withUnsafeBytes {
                all -> (FrameHeader?, [UInt8]) in
                guard let header = try? FrameHeader.read(all.baseAddress!) else { return (nil, []) }
                guard all.count >= Int(header.byteCount) else { return (header, []) }
                return (header, Array(all[FrameHeader.byteCount..<Int(header.byteCount)]))
            }
            guard let header, header.kind == .ack else { return cut(worker) }
            if links[worker].carried.count < Int(header.byteCount) { return }
            links[worker].carried.removeFirst(Int(header.byteCount))
            if !settle(worker, header, verdicts) { return cut(worker) }
            endTurn()
            if !links[worker].isOpen { return }
        }
        if (windows + worker).pointee.unsentFrames > 0 { send(to: worker) }
    }

    private func settle(_ worker: Int, _ header: FrameHeader, _ verdicts: [UInt8]) -> Bool {
        let window = windows + worker
        switch links[worker].poison.acknowledge(header, in: &window.pointee) {
        case .unexpected: return false
        case .repeated: return true
        case .claims(let first, let count):
            for index in 0..<count {
                settle(window.pointee.claim(first &+ UInt64(index)), verdicts[index])
            }
            return true
        }
    }

    private func settle(_ claim: Claim, _ verdict: UInt8) {
        if claim.expired { return }
        settle(claim, Self.answer(for: Verdict(rawValue: verdict)))
    }

    private static func answer(for verdict: Verdict?) -> Answer {
        switch verdict {
        case .good: .pixel
        case .bad: .invalidPixel
        case .refused, nil: .unavailable
        }
    }
}
