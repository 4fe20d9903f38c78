import Core
import Glibc
import Platform
import TestSupport
import Testing

@testable import Worker

/// A worker without a loop, the router at the other end of its one link, and the disk under it.
final class IntakeRig {
    struct Sent {
        var sequence: UInt64
        var frame: [UInt8]
        var ids: [String]
    }

    static let schema = Schema(columns: [
        Schema.Column(name: "id", type: .varchar(36), sources: [.hitID]),
        Schema.Column(name: "name", type: .varchar(60_000), required: true),
    ])

    let disk: PowerLossDisk
    var nowMs: UInt64 = 0
    private let waitsForSync: Bool
    private let segmentBytes: UInt64
    private let page = UnsafeMutableRawPointer.allocate(
        byteCount: CounterPage.byteCount, alignment: 4096)
    let counters: CounterPage
    let spool = UnsafeMutablePointer<ShardSpool>.allocate(capacity: 1)
    let intake = UnsafeMutablePointer<ShardIntake>.allocate(capacity: 1)
    private let queue = UnsafeMutablePointer<AckQueue>.allocate(capacity: 1)
    private var isOpen = false
    private var syncing: (good: PowerLossDisk.Sync?, bad: PowerLossDisk.Sync?)?

    // The router
    private var origin = Origin(slot: 0, incarnation: 1)
    private var nextSequence: UInt64 = 1
    private var nextHit: UInt64 = 1
    private(set) var unanswered: [Sent] = []
    private(set) var sentIds: Set<String> = []
    /// Answered 200 or 400.
    private(set) var promised: Set<String> = []
    private(set) var refused: Set<String> = []

    // Firehose
    private(set) var delivered: [String: Int] = [:]

    init(_ disk: PowerLossDisk, waitsForSync: Bool = true, segmentBytes: UInt64 = 64 << 10) throws {
        self.disk = disk
        self.waitsForSync = waitsForSync
        self.segmentBytes = segmentBytes
        page.initializeMemory(as: UInt8.self, repeating: 0, count: CounterPage.byteCount)
        counters = CounterPage(at: page)
        try start()
    }

    deinit {
        end()
        page.deallocate()
        spool.deallocate()
        intake.deallocate()
        queue.deallocate()
    }

    // MARK: The worker's life

    private func start() throws {
        spool.initialize(
            to: try ShardSpool.open(
                spoolFolder: "spool", shard: 0, bytesMax: 64 << 20, badBytesMax: 64 << 20,
                segmentBytes: segmentBytes, files: disk.files))
        if waitsForSync {
            _ = spool.pointee.good.startSyncing()
            _ = spool.pointee.bad.startSyncing()
        }
        intake.initialize(
            to: ShardIntake(
                spool: spool, encoder: RowEncoder(Self.schema), counters: counters,
                waitsForSync: waitsForSync))
        queue.initialize(to: AckQueue())
        isOpen = true
    }

    private func end() {
        if !isOpen { return }
        isOpen = false
        syncing = nil
        intake.deinitialize(count: 1)
        queue.deinitialize(count: 1)
        spool.deinitialize(count: 1)
    }

    /// kill -9: the link breaks, the page cache stays, the router sends again what it has no ack of.
    func killWorker() throws {
        // The kernel goes on with a sync that a thread was at.
        if disk.dice.chance(50) {
            if let sync = syncing?.good { _ = disk.endSync(sync) }
            if let sync = syncing?.bad { _ = disk.endSync(sync) }
        }
        end()
        try startAgain()
        let again = unanswered
        for sent in again where isOpen { receive(sent) }
        sync()
    }

    /// The link alone breaks: acks that wait are gone, and the router sends their frames again.
    func breakLink() {
        queue.deinitialize(count: 1)
        queue.initialize(to: AckQueue())
        for sent in unanswered { receive(sent) }
        sync()
    }

    func cutPower() throws {
        end()
        disk.cutPower()
        unanswered = []
        origin.incarnation += 1
        nextSequence = 1
        try startAgain()
    }

    /// It may die while it starts, too.
    private func startAgain() throws {
        disk.restart()
        // A worker that finds no room for its cursor starts again until it does.
        disk.isFull = false
        try start()
    }

    // MARK: The router

    var mayRead: Bool { !queue.pointee.isFull && !intake.pointee.isSaturated }

    /// A frame of `hits` hits of which some are bad. A good row has `bytes` times the filler: a quote
    /// takes two bytes of it.
    func send(hits: Int, badPercent: Int, bytes: Int = 100, filler: Character = "x") {
        var body: [UInt8] = []
        var ids: [String] = []
        for _ in 0..<hits {
            let isBad = disk.dice.chance(badPercent)
            body += hit(
                nextHit,
                isBad
                    ? "/p.gif?n=1" : "/p.gif?name=" + String(repeating: filler, count: bytes))
            ids.append(Self.id(nextHit))
            nextHit += 1
        }
        var frame = [UInt8](repeating: 0, count: FrameHeader.byteCount) + body
        let header = FrameHeader(
            byteCount: UInt32(frame.count), kind: .hits, hitCount: UInt16(hits), origin: origin,
            sequence: nextSequence)
        frame.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        let sent = Sent(sequence: nextSequence, frame: frame, ids: ids)
        nextSequence += 1
        unanswered.append(sent)
        sentIds.formUnion(ids)
        receive(sent)
        sync()
    }

