import Core
import Platform

extension Cluster {
    func children(of role: Inheritance.Role) -> [Child] { children.filter { $0.role == role } }

    func child(_ role: Inheritance.Role, _ slot: Int) -> Child? {
        children.first { $0.role == role && $0.slot == slot && !$0.isOld }
    }

    /// Forgets the slots that a reload took away, once nothing lives there.
    func removeGone() {
        func isGone(_ child: Child) -> Bool {
            let isSurplus = child.role == .worker && child.slot >= settings.workers
            return child.machine.isGone && (child.isOld || isSurplus)
        }
        for child in children where isGone(child) { child.closeTimers() }
        children.removeAll(where: isGone)
    }

    /// One incarnation, of before a reload perhaps.
    private func child(_ end: LinkPlan.End) -> Child? { children.first { $0.end == end } }

    /// The one way in which a child's state changes.
    func handle(_ event: ChildMachine.Event, of child: Child) {
        let action = child.machine.handle(event, nowMs: loop.nowMs, random: randomUInt64())
        switch action {
        case .none: break
        case .spawn: start(child)
        case .spawnAfter(let ms): child.restartTimer.start(afterMs: ms)
        case .order:
            child.channel?.send(child.leaveOrder)
            noteWaiting()
            child.graceTimer.start(afterMs: child.leaveWithinMs + 1)
        case .kill(let pid):
            child.killedBecause = child.killedBecause ?? "did not leave in time"
            sendSignal(9, to: pid)
        }
    }

    private func start(_ child: Child) {
        if child.isOld { return child.machine = ChildMachine() }
        if book.isFull(child.role, child.slot) { return waitForPage(child) }
        do {
            let pid = try spawnIncarnation(of: child)
            handle(.spawned(pid: pid), of: child)
            for link in plan.spawned(child.end) where !make(link) { remember(link) }
            noteWaiting()
        } catch {
            book.fold(child.role, child.slot, ordinal: child.ordinal)
            if Obituary.isNews(earlyDeaths: child.machine.earlyDeaths + 1) {
                options.log(.error, "\(child.name) cannot be started: \(error)")
            }
            handle(.spawnFailed, of: child)
        }
    }

    /// A fresh router has died while the old one of its slot still drains: no third beside them.
    private func waitForPage(_ child: Child) {
        for old in children where old.isOld && old.slot == child.slot {
            old.channel?.send(ControlMessage(.drain, number: 500))
        }
        handle(.spawnFailed, of: child)
    }

    /// A process for the slot, with a fresh page and control socket. Answers its pid.
    private func spawnIncarnation(of child: Child) throws(Failure) -> Int32 {
        restoreSettingsFile()
        child.incarnation = max(randomUInt64(), 1)
        child.ordinal = book.begin(
            child.role, child.slot, incarnation: child.incarnation,
            nowMicroseconds: realtimeMicroseconds())
        child.hasSaidReady = false
        child.isReplaced = false
        child.generation = generation
        child.killedBecause = nil
        child.spawnedAtMs = loop.nowMs
        child.hangWatch = HangWatch(nowMs: loop.nowMs)
        let (mine, theirs) = try socketPair(packets: true)
        defer { closeDescriptor(theirs) }
        let sockets = sockets(of: child)
        let channel = try ControlChannel(descriptor: mine, in: loop) {
            [unowned self, unowned child] in
            self.received($0, from: child)
        }
        do throws(Failure) {
            let pid = try spawn(
                path: options.program,
                arguments: options.programWords + inheritance(of: child, sockets.count).arguments,
                descriptors: [-1, 1, 2, theirs, counterFile] + sockets, in: loop,
                owner: Unmanaged.passUnretained(child).toOpaque(),
                exited: { owner, pid, status, signal in
                    let child = Child.at(owner)
                    child.cluster.exited(child, pid: pid, status: status, signal: signal)
                })
            child.channel = channel
            return pid
        } catch {
            channel.close()
            throw error
        }
    }

