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
    private(set) var settings: Settings
    /// The same before ports were bound: what a reload is compared with.
    private var wanted: Settings
    private var writeSettings: (Settings, _ path: String) throws -> Void
    /// Which settings these are: 0 at the start, and one more for each reload.
    private(set) var generation = 0
    /// Empty from the moment in which the cluster takes no more clients.
    var routerSockets: ListeningSockets
    let localSockets: ListeningSockets?
    private let adminSockets: ListeningSockets?

    var book: CounterBook
    /// Shards that a worker of their own writes: 0 ..< ownedShards. Those beyond are orphans.
    private(set) var ownedShards: Int
    private(set) var orphans: OrphanShards
    /// For shards whose worker has not come to work yet.
    var spoolLook = SpoolLook()
    var children: [Child] = []
    var plan = LinkPlan()
    /// Links that could not be made yet for want of descriptors.
    var missingLinks: [LinkPlan.Link] = []
    var stopMachine = StopMachine()
    var nextDeliveryLineMs: UInt64 = 0
    var deathHints = DeathHints()
    /// How each shard's delivery gets on.
    var progress: [ProgressWatch] = []
    var exitCode: Int32 = 0
    var hasSaidReady = false
    var rolesSeenAtWork: Set<Inheritance.Role> = []
    var flushes: [Flush] = []
    var flushCount: UInt64 = 0
    var server: ControlServer!
    private var admin: AdminServer?
    var stopWaiters: [StopWaiter] = []

    var reloadMachine = ReloadMachine()
    /// Who waits for the reload under way, and for the one after it.
    var reloadWaiters: [ControlConnection] = []
    var nextReloadWaiters: [ControlConnection] = []
    /// Asked for while one was under way; the last wish counts.
    var nextReload: String?

    var stopTimer: Timer!
    var reloadTimer: Timer!
    var flushTimer: Timer!
    var resendTimer: Timer!
    var bootTimer: Timer!
    var coresTimer: Timer!
    var healthTimer: Timer!
    var cores: Cores!

    /// Takes the data folder and the ports; nothing runs yet.
    init(_ options: ClusterSettings) throws {
        self.options = options
        let log = { (line: String) in options.log(.info, line) }
        folder = DataFolder(path: options.settings.dataFolder)
        try folder.prepare()
        lock = try folder.takeLock(
            patienceMs: ListeningSockets.patienceMs, log: log)
        var settings = options.settings
        if settings.deliveryMode == .local {
            try LocalCredentials.ensure(at: folder.localCredentials)
        }
        routerSockets = try ListeningSockets.open(
            setting: "listen", settings.listen, count: settings.routers, log: log)
        settings.listen.port = routerSockets.port
        localSockets = try Self.openLocal(&settings, log)
        adminSockets = try Self.openAdmin(&settings, log)
        try SpoolHolder.refuse(settings, patienceMs: ListeningSockets.patienceMs, log: log)
        self.settings = settings
        wanted = options.settings
        writeSettings = options.writeSettings
        ownedShards = settings.workers
        orphans = OrphanShards(settings, from: settings.workers)
        do {
            folder.removeReloadSnapshots()
            try options.writeSettings(settings, folder.settingsSnapshot)
        } catch let failure as Failure {
            throw ClusterFailure.cannotWrite(folder.settingsSnapshot, failure)
        }

        let layout = CounterFileLayout(
            // Room for any number that a reload may ask for: pages that nobody touches cost nothing.
            routers: Limits.routersMax, workers: Limits.workersMax,
            localFirehoses: localSockets == nil ? 0 : 1, supervisorPid: UInt64(ownPid),
            startedAtMicroseconds: realtimeMicroseconds())
        counterFile = try Self.makeCounterFile(layout)
        counterMemory = try SharedRegion.map(
            descriptor: counterFile, byteCount: layout.byteCount)
        book = CounterBook(layout: layout, at: counterMemory.base)

        loop = try Loop.make()
        startedAtMs = loop.nowMs
        server = try ControlServer(cluster: self, path: folder.controlSocket)
        admin = try adminSockets.map {
            try AdminServer(cluster: self, descriptor: $0.descriptors[0])
        }
        makeTimers()
        makeChildren()
    }

    private static func makeCounterFile(_ layout: CounterFileLayout) throws -> Int32 {
        do throws(Failure) {
            return try makeMemoryFile(name: "hydrant-counters", byteCount: layout.byteCount)
        } catch {
            guard error.isFileLimit else { throw error }
            throw ClusterFailure(
                "the counters cannot have their \(grouped(UInt64(layout.byteCount))) B of memory: "
                    + "\(error.reason)",
                hint: "raise the limit of a file's size (ulimit -f unlimited, LimitFSIZE=infinity)",
                exitCode: ClusterExit.cannotCreate)
        }
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

    private static func openAdmin(
        _ settings: inout Settings, _ log: (String) -> Void
    ) throws(ClusterFailure) -> ListeningSockets? {
        guard let address = settings.admin else { return nil }
        let sockets = try ListeningSockets.open(setting: "admin", address, count: 1, log: log)
        settings.admin?.port = sockets.port
        return sockets
    }

    /// Runs until the cluster has left; answers its exit code.
    func run() -> Int32 {
        if options.handlesSignals { watchSignals() }
        for child in children { handle(.wanted, of: child) }
        bootTimer.start(afterMs: BootWatch.patienceMs)
        startSharingCores()
        startHealthWatch()
        loop.run()
        server.close()
        admin?.close()
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
        reloadTimer = Timer(in: loop, owner: owner) { Cluster.at($0).tickReload() }
        bootTimer = Timer(in: loop, owner: owner) { Cluster.at($0).checkBoot() }
        coresTimer = Timer(in: loop, owner: owner) { Cluster.at($0).lookAtCores() }
        healthTimer = Timer(in: loop, owner: owner) { Cluster.at($0).lookAtHealth() }
    }

    /// Whom others wait for comes first.
    private func makeChildren() {
        for role in [Inheritance.Role.localFirehose, .worker, .router] {
            for slot in 0..<slots(of: role) {
                children.append(Child(role: role, slot: slot, cluster: self))
            }
        }
    }

    private func slots(of role: Inheritance.Role) -> Int {
        switch role {
        case .router: settings.routers
        case .worker: settings.workers
        case .localFirehose: localSockets == nil ? 0 : 1
        }
    }

    /// Other settings, from the next start of a child on. Children find them at `settingsFile`.
    func take(_ fresh: ClusterSettings.Fresh) throws {
        var next = fresh.settings
        next.listen.port = settings.listen.port
        next.localListen.port = settings.localListen.port
        next.admin?.port = settings.admin?.port ?? 0
        try? SmallFile.makeFolder(folder.runFolder)
        try fresh.writeSettings(next, folder.settingsSnapshot(generation + 1))
        SmallFile.remove(settingsFile)
        (settings, wanted, writeSettings) = (next, fresh.settings, fresh.writeSettings)
        generation += 1
        options.didTake(settings)
    }

    /// Whoever tidied up `run/` took along what every child reads at its start.
    func restoreSettingsFile() {
        let schemaFile = settings.schemaFile == nil ? nil : folder.schemaSnapshot(generation)
        if SmallFile.exists(settingsFile), schemaFile.map(SmallFile.exists) ?? true { return }
        do {
            try SmallFile.makeFolder(folder.runFolder)
            try writeSettings(settings, settingsFile)
            options.log(.warning, "\(settingsFile), or its schema, was removed: written again")
        } catch {
            let why = (error as? ClusterFailure)?.message ?? "\(error)"
            options.log(.error, "\(settingsFile) was removed, and cannot be written again: \(why)")
        }
    }

    /// Shards got a worker of their own, or lost it.
    func own(shards: Int) {
        ownedShards = shards
        orphans = OrphanShards(settings, from: shards)
    }

    /// What of `fresh` a running cluster cannot take on.
    func fixedKeysChanged(_ fresh: Settings) -> [String] {
        Setting.changed(from: wanted, to: fresh).map(\.key).filter(Setting.fixedKeys.contains)
    }

    var settingsFile: String { folder.settingsSnapshot(generation) }

    private func watchSignals() {
        for signal in [SIGTERM, SIGINT, SIGQUIT] {
            _ = SignalWatch(signal, in: loop, owner: owner) { owner, number in
                Cluster.at(owner).stop(because: signalName(number), immediately: false)
            }
        }
        // Their default is death; none of them means that here.
        for signal in [SIGUSR1, SIGUSR2, SIGALRM] { ignoreSignal(signal) }
        _ = SignalWatch(SIGHUP, in: loop, owner: owner) { owner, _ in
            Cluster.at(owner).reload(because: "SIGHUP")
        }
    }
}
