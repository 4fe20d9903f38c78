import ChildSupport
import Config
import Core
import Glibc
import Platform

/// The local Firehose's process: builds the service, obeys the supervisor, runs the loop, unless
/// told otherwise with what CPU nobody else wants. Never returns.
public func runLocalFirehose(_ child: ChildContext) throws -> Never {
    let settings = child.settings
    switch settings.localPriority {
    case .idle: scheduleWhenIdle()
    case .normal: scheduleAsBatch()
    }
    let log = child.log
    let host = hostName()
    closeOnExec(Inheritance.firstSocket)
    let path = settings.localCredentialsPath
    guard
        let credentials = Credentials(
            profileFile: String(decoding: try SmallFile.read(path), as: UTF8.self))
    else {
        throw LocalFirehoseFailure(
            description: "\(path) holds no key pair; remove it and start the cluster again")
    }
    let faults = try StartChecks.faults(of: settings)
    if !faults.faults.isEmpty {
        log.warning("faults on purpose, \(faults.faults.count) of them: \(settings.faultPlanFile!)")
    }
    let service = try FirehoseService(
        loop: child.loop, listenDescriptor: Inheritance.firstSocket,
        dataFolder: settings.dataFolder, sink: settings.sink,
        bufferIntervalMs: settings.bufferIntervalMs, credentials: credentials,
        region: settings.region, good: WarehouseTable(good: child.schema),
        bad: WarehouseTable(bad: child.schema),
        streams: (0..<settings.workers).map { settings.streamName(shard: $0, host: host) },
        badStreams: (0..<settings.workers).map { settings.badStreamName(shard: $0, host: host) },
        routerOrigin: "http://\(settings.listen.reachable.text)", tls: try tlsContext(settings),
        faults: faults, counters: child.counters,
        log: { log.warning("\($0)") })
    try child.obey(
        didOrder: { message, descriptor in
            switch message.kind {
            case .flush:
                service.flush {
                    child.say(ControlMessage(.flushed, number: message.number))
                }
            case .stop, .drain: service.stop { _exit(0) }
            default: if descriptor >= 0 { close(descriptor) }
            }
        },
        // Quickly: the next cluster waits for this port. Rows of a call that is cut off stay in their
        // spool, objects that are half made are finished at the next start.
        supervisorGone: { service.stop(workMsMax: 200) { _exit(0) } })
    child.becomeReady()
    child.loop.run()
    _exit(0)
}

/// The process's own; never given back.
private func tlsContext(_ settings: Settings) throws -> UnsafePointer<TLSContext>? {
    guard let certificate = settings.localCertificateFile, let key = settings.localKeyFile else {
        return nil
    }
    let made = UnsafeMutablePointer<TLSContext>.allocate(capacity: 1)
    made.initialize(to: try TLSContext.server(certificate: certificate, key: key))
    return UnsafePointer(made)
}

/// Why the local Firehose cannot start.
struct LocalFirehoseFailure: Error, CustomStringConvertible {
    let description: String
}
