import Core
import Glibc
import Platform

/// A running cluster: the supervisor's state and the handles it owns. Its parts decide
/// (`ChildMachine`, `LinkPlan`, `StopMachine`, `FlushMachine`); this acts.
final class Cluster {
    let options: ClusterSettings
    let folder: DataFolder
    let loop: Loop
    let startedAtMs: UInt64
    let counterFile: Int32
    private let counterMemory: SharedRegion
    private let lock: FileLock

    /// As children have it: with the ports that were really bound and the schema's copy.
    let settings: Settings
    let routerSockets: ListeningSockets
    let localSockets: ListeningSockets?

    var book: CounterBook
    let orphans: OrphanShards
    var children: [Child] = []
    var plan = LinkPlan()
    /// Links that could not be made yet for want of descriptors.
    var missingLinks: [LinkPlan.Link] = []
    var stopMachine = StopMachine()
    var exitCode: Int32 = 0
    var hasSaidReady = false
    var flushes: [Flush] = []
    var flushCount: UInt64 = 0
    var server: ControlServer!
    var stopWaiters: [ControlConnection] = []

    var stopTimer: Timer!
    var flushTimer: Timer!
    var resendTimer: Timer!
    var bootTimer: Timer!
    var coresTimer: Timer!
    var cores: Cores!

    /// Takes the data folder and the ports; nothing runs yet.
    init(_ options: ClusterSettings) throws {
        self.options = options
        folder = DataFolder(path: options.settings.dataFolder)
        try folder.prepare()
        lock = try folder.takeLock(
            patienceMs: ListeningSockets.patienceMs, log: options.log)
        var settings = options.settings
        if settings.deliveryMode == .local {
            try LocalCredentials.ensure(at: folder.localCredentials)
        }
        routerSockets = try ListeningSockets.open(
            setting: "listen", settings.listen, count: settings.routers, log: options.log)
        settings.listen.port = routerSockets.port
        localSockets = try Self.openLocal(&settings, options.log)
        self.settings = settings
        orphans = OrphanShards(settings)
        try options.writeSettings(settings, folder.settingsSnapshot)

        let layout = CounterFileLayout(
            routers: settings.routers, workers: settings.workers,
            localFirehoses: localSockets == nil ? 0 : 1, supervisorPid: UInt64(ownPid),
            startedAtMicroseconds: realtimeMicroseconds())
        counterFile = try makeMemoryFile(name: "hydrant-counters", byteCount: layout.byteCount)
        counterMemory = try SharedRegion.map(
            descriptor: counterFile, byteCount: layout.byteCount)
        book = CounterBook(layout: layout, at: counterMemory.base)

        loop = try Loop.make()
        startedAtMs = loop.nowMs
        server = try ControlServer(cluster: self, path: folder.controlSocket)
        makeTimers()
        makeChildren()
    }

    private static func openLocal(
        _ settings: inout Settings, _ log: (String) -> Void
    ) throws(ClusterFailure) -> ListeningSockets? {
        guard settings.deliveryMode == .local else { return nil }
        let sockets = try ListeningSockets.open(
            setting: "local.listen", settings.localListen, count: 1, log: log)
        settings.localListen.port = sockets.port
        return sockets
    }

    /// Runs until the cluster has left; answers its exit code.
    func run() -> Int32 {
        if options.handlesSignals { watchSignals() }
        for child in children { handle(.wanted, of: child) }
        bootTimer.start(afterMs: BootWatch.patienceMs)
        startSharingCores()
        loop.run()
        server.close()
        SmallFile.remove(folder.controlSocket)
        routerSockets.close()
        localSockets?.close()
        closeDescriptor(counterFile)
        return exitCode
    }

    /// What whoever finds the lock taken should know.
    func noteStopping() { lock.note("\(ownPid) stopping\n") }

    static func at(_ owner: UnsafeMutableRawPointer) -> Cluster {
        Unmanaged<Cluster>.fromOpaque(owner).takeUnretainedValue()
    }

    private var owner: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    private func makeTimers() {
        stopTimer = Timer(in: loop, owner: owner) { Cluster.at($0).tickStop() }
        flushTimer = Timer(in: loop, owner: owner) { Cluster.at($0).tickFlushes() }
        resendTimer = Timer(in: loop, owner: owner) { Cluster.at($0).resend() }
        bootTimer = Timer(in: loop, owner: owner) { Cluster.at($0).checkBoot() }
        coresTimer = Timer(in: loop, owner: owner) { Cluster.at($0).lookAtCores() }
    }

    /// Whom others wait for comes first.
    private func makeChildren() {
        for role in [Inheritance.Role.localFirehose, .worker, .router] {
            for slot in 0..<book.layout.slots(of: role) {
                children.append(Child(role: role, slot: slot, cluster: self))
            }
        }
    }

    private func watchSignals() {
        for signal in [SIGTERM, SIGINT, SIGQUIT] {
            _ = SignalWatch(signal, in: loop, owner: owner) { owner, number in
                Cluster.at(owner).stop(because: signalName(number), immediately: false)
            }
        }
        // Their default is death; none of them means that here.
        for signal in [SIGHUP, SIGUSR1, SIGUSR2, SIGALRM] { ignoreSignal(signal) }
    }
}