    private func hit(_ number: UInt64, _ target: String) -> [UInt8] {
        let target = Array(target.utf8)
        var bytes = [UInt8](
            repeating: 0,
            count: HitLayout.byteCount(
                target: target.count, userAgent: 0, referer: 0, visitorCookie: 0))
        let address = [UInt8](repeating: 0, count: 16)
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        bytes.withUnsafeMutableBytes { bytes in
            target.withUnsafeBytes { target in
                _ = HitLayout.write(
                    to: bytes.baseAddress!, route: HitLayout.Route.pixel, flags: 0,
                    receivedAtMicroseconds: number, address: address, requestTarget: target,
                    userAgent: none, referer: none, visitorCookie: none)
            }
            bytes.storeBytes(of: number.bigEndian, toByteOffset: 16, as: UInt64.self)
        }
        return bytes
    }

    private static func id(_ number: UInt64) -> String {
        let hex = String(number, radix: 16)
        let digits = String(repeating: "0", count: 16 - hex.count) + hex
        return "00000000-0000-0000-\(digits.prefix(4))-\(digits.suffix(12))"
    }

    private func apply(_ acks: UnsafeRawBufferPointer) {
        // The dead send nothing.
        if disk.isDead { return }
        var at = 0
        while at < acks.count {
            let header = try! FrameHeader.read(acks.baseAddress! + at)
            guard let oldest = unanswered.first, header.kind == .ack,
                header.sequence == oldest.sequence, header.origin == origin,
                Int(header.hitCount) == oldest.ids.count
            else {
                Issue.record("an ack that answers nothing: \(header)")
                return
            }
            for (index, id) in oldest.ids.enumerated() {
                switch Verdict(rawValue: acks[at + FrameHeader.byteCount + index]) {
                case .good, .bad: promised.insert(id)
                case .refused: refused.insert(id)
                case nil: Issue.record("no verdict")
                }
            }
            unanswered.removeFirst()
            at += Int(header.byteCount)
        }
    }

    // MARK: The worker

    private func receive(_ sent: Sent) {
        sent.frame.withUnsafeBytes { frame in
            let header = try! FrameHeader.read(frame.baseAddress!)
            switch intake.pointee.take(header, frame) {
            case .malformed: Issue.record("malformed")
            case .settled where queue.pointee.isEmpty: apply(intake.pointee.ack)
            case .settled: queue.pointee.append(intake.pointee.ack, group: 0)
            case .waiting(let group): queue.pointee.append(intake.pointee.ack, group: group)
            }
            _ = intake.pointee.didAppend()
        }
    }

    var isSyncing: Bool { syncing != nil }

    private func sync() {
        while true {
            switch intake.pointee.beginSync(nowMs: nowMs) {
            case .none: return
            case .sync(let good, let bad):
                syncing = (
                    good < 0 ? nil : disk.beginSync(good), bad < 0 ? nil : disk.beginSync(bad)
                )
                return
            case .settled(let settled): deal(with: settled)
            }
        }
    }

    /// The sync under way ends.
    func endSync() {
        guard let syncing else { return }
        self.syncing = nil
        let good = syncing.good.flatMap { disk.endSync($0) }
        let bad = syncing.bad.flatMap { disk.endSync($0) }
        deal(
            with: intake.pointee.finishSync(good: good, bad: bad, nanoseconds: 1000, nowMs: nowMs))
        sync()
    }

    private func deal(with settled: ShardIntake.Settled) {
        if settled.lostGood != nil { intake.pointee.didRefuse(queue.pointee.refuse(.good)) }
        if settled.lostBad != nil { intake.pointee.didRefuse(queue.pointee.refuse(.bad)) }
        let acks = queue.pointee.settled(through: settled.group)
        apply(acks.bytes)
        queue.pointee.removeFirst(acks.acks)
    }

    func tick(afterMs: UInt64) {
        nowMs += afterMs
        intake.pointee.tick(nowMs: nowMs)
        sync()
    }

    // MARK: Firehose

    /// Takes up to `records` records of a lane.
    func deliver(_ name: SpoolLaneName, records: Int = .max) {
        let lane = withUnsafeMutablePointer(
            to: &spool.pointee.good,
            { good in
                withUnsafeMutablePointer(to: &spool.pointee.bad) { name == .good ? good : $0 }
            })
        var left = records
        while left > 0, let read = lane.pointee.take() {
            for row in read.rows.split(separator: "\n") {
                let id = String(row.dropFirst(7).prefix(36))
                #expect(sentIds.contains(id), "a row that nobody sent: \(row.prefix(80))")
                delivered[id, default: 0] += 1
            }
            lane.pointee.commit(read)
            left -= 1
        }
    }

    /// All that is promised, delivered in the end, and the ledger closes.
    func judge() {
        deliver(.good)
        deliver(.bad)
        let missing = promised.filter { delivered[$0] == nil }
        #expect(missing.isEmpty, "\(missing.count) of \(promised.count) promised are lost")
        let ledger = spool.pointee.ledger
        #expect(ledger.closes)
        #expect(ledger.spooled == 0 && ledger.bad.undelivered == 0)
        #expect(ledger.accepted >= promised.count)
        #expect(ledger.good.byteCount == disk.byteCount(in: "spool/shard-0/good"))
        #expect(ledger.bad.byteCount == disk.byteCount(in: "spool/shard-0/bad"))
    }
}