    private func inheritance(of child: Child, _ socketCount: Int) -> Inheritance {
        Inheritance(
            role: child.role, slot: child.slot, incarnation: child.incarnation,
            counterOffset: book.layout.pageOffset(child.role, child.slot, ordinal: child.ordinal),
            socketCount: socketCount, settingsFile: settingsFile)
    }

    private func sockets(of child: Child) -> [Int32] {
        switch child.role {
        case .router: routerSockets.share(of: child.slot, among: settings.routers)
        case .worker: []
        case .localFirehose: localSockets?.descriptors ?? []
        }
    }

    // MARK: Links

    /// Room for a link's frames in the kernel: a worker may be busy while its router goes on.
    private static let linkBufferBytes: Int32 = 1 << 20

    /// Sends both ends on their way and keeps neither. False when there is no descriptor left.
    private func make(_ link: LinkPlan.Link) -> Bool {
        guard plan.living.isSuperset(of: [link.router, link.worker]),
            let router = child(link.router), let worker = child(link.worker)
        else { return true }  // one of them died: its successor has links of its own
        guard let pair = try? socketPair(packets: false) else { return false }
        setSocketBuffers(pair.0, byteCount: Self.linkBufferBytes)
        setSocketBuffers(pair.1, byteCount: Self.linkBufferBytes)
        router.channel?.send(Self.message(of: link.worker), descriptor: pair.0)
        worker.channel?.send(Self.message(of: link.router), descriptor: pair.1)
        return true
    }

    /// Until it is made the router has no way to that worker and answers 503.
    private func remember(_ link: LinkPlan.Link) {
        if missingLinks.isEmpty { options.log(.error, "out of descriptors: links have to wait") }
        missingLinks.append(link)
    }

    private static func message(of peer: LinkPlan.End) -> ControlMessage {
        ControlMessage(.link, slot: UInt16(peer.slot), incarnation: peer.incarnation)
    }

    /// Has what found no room sent a little later.
    func noteWaiting() {
        if !missingLinks.isEmpty || children.contains(where: { $0.channel?.hasWaiting == true }) {
            if !resendTimer.isActive { resendTimer.start(afterMs: 10) }
        }
    }

    func resend() {
        children.forEach { $0.channel?.retry() }
        missingLinks.removeAll { make($0) }
        noteWaiting()
    }

    // MARK: What children say and how they end

    private func received(_ message: ControlMessage, from child: Child) {
        switch message.kind {
        case .ready:
            if child.hasSaidReady { return }
            child.hasSaidReady = true
            rolesSeenAtWork.insert(child.role)
            child.hangWatch = HangWatch(nowMs: loop.nowMs)
            book.seeded(child.role, child.slot, ordinal: child.ordinal)
            child.hasLentSockets = false
            handle(.saidReady, of: child)
            announceReady()
            tickReload()
        case .drainMe:
            leave(child, comesBack: !stopMachine.isStopping)
        case .flushed:
            if child.role == .localFirehose { localLoaded(message.number) }
        case .linkBroken:
            relink(child, worker: Int(message.slot))
        case .drained, .link, .drain, .stop, .flush, .flushNow, .quit, .replace, .listen:
            break
        }
    }

    /// A router closed a link that spoke nonsense: the pair gets a new one.
    private func relink(_ router: Child, worker slot: Int) {
        guard router.role == .router, let worker = child(.worker, slot),
            worker.machine.pid != nil
        else { return }
        options.log(
            .warning, "router \(router.slot) cut its link to worker \(slot): linking anew")
        let link = LinkPlan.Link(router: router.end, worker: worker.end)
        if !make(link) { remember(link) }
        noteWaiting()
    }

    /// Tells a living child to leave, for good or to be replaced.
    func leave(_ child: Child, comesBack: Bool) {
        if case .stopping = child.machine.state { return }
        child.isReplaced = comesBack
        child.leaveWithinMs = settings.stopTimeoutMs
        handle(.leave(comesBack: comesBack), of: child)
    }

