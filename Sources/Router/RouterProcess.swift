import ChildSupport
import Core
import Glibc
import Platform

/// The router's process: builds the state, obeys the supervisor, runs the loop. Never returns.
public func runRouter(_ child: ChildContext) throws(Failure) -> Never {
    scheduleAsBatch()
    let state = UnsafeMutablePointer<RouterState>.allocate(capacity: 1)
    state.initialize(
        to: RouterState(
            loop: child.loop, settings: child.settings,
            origin: Origin(
                slot: UInt16(child.inheritance.slot), incarnation: child.inheritance.incarnation),
            counters: child.counters, fileLimit: raiseFileLimit()))
    let router = Routing(state: state)
    router.begin()
    state.pointee.didDrain = {
        child.say(ControlMessage(.drained))
        _exit(0)
    }
    state.pointee.leavesBehind = { worker, hits in
        child.log.error(
            "\(hits) \(hits == 1 ? "hit leaves" : "hits leave") with this router: ack = \"received\" had answered them, and worker \(worker) did not acknowledge them in time"
        )
    }
    state.pointee.didBreakLink = {
        child.say(ControlMessage(.linkBroken, slot: UInt16($0)))
    }
    try child.obey(
        didOrder: { message, descriptor in
            switch message.kind {
            case .link: router.link(to: Int(message.slot), descriptor: descriptor)
            case .drain, .stop: router.drain(withinMs: message.number)
            case .listen where descriptor >= 0: router.listenToo(on: descriptor)
            default: if descriptor >= 0 { close(descriptor) }
            }
        },
        // Without a supervisor nobody restarts anything: leave within a second.
        supervisorGone: { router.drain(withinMs: 900) })
    let sockets = (0..<Int32(child.inheritance.socketCount)).map { Inheritance.firstSocket + $0 }
    sockets.forEach { closeOnExec($0) }
    try router.listen(on: sockets)
    child.becomeReady()
    child.loop.run()
    _exit(0)
}

extension Routing {
    /// Makes the links' places and starts the clock.
    func begin() {
        for worker in 0..<state.pointee.workers {
            (state.pointee.links + worker).initialize(
                to: WorkerLink(router: self, worker: worker))
        }
        _ = TurnEnd(in: state.pointee.loop, owner: raw, fire: { Routing($0).endTurn() })
        Timer(in: state.pointee.loop, owner: raw, fire: { Routing($0).tick() })
            .start(afterMs: Self.tickMs, repeatMs: Self.tickMs)
    }
}
