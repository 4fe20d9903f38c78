import Core
import Platform

/// Other settings without a stop: on SIGHUP, and for `hydrant reload`.
extension Cluster {
    private static let reloadTickMs: UInt64 = 20
    private static let stoppingLine = "stopping not reloaded: the cluster is stopping\n"

    /// Reads the configuration and takes it on, or says what is wrong and goes on as before. While a
    /// reload is under way the next one waits, and however often it is asked for it is one.
    func reload(because reason: String, for connection: ControlConnection? = nil) {
        if stopMachine.isStopping {
            options.log(.notice, "\(reason): not reloaded, the cluster is stopping")
            connection?.write(Self.stoppingLine, andClose: true)
            return
        }
        if reloadMachine.isActive || isStarting {
            nextReload = reason
            if let connection { nextReloadWaiters.append(connection) }
            return
        }
        if let connection { reloadWaiters.append(connection) }
        do throws(ReloadRefusal) {
            try takeFreshSettings()
        } catch {
            refuseReload(reason, error)
            return
        }
        options.log(.info, "\(reason): taking on the configuration as it is now")
        loop.updateTime()
        perform(reloadMachine.begin(reloadLook))
        if !reloadTimer.isActive {
            reloadTimer.start(afterMs: Self.reloadTickMs, repeatMs: Self.reloadTickMs)
        }
    }

    /// Not whole yet, and for so short that it may become so by itself. After that a reload may be
    /// what mends it.
    private var isStarting: Bool {
        !hasSaidReady && loop.nowMs < startedAtMs + ReloadMachine.patienceMs
    }

    /// Call about once a second: what was asked for during a start that does not end.
    func tickWaitingReload() {
        if !reloadMachine.isActive && !isStarting { goOnReloading() }
    }

    private func takeFreshSettings() throws(ReloadRefusal) {
        guard let read = options.reload else {
            throw ReloadRefusal(
                lines: ["this cluster cannot read its configuration again"],
                hint: "stop it and start it again")
        }
        let fresh = try read()
        let fixed = fixedKeysChanged(fresh.settings)
        guard fixed.isEmpty else {
            throw ReloadRefusal(
                lines: [
                    "error: \(fixed.joined(separator: ", ")) cannot change while the cluster runs"
                ],
                hint: "change \(fixed.count == 1 ? "it" : "them") back, or stop the cluster and "
                    + "start it again; until then nothing of the new configuration is used")
        }
        do {
            try take(fresh)
            let count = settings.routers
            try routerSockets.grow(to: count, address: settings.listen)
        } catch {
            let failure = error as? ClusterFailure
            throw ReloadRefusal(
                lines: ["error: \(failure?.message ?? "\(error)")"],
                hint: failure?.hint ?? "mend the cause, then `hydrant reload` again")
        }
    }

    private func refuseReload(_ reason: String, _ refusal: ReloadRefusal) {
        options.log(.error, "\(reason): not reloaded; the cluster goes on as it was:")
        for line in refusal.lines + ["hint: \(refusal.hint)"] { options.log(.error, line) }
        for waiter in reloadWaiters {
            for line in refusal.lines { waiter.write("problem \(line)\n", andClose: false) }
            waiter.write("hint \(refusal.hint)\n", andClose: false)
            waiter.write("refused the cluster goes on as it was\n", andClose: true)
        }
        reloadWaiters = []
    }

    /// Time passed, or a child became ready or ended.
    func tickReload() {
        guard reloadMachine.isActive else { return }
        if stopMachine.isStopping { return endReload(Self.stoppingLine) }
        perform(reloadMachine.tick(reloadLook))
    }

    private var reloadLook: ReloadMachine.Look {
        let routers = children(of: .router)
        let fresh = routers.filter { !$0.isOld && $0.generation == generation }
        return ReloadMachine.Look(
            nowMs: loop.nowMs,
            workers: children(of: .worker).filter { $0.slot < settings.workers }.map {
                ReloadMachine.Slot(
                    slot: $0.slot, isReady: $0.machine.isReady,
                    isFresh: $0.generation == generation)
            },
            freshRouters: settings.routers, freshRoutersReady: fresh.count { $0.machine.isReady },
            oldRouters: routers.count { $0.isOld && $0.machine.pid != nil },
            surplusWorkers: children(of: .worker).count {
                $0.slot >= settings.workers && !$0.machine.isGone
            })
    }