    private func announceReady() {
        guard !hasSaidReady, !stopMachine.isStopping,
            children.allSatisfy({ $0.machine.isReady })
        else { return }
        hasSaidReady = true
        options.log(
            .info,
            "ready: http://\(settings.listen.text), \(counted(settings.routers, "router")), "
                + "\(counted(settings.workers, "worker")), data in \(folder.path)")
        options.didBecomeReady(settings)
        goOnReloading()
    }

    private func exited(_ child: Child, pid: Int32, status: Int64, signal: Int32) {
        precondition(child.machine.pid == pid, "an exit of nobody's")
        child.channel?.readRest()
        child.channel?.close()
        child.channel = nil
        child.graceTimer.stop()
        book.fold(child.role, child.slot, ordinal: child.ordinal)
        plan.died(child.end)
        if child.role == .localFirehose { localDied() }

        let stateBefore = child.machine.state
        var obituary = Obituary(
            role: child.role, slot: child.slot, pid: pid, status: status, signal: signal,
            uptimeMs: loop.nowMs - child.spawnedAtMs, wasReady: child.hasSaidReady,
            wasOrdered: false, restartDelayMs: nil)
        if case .stopping = stateBefore { obituary.wasOrdered = true }
        if signal != 0 && child.killedBecause == nil {
            obituary.hint = deathHints.hint(signal: signal)
        }
        obituary.killedBecause = child.killedBecause
        obituary.lastWords = book.text(
            .lastWords, child.role, child.slot, ordinal: child.ordinal)
        handle(.exited, of: child)
        tell(&obituary, of: child)
        if child.isOld { removeGone() }
        if stopMachine.isStopping {
            tickStop()
        } else {
            checkBoot()
            tickReload()
        }
    }

    private func tell(_ obituary: inout Obituary, of child: Child) {
        switch child.machine.state {
        case .waiting(let untilMs): obituary.restartDelayMs = untilMs - loop.nowMs
        case .down: obituary.restartDelayMs = nil
        case .abandoned: obituary.isAbandoned = true
        default: obituary.restartDelayMs = 0
        }
        let isQuiet = obituary.wasOrdered && obituary.signal == 0 && obituary.status == 0
        let deaths = child.machine.earlyDeaths
        let isOldNews = deaths > 1 && !Obituary.isNews(earlyDeaths: deaths)
        if isQuiet || (isOldNews && !obituary.isAbandoned) { return }
        let silent =
            deaths > 3
            ? " (death \(deaths) in a row before it had been ready for "
                + "\(seconds(ChildMachine.steadyMs)))" : ""
        options.log(obituary.level, obituary.line + silent)
    }

    // MARK: Hopeless starts

    /// Two clusters that start on one spool at the same moment both find it free. True: this one goes.
    private func checkSpool() -> Bool {
        guard children(of: .worker).contains(where: { $0.machine.earlyDeaths > 0 }),
            children(of: .worker).contains(where: { !$0.machine.wasEverReady }),
            let failure = SpoolHolder.find(settings)?.failure(settings)
        else { return false }
        exitCode = failure.exitCode
        stop(
            because: failure.message + (failure.hint.map { "; \($0)" } ?? ""), immediately: true)
        return true
    }

    func checkBoot() {
        if stopMachine.isStopping || exitCode != 0 { return }
        if checkSpool() { return }
        for role in [Inheritance.Role.worker, .router] {
            let slots = children(of: role).map {
                BootWatch.Slot(
                    wasEverReady: $0.machine.wasEverReady, earlyDeaths: $0.machine.earlyDeaths,
                    isAbandoned: $0.machine.state == .abandoned)
            }
            let isHopeless = BootWatch.isHopeless(
                slots, wasAtWork: rolesSeenAtWork.contains(role),
                sinceStartMs: loop.nowMs - startedAtMs)
            guard isHopeless else { continue }
            exitCode = ClusterExit.neverBooted
            stop(because: "no \(role.rawValue) can start; see the lines above", immediately: true)
            return
        }
    }
}
