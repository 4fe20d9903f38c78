import Core
import Platform

/// The local Firehose: the API on its socket, the store behind it, and the loop's work between
/// them. Everything happens on the loop's thread.
public final class FirehoseService {
    public typealias Sink = Settings.Sink

    /// Work between two looks at the sockets. While clients send, a body of megabytes takes many
    /// turns of the loop, so that the work of a turn is what delays its answer.
    private static let sliceNanoseconds: UInt64 = 8_000_000
    private static let busySliceNanoseconds: UInt64 = 1_000_000
    private static let tickMs: UInt64 = 100
    private static let retryMs: UInt64 = 1000

    private let loop: Loop
    private let store: StreamStore
    private let log: (String) -> Void
    private let faults: FaultDesk
    private var server: HTTPServer?
    private var tick: Timer?
    private var retry: Timer?
    private var work: Idle?
    private var isWorking = false
    private var readBytesSeen: UInt64 = 0
    private var ticks: UInt64 = 0
    private var flushes: [(upTo: UInt64, done: () -> Void)] = []
    /// Set by `stop`: when to leave with work undone.
    private var stopDeadlineMs: UInt64?
    private var whenStopped: (() -> Void)?

    /// Why the oldest buffer cannot become an object or be loaded; nil while all is well. A `flush`
    /// waits as long as there is a reason, so whoever waits should show it.
    public var trouble: String? { store.trouble }

    /// Opens the data folder, takes up what an earlier process left, and listens.
    ///
    /// - Parameters:
    ///   - listenDescriptor: a bound TCP socket; owned from here on.
    ///   - dataFolder: absolute path; `local/`, `s3/` and `warehouse.db` are made in it.
    ///   - credentials: the one key pair that calls may be signed with.
    ///   - streams: names of good streams; their rows go to `good`. `badStreams` likewise.
    ///   - routerOrigin: for the demo page, "http://127.0.0.1:8080".
    ///   - tls: what the API speaks TLS with; lives as long as the process. nil: plain HTTP.
    ///   - faults: the plan to begin with.
    ///   - log: takes one line.
    ///
    /// Throws when the folder cannot be used or is another's, when the warehouse cannot be opened,
    /// or when the socket cannot listen; each says what to do.
    public init(
        loop: Loop, listenDescriptor: Int32, dataFolder: String, sink: Sink,
        bufferIntervalMs: UInt64, credentials: Credentials, region: String, good: WarehouseTable,
        bad: WarehouseTable, streams: [String], badStreams: [String], routerOrigin: String,
        tls: UnsafePointer<TLSContext>? = nil, faults entries: FaultEntries = FaultEntries(),
        counters: CounterPage, log: @escaping (String) -> Void
    ) throws {
        self.loop = loop
        self.log = log
        faults = FaultDesk(counters: counters)
        let storeSink: StreamStore.Sink =
            switch sink {
            case .warehouse: .warehouse
            case .objects: .objects
            case .discard: .discard
            }
        store = try StreamStore(
            options: .init(
                dataFolder: dataFolder, sink: storeSink, bufferIntervalMs: bufferIntervalMs,
                good: good, bad: bad),
            goodStreams: streams, badStreams: badStreams, counters: counters, log: log)
        let api = FirehoseAPI(
            store: store, credentials: credentials, region: region, counters: counters,
            faults: faults, log: log)
        let demo = DemoSite(
            options: .init(
                routerOrigin: routerOrigin, goodTable: good.name, badTable: bad.name),
            warehousePath: sink == .warehouse ? dataFolder + "/warehouse.db" : nil)
        let admin = FaultAdmin(desk: faults, isTLS: tls != nil, log: log)
        server = try HTTPServer(loop: loop, listenDescriptor: listenDescriptor, tls: tls) {
            [weak self] request in
            if request.head.path == FaultAdmin.path {
                return admin.answer(request, nowMs: loop.nowMs)
            }
            guard request.head.method == "POST" else { return demo.answer(request) }
            let answer = api.answer(
                request, nowSeconds: Int64(realtimeMicroseconds() / 1_000_000), nowMs: loop.nowMs)
            self?.startWork()
            return answer
        }
        faults.didChange = { [unowned self] in
            server?.faults = faults.connectionFaults(loop)
        }
        faults.set(entries, nowMs: loop.nowMs)
        makeHandles()
        startWork()
    }

    private func makeHandles() {
        let owner = Unmanaged.passUnretained(self).toOpaque()
        work = Idle(in: loop, owner: owner) { FirehoseService.at($0).workASlice() }
        retry = Timer(in: loop, owner: owner) { FirehoseService.at($0).startWork() }
        tick = Timer(in: loop, owner: owner) { FirehoseService.at($0).didTick() }
        tick!.start(afterMs: Self.tickMs, repeatMs: Self.tickMs)
    }

    private static func at(_ owner: UnsafeMutableRawPointer) -> FirehoseService {
        Unmanaged<FirehoseService>.fromOpaque(owner).takeUnretainedValue()
    }

    // MARK: Work

    private func startWork() {
        if isWorking || !store.hasWork { return }
        isWorking = true
        work?.start()
    }

    private func stopWork() {
        isWorking = false
        work?.stop()
    }

    private func workASlice() {
        let readBytes = server?.readBytes ?? 0
        let slice =
            readBytes == readBytesSeen ? Self.sliceNanoseconds : Self.busySliceNanoseconds
        readBytesSeen = readBytes
        let goesOn = store.step(untilNanoseconds: monotonicNanoseconds() + slice)
        if !goesOn {
            stopWork()
            retry?.start(afterMs: Self.retryMs)
        } else if !store.hasWork {
            stopWork()
        }
        reportFlushes()
        if stopDeadlineMs != nil { leaveIfDone() }
    }

    private func didTick() {
        store.sealDue(nowMs: loop.nowMs)
        if !retryIsPending { startWork() }
        ticks += 1
        if ticks % 10 == 0 { server?.sweep() }
        if stopDeadlineMs != nil { leaveIfDone() }
    }

    private var retryIsPending: Bool { retry?.isActive ?? false }

    // MARK: Flush and stop

    /// Makes objects of everything taken so far and, with the sink `warehouse`, loads them; then
    /// calls. While the disk or the warehouse refuses, it waits (see `trouble`).
    public func flush(done: @escaping () -> Void) {
        store.sealAll()
        flushes.append((upTo: store.queuedJobs, done: done))
        startWork()
        reportFlushes()
    }

    private func reportFlushes() {
        while let first = flushes.first, store.finishedJobs >= first.upTo {
            flushes.removeFirst()
            first.done()
        }
    }

    /// Closes the sockets, finishes what was taken for at most `workMsMax`, and calls `done`. What
    /// is left undone is done at the next start: it stays in the buffers.
    public func stop(workMsMax: UInt64 = 2000, done: @escaping () -> Void) {
        guard whenStopped == nil, let server else { return }
        whenStopped = done
        server.stop { [weak self] in
            guard let self else { return }
            self.server = nil
            self.store.sealAll()
            self.stopDeadlineMs = self.loop.nowMs + workMsMax
            self.startWork()
            self.leaveIfDone()
        }
    }

    private func leaveIfDone() {
        guard let deadline = stopDeadlineMs, let done = whenStopped else { return }
        if store.hasWork && loop.nowMs < deadline { return }
        stopDeadlineMs = nil
        whenStopped = nil
        stopWork()
        for timer in [tick, retry] { timer?.close() }
        work?.close()
        (tick, retry, work) = (nil, nil, nil)
        store.warehouse?.settle()
        done()
    }
}
