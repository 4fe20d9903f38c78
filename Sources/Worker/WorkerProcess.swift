import ChildSupport
import Core
import Glibc
import Platform

/// Why a worker cannot start.
struct WorkerFailure: Error, CustomStringConvertible {
    let description: String
}

/// The worker's process: recovers its shard, builds the state, obeys the supervisor, runs the loop.
/// Never returns.
public func runWorker(_ child: ChildContext) throws -> Never {
    scheduleAsBatch()
    returnLargeBlocks()
    let spool = UnsafeMutablePointer<ShardSpool>.allocate(capacity: 1)
    spool.initialize(to: try openSpool(child))
    let worker = try makeWorker(child, spool)
    worker.state.pointee.didStop = { _exit(0) }
    try child.obey(
        didOrder: { message, descriptor in
            switch message.kind {
            case .link: worker.open(link: descriptor)
            case .flush: worker.flush(cutsWaits: false)
            case .flushNow: worker.flush(cutsWaits: true)
            case .stop, .drain: worker.stop(withinMs: message.number)
            case .replace: worker.stop(withinMs: message.number, readsLinksToEnd: false)
            default: if descriptor >= 0 { close(descriptor) }
            }
        },
        // Without a supervisor nobody restarts anything: acknowledge what is in the links, leave.
        supervisorGone: { worker.stop(withinMs: 1800) })
    worker.state.pointee.release = PacedWork(in: child.loop, owner: worker.raw) {
        Working($0).releaseSome()
    }
    worker.startSyncing()
    provideCredentials(child, to: worker)
    worker.publish()
    Timer(in: child.loop, owner: worker.raw, fire: { Working($0).tick() })
        .start(afterMs: Working.tickMs, repeatMs: Working.tickMs)
    child.becomeReady()
    child.loop.run()
    _exit(0)
}

/// Waits up to five seconds for a predecessor to let go of the shard.
private func openSpool(_ child: ChildContext) throws -> ShardSpool {
    let settings = child.settings
    let deadlineNs = monotonicNanoseconds() + 5_000_000_000
    while true {
        do throws(SpoolError) {
            return try ShardSpool.open(
                spoolFolder: settings.spoolFolder, shard: child.inheritance.slot,
                bytesMax: settings.spoolBytesMax, badBytesMax: settings.spoolBadBytesMax,
                segmentBytes: settings.spoolSegmentBytes)
        } catch {
            guard case .locked = error, monotonicNanoseconds() < deadlineNs else {
                throw WorkerFailure(description: error.description)
            }
            usleep(20_000)
        }
    }
}

private func makeWorker(
    _ child: ChildContext, _ spool: UnsafeMutablePointer<ShardSpool>
) throws -> Working {
    let settings = child.settings
    let shard = child.inheritance.slot
    let host = hostName()
    let target = LaneDelivery.Target(
        route: try ServiceRoute.toFirehose(settings), region: settings.region,
        streamName: settings.streamName(shard: shard, host: host),
        credentials: try localCredentials(settings))
    var badTarget = target
    badTarget.streamName = settings.badStreamName(shard: shard, host: host)

    let badLane = withUnsafeMutablePointer(to: &spool.pointee.bad) { $0 }
    let good = queue(
        withUnsafeMutablePointer(to: &spool.pointee.good) { $0 },
        refuge: .badLane(
            badLane, MovedRowFormat(child.schema), incarnation: randomUInt64()))
    let bad = queue(badLane, refuge: .quarantine)
    let adoption = Adoption(
        .init(
            spoolFolder: settings.spoolFolder, worker: shard, workers: settings.workers,
            bytesMax: settings.spoolBytesMax, badBytesMax: settings.spoolBadBytesMax,
            segmentBytes: settings.spoolSegmentBytes))
    let log = child.log
    let state = UnsafeMutablePointer<WorkerState>.allocate(capacity: 1)
    state.initialize(
        to: WorkerState(
            loop: child.loop, settings: settings, counters: child.counters,
            spool: spool,
            intake: ShardIntake(
                spool: spool, encoder: RowEncoder(child.schema), counters: child.counters,
                waitsForSync: settings.ack == .fsync),
            goodDelivery: deliver(.good, good, to: target, child),
            badDelivery: deliver(.bad, bad, to: badTarget, child), goodQueue: good, badQueue: bad,
            adoption: adoption, log: { log.warning("\($0)") }))
    let worker = Working(state: state)
    state.pointee.goodDelivery.pointee.didSetAside = { worker.didSetAside($0) }
    return worker
}

private func queue(
    _ own: UnsafeMutablePointer<SpoolLane>, refuge: Refuge
) -> UnsafeMutablePointer<LaneQueue> {
    let queue = UnsafeMutablePointer<LaneQueue>.allocate(capacity: 1)
    queue.initialize(to: LaneQueue(own: own, refuge: refuge))
    return queue
}

private func deliver(
    _ lane: LaneDelivery.Lane, _ queue: UnsafeMutablePointer<LaneQueue>,
    to target: LaneDelivery.Target, _ child: ChildContext
) -> LaneDelivery.Pointer {
    var tuning = DeliveryTuning()
    tuning.lingerBytes = child.settings.lingerBytes
    tuning.lingerMs = child.settings.effectiveLingerMs
    tuning.lingerRows = child.settings.effectiveLingerRows
    tuning.recordRowsMax = child.settings.effectiveRecordRowsMax
    tuning.quota = child.settings.quota(ofStream: target.streamName, host: hostName())
    let log = child.log
    let own = queue.pointee.own
    return LaneDelivery.allocate(
        lane, source: .queue(queue),
        undelivered: own.pointee.loadToDeliver,
        target: target, tuning: tuning, in: child.loop, counters: child.counters,
        log: { log.warning("\($0)") })
}

/// Mode local: the pair that the supervisor made. Mode aws: none yet.
private func localCredentials(_ settings: Settings) throws -> Credentials? {
    if settings.deliveryMode == .aws { return nil }
    let path = settings.localCredentialsPath
    let text = String(decoding: try SmallFile.read(path), as: UTF8.self)
    guard let pair = Credentials(profileFile: text) else {
        throw WorkerFailure(
            description: "\(path) holds no key pair; remove it and start the cluster again")
    }
    return pair
}

/// Mode aws: looks for credentials, and goes on doing so. That there are none is no reason not to
/// start: hits are taken and spooled.
private func provideCredentials(_ child: ChildContext, to worker: Working) {
    guard child.settings.deliveryMode == .aws else { return }
    let (good, bad) = (worker.state.pointee.goodDelivery, worker.state.pointee.badDelivery)
    let log = child.log
    var setup = CredentialSearch.Setup(child.settings)
    if child.settings.workers > 1 { setup.spreadMs = CredentialSearch.workersSpreadMs }
    let provider = CredentialProvider.allocate(
        setup, in: child.loop,
        listener: .init(
            use: {
                good.pointee.use($0)
                bad.pointee.use($0)
            },
            lack: {
                good.pointee.lack($0)
                bad.pointee.lack($0)
            },
            tell: { line, isTrouble in
                if isTrouble { log.warning("\(line)") } else { log.info("\(line)") }
            }))
    good.pointee.wantsCredentials = { provider.pointee.refreshNow() }
    bad.pointee.wantsCredentials = { provider.pointee.refreshNow() }
    worker.state.pointee.credentials = provider
    provider.pointee.start()
}