    private func perform(_ actions: [ReloadMachine.Action]) {
        for action in actions {
            switch action {
            case .startNewWorkers:
                // It learns streams and columns at its start. Until it is back, rows are spooled.
                if let local = child(.localFirehose, 0) { leave(local, comesBack: true) }
                startMissing(.worker, settings.workers)
            case .replaceWorker(let slot):
                if let worker = child(.worker, slot) { leave(worker, comesBack: true) }
            case .startFreshRouters:
                // New workers are at work, and read their shards' totals from them.
                own(shards: max(ownedShards, settings.workers))
                for router in children(of: .router) { router.isOld = true }
                startMissing(.router, settings.routers)
            case .drainOldRouters: drainOldRouters(withinMs: settings.stopTimeoutMs)
            case .giveUpFreshRouters: giveUpFreshRouters()
            case .stopSurplusWorkers:
                for worker in children(of: .worker) where worker.slot >= settings.workers {
                    leave(worker, comesBack: false)
                }
            case .finish(let outcome): finishReload(outcome)
            }
        }
    }

    private func startMissing(_ role: Inheritance.Role, _ count: Int) {
        for slot in 0..<count where child(role, slot)?.machine.isGone ?? true {
            let newcomer =
                child(role, slot)
                ?? {
                    let child = Child(role: role, slot: slot, cluster: self)
                    child.restartsBefore =
                        children.last { $0.role == role && $0.slot == slot }?.restarts ?? 0
                    children.append(child)
                    return child
                }()
            newcomer.generation = generation
            handle(.wanted, of: newcomer)
        }
    }

    private func drainOldRouters(withinMs: UInt64) {
        for router in children(of: .router) where router.isOld {
            router.leaveWithinMs = withinMs
            handle(.leave(comesBack: false), of: router)
        }
        // One that was waiting for its restart has no process to wait for.
        removeGone()
    }

    private func giveUpFreshRouters() {
        for router in children(of: .router) {
            if router.isOld, router.machine.pid != nil {
                router.isOld = false
                continue
            }
            // One that is at work has clients; of another, what is in its socket's queue is the old
            // router's too.
            let hasClients = router.machine.isReady
            router.isOld = true
            router.leaveWithinMs = hasClients ? settings.stopTimeoutMs : 0
            handle(.leave(comesBack: false), of: router)
            if !hasClients { handle(.graceOver, of: router) }
        }
        removeGone()
        // In the places of old ones that have died.
        startMissing(.router, settings.routers)
    }

    private func finishReload(_ outcome: ReloadMachine.Outcome) {
        let shape =
            "\(counted(settings.routers, "router")), \(counted(settings.workers, "worker"))"
        if outcome != .oldRoutersStay {
            own(shards: settings.workers)
            removeGone()
        }
        switch outcome {
        case .done: endReload("done reloaded: \(shape)\n")
        case .oldRoutersStay:
            endReload(
                "failed no fresh router started within "
                    + "\(seconds(ReloadMachine.patienceMs)): the old ones go on with the settings "
                    + "of before; see the log, then `hydrant reload` again\n")
        case .routersMissing:
            endReload(
                "failed reloaded, but not all routers started within "
                    + "\(seconds(ReloadMachine.patienceMs)), and those of before have died: they are "
                    + "tried again and again; see the log and `hydrant status`\n")
        case .workersMissing(let slots):
            let names = slots.map { "worker \($0)" }.joined(separator: ", ")
            endReload(
                "failed reloaded, but \(names) did not come back in time: see the log and "
                    + "`hydrant status`\n")
        }
    }

    private func endReload(_ line: String) {
        reloadMachine.abandon()
        reloadTimer.stop()
        options.log(
            line.hasPrefix("done ") ? .notice : .error,
            String(line.drop { $0 != " " }.dropFirst().dropLast()))
        for waiter in reloadWaiters { waiter.write(line, andClose: true) }
        reloadWaiters = []
        goOnReloading()
    }

    /// What was asked for meanwhile.
    func goOnReloading() {
        guard let reason = nextReload else { return }
        nextReload = nil
        reloadWaiters = nextReloadWaiters
        nextReloadWaiters = []
        reload(because: reason)
    }

    // MARK: A router that stays down

    /// How long a router may be down before others accept for it.
    private static let lendAfterMs: UInt64 = 1000

    /// Clients whose connections wait at a dead router's socket are taken by a living one. Its own
    /// successor shares the socket then: whoever is first accepts.
    func lendSockets() {
        if stopMachine.isStopping { return }
        for router in children(of: .router) where !router.isOld && !router.machine.isReady {
            guard !router.hasLentSockets, loop.nowMs >= router.spawnedAtMs + Self.lendAfterMs,
                let other = children(of: .router).first(where: {
                    $0 !== router && !$0.isOld && $0.machine.isReady
                })
            else { continue }
            router.hasLentSockets = true
            for socket in routerSockets.share(of: router.slot, among: settings.routers) {
                guard let copy = duplicate(socket) else { continue }
                other.channel?.send(ControlMessage(.listen), descriptor: copy)
            }
            noteWaiting()
            options.log(.warning, "\(router.name) is down: \(other.name) accepts for it")
        }
    }
}
