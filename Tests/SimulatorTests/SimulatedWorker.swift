import Core
import Platform
import TestSupport

@testable import Worker

/// A worker: its own spool, on a simulated disk, and its deliveries, joined to simulated links as
/// `Working` joins them to sockets.
final class SimulatedWorker {
    private final class Link {
        let out: SimulatedPipe
        let `in`: SimulatedPipe
        var carried: [UInt8] = []

        init(out: SimulatedPipe, in: SimulatedPipe) { (self.out, self.in) = (out, `in`) }
    }

    let disk: ProcessDisk
    private let agenda: Agenda
    private let spool: UnsafeMutablePointer<ShardSpool>
    private let encoder: UnsafeMutablePointer<RowEncoder>
    private var goodRows = RowBatch()
    private var badRows = RowBatch()
    private var links: [Link] = []
    private(set) var good: SimulatedDelivery!
    private(set) var bad: SimulatedDelivery!

    /// Recovers the shard. Fails as a worker's start does.
    init(
        _ agenda: Agenda, _ disk: ProcessDisk, _ firehose: SimulatedFirehose, shard: Int,
        encoder: UnsafeMutablePointer<RowEncoder>, dice: SeededDice
    ) throws(SpoolError) {
        (self.agenda, self.disk, self.encoder) = (agenda, disk, encoder)
        let opened = try ShardSpool.open(
            spoolFolder: "/spool", shard: shard, bytesMax: 256 << 10, badBytesMax: 256 << 10,
            segmentBytes: 64 << 10, files: disk.files)
        spool = .allocate(capacity: 1)
        spool.initialize(to: opened)
        var dice = dice
        let random = { dice.next() }
        let isAlive = { [unowned self] in !self.disk.isDead }
        let alive = { [weak self] in self != nil && isAlive() }
        good = SimulatedDelivery(
            agenda, firehose, isGood: true,
            lane: withUnsafeMutablePointer(to: &spool.pointee.good) { $0 }, random: random,
            isAlive: alive)
        bad = SimulatedDelivery(
            agenda, firehose, isGood: false,
            lane: withUnsafeMutablePointer(to: &spool.pointee.bad) { $0 }, random: random,
            isAlive: alive)
    }

    deinit {
        spool.deinitialize(count: 1)
        spool.deallocate()
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

    /// In order: it makes its cursors durable and lets go.
    func close() {
        spool.pointee.close()
        die()
    }

    func flush() {
        good.flushNow()
        bad.flushNow()
    }

    func open(out: SimulatedPipe, in: SimulatedPipe) {
        let link = Link(out: out, in: `in`)
        links.append(link)
        `in`.didRead = { [unowned self, unowned link] in read(link, $0) }
        `in`.didEnd = { [unowned self, unowned link] in
            link.out.end()
            links.removeAll { $0 === link }
        }
        `in`.resume()
    }

    private func read(_ link: Link, _ bytes: [UInt8]) {
        if disk.isDead { return }
        link.carried += bytes
        while link.carried.count >= FrameHeader.byteCount {
            let header = link.carried.withUnsafeBytes { try? FrameHeader.read($0.baseAddress!) }
            guard let header, header.kind != .ack else { return cut(link) }
            if link.carried.count < Int(header.byteCount) { return }
            let frame = Array(link.carried[..<Int(header.byteCount)])
            link.carried.removeFirst(Int(header.byteCount))
            let ack = frame.withUnsafeBytes { take(header, $0) }
            // Nothing that a process does after its death is ever seen.
            if disk.isDead { return }
            ack.withUnsafeBytes { link.out.write($0) }
            if goodRows.hitCount > 0 { good.appended(bytes: goodRows.byteCount) }
            if badRows.hitCount > 0 { bad.appended(bytes: badRows.byteCount) }
        }
    }

    /// Reads nothing for a while, as when it is stopped by a signal.
    func stall(forMs ms: UInt64) {
        for link in links {
            link.in.pause()
            agenda.after(ms) { link.in.resume() }
        }
    }

    private func cut(_ link: Link) {
        link.out.end()
        link.in.abandon()
        links.removeAll { $0 === link }
    }

    /// The frame's ack.
    private func take(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer) -> [UInt8] {
        goodRows.clear()
        badRows.clear()
        var verdicts: [UInt8] = []
        var at = FrameHeader.byteCount
        for _ in 0..<Int(header.hitCount) {
            let hit = HitView(UnsafeRawBufferPointer(rebasing: frame[at...]))!
            at += hit.byteCount
            verdicts.append(encode(hit).rawValue)
        }
        let good = store(&spool.pointee.good, &goodRows, header)
        let bad = store(&spool.pointee.bad, &badRows, header)
        for index in verdicts.indices {
            let stored = verdicts[index] == Verdict.good.rawValue ? good : bad
            if !stored { verdicts[index] = Verdict.refused.rawValue }
        }
        var ack = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        ack.withUnsafeMutableBytes {
            FrameHeader(
                byteCount: UInt32(FrameHeader.byteCount + verdicts.count), kind: .ack,
                hitCount: header.hitCount, origin: header.origin, sequence: header.sequence
            ).write(to: $0.baseAddress!)
        }
        return ack + verdicts
    }

    private func encode(_ hit: HitView) -> Verdict {
        let row = encoder.pointee.encode(hit, into: goodRows.end)
        if row.kind == .good {
            goodRows.commit(
                row.byteCount, receivedAtMicroseconds: hit.receivedAtMicroseconds)
            return .good
        }
        UnsafeMutableRawPointer(badRows.end).copyMemory(
            from: goodRows.end, byteCount: row.byteCount)
        badRows.commit(row.byteCount, receivedAtMicroseconds: hit.receivedAtMicroseconds)
        return .bad
    }

    private func store(
        _ lane: inout SpoolLane, _ rows: inout RowBatch, _ header: FrameHeader
    ) -> Bool {
        if rows.hitCount == 0 || lane.holds(header.origin, header.sequence) { return true }
        let outcome = lane.append(
            rows.base, payloadBytes: rows.byteCount, hitCount: rows.hitCount, kind: .rows,
            origin: header.origin, sequence: header.sequence,
            receivedAtMicroseconds: rows.receivedAtMicroseconds)
        if case .stored = outcome { return true }
        rows.clear()
        return false
    }
}
