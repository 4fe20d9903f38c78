import Glibc
import Platform

/// Looks before the load starts whether there is a server: name, connection, TLS. So that what is
/// wrong is said in one line, not counted ten thousand times.
final class TargetProbe {
    private static let patienceMs: UInt64 = 5000

    private let plan: LoadPlan
    private let loop: Loop
    private var resolver: Resolver?
    private var timer: Timer?
    private var stream: Stream?
    /// Every stream, to free once all are closed.
    private var opened: [Stream] = []
    private var waiting: [String] = []
    private var found: [String] = []
    private var firstFailure: LoadFailure?
    private let session = UnsafeMutablePointer<TLSSession?>.allocate(capacity: 1)
    private let room = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TLSSession.sliceBytesMax, alignment: 64)

    private init(_ plan: LoadPlan, _ loop: Loop) {
        self.plan = plan
        self.loop = loop
        session.initialize(to: nil)
    }

    deinit {
        session.deinitialize(count: 1)
        session.deallocate()
        room.deallocate()
    }

    /// The addresses of the plan's target that take connections, and TLS sessions if it wants them.
    /// Runs the loop meanwhile, for 5 s an address at most.
    static func addresses(of plan: LoadPlan, in loop: Loop) throws(LoadFailure) -> [String] {
        let probe = TargetProbe(plan, loop)
        probe.resolve()
        loop.run()
        // What was closed is gone after another turn.
        loop.runNoWait()
        probe.opened.forEach { $0.deallocate() }
        if probe.found.isEmpty {
            throw probe.firstFailure
                ?? LoadFailure("\(plan.target.host): no address", exitCode: LoadExit.noHost)
        }
        return probe.found
    }

    private var owner: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    private static func probe(_ owner: UnsafeMutableRawPointer) -> TargetProbe {
        Unmanaged<TargetProbe>.fromOpaque(owner).takeUnretainedValue()
    }

    // MARK: Name

    private func resolve() {
        let host = plan.target.host
        if SocketAddress(ip: host, port: plan.target.port) != nil {
            waiting = [host]
            startTimer()
            return tryNext()
        }
        startTimer()
        resolver = Resolver(in: loop, owner: owner) { TargetProbe.probe($0).didResolve($1) }
        do throws(Failure) {
            try resolver!.resolve(host: host, port: plan.target.port)
        } catch {
            finish(noHost(error.reason.lowercased()))
        }
    }

    private func didResolve(_ status: Int32) {
        if status < 0 { return finish(noHost(describe(uvCode: status))) }
        waiting = resolver!.addresses.map(\.text)
        tryNext()
    }

    private func noHost(_ reason: String) -> LoadFailure {
        LoadFailure(
            "\(plan.target.host): \(reason)",
            hint: "check the spelling of the host, and that this machine can resolve names",
            exitCode: LoadExit.noHost)
    }

    private func startTimer() {
        timer = Timer(in: loop, owner: owner, fire: { TargetProbe.probe($0).didRunOut() })
        timer?.start(afterMs: Self.patienceMs)
    }

    private func didRunOut() {
        if stream == nil { return finish(noHost("no answer from the name servers within 5 s")) }
        if session.pointee != nil {
            return failed(tls(TLSFailure(.handshake, "no answer to it within 5 s")))
        }
        failed(
            LoadFailure(
                "\(plan.target.authority): no answer within 5 s",
                hint: "is the host up, and does a firewall let this machine through?",
                exitCode: LoadExit.unreachable))
    }

    // MARK: Connection

    private func tryNext() {
        guard let text = waiting.first,
            let address = SocketAddress(ip: text, port: plan.target.port)
        else { return finish(nil) }
        timer?.start(afterMs: Self.patienceMs)
        let stream = Stream.allocate()
        self.stream = stream
        opened.append(stream)
        stream.openTCP(in: loop, owner: owner, events: Self.events)
        do throws(Failure) {
            try stream.connect(to: address)
        } catch {
            failed(connecting(error.number))
        }
    }

    private func didConnect(_ status: Int32) {
        if stream == nil { return }
        if status < 0 { return failed(connecting(-status)) }
        if !plan.target.isTLS { return succeeded() }
        do {
            let context = try TLSContext.client(trust: plan.trust)
            session.pointee = try TLSSession.client(context, serverName: plan.target.host)
            try stream?.startReading()
            try shakeHands()
        } catch {
            failed(tls(error))
        }
    }

    private func connecting(_ errno: Int32) -> LoadFailure {
        let reason = describe(uvCode: -errno)
        if errno == ECONNREFUSED {
            return LoadFailure(
                "\(plan.target.authority): \(reason)",
                hint: "nothing listens there: start the server, or check the port",
                exitCode: LoadExit.refused)
        }
        return LoadFailure(
            "\(plan.target.authority): \(reason)",
            hint: "check the host, and that this machine has a way to it",
            exitCode: LoadExit.unreachable)
    }

    // MARK: TLS

    private func shakeHands() throws {
        let outcome = Result { try session.pointee!.handshake() }
        while true {
            let count = session.pointee!.take(into: room)
            if count == 0 { break }
            try stream?.writeCopying(room.baseAddress!, count)
        }
        if try outcome.get() { succeeded() }
    }

    private func didRead(_ bytes: UnsafeRawBufferPointer) {
        if session.pointee == nil { return }
        session.pointee!.receive(bytes)
        do { try shakeHands() } catch { failed(tls(error)) }
    }

    private func tls(_ error: any Error) -> LoadFailure {
        let isCertificate = (error as? TLSFailure)?.step == .certificate
        return LoadFailure(
            "\(plan.target.authority): \(error)",
            hint: isCertificate
                ? "name its authorities with --cacert FILE, or trust anybody with --insecure"
                : "does this port speak TLS? Otherwise write http://",
            exitCode: LoadExit.tls)
    }

    // MARK: Ends

    private func succeeded() {
        found.append(waiting[0])
        next()
    }

    private func failed(_ failure: LoadFailure) {
        if firstFailure == nil { firstFailure = failure }
        next()
    }

    private func next() {
        session.pointee = nil
        stream?.close()
        stream = nil
        waiting.removeFirst()
        tryNext()
    }

    private func finish(_ failure: LoadFailure?) {
        if firstFailure == nil { firstFailure = failure }
        resolver?.close()
        timer?.close()
        loop.stop()
    }

    nonisolated(unsafe) private static let events: UnsafePointer<StreamEvents> = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                didRead: { owner, bytes, count in
                    TargetProbe.probe(owner).didRead(
                        UnsafeRawBufferPointer(start: bytes, count: count))
                },
                didEnd: { owner, code in
                    let probe = TargetProbe.probe(owner)
                    if probe.stream == nil { return }
                    probe.failed(probe.tls(TLSFailure(.handshake, "the server ended it")))
                },
                didConnect: { owner, status in TargetProbe.probe(owner).didConnect(status) },
                didClose: { _ in }))
        return UnsafePointer(events)
    }()
}

extension LoadPlan {
    /// Whom TLS believes.
    var trust: TLSContext.Trust {
        if !tls.verifiesPeer { return .everybody }
        return tls.authorities.map { .authorities(path: $0) } ?? .systemAuthorities
    }
}
