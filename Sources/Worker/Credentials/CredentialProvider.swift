import Core
import Platform

/// Keeps a worker in credentials: finds them, renews them ahead of their end, and looks again when
/// Firehose refuses them. `RefreshMachine` says when, `CredentialSearch` finds.
///
/// Lives at one address from `allocate` to `shutDown`.
struct CredentialProvider: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<CredentialProvider>

    /// What the worker is told. Called from the loop, never from within a call of the worker's.
    struct Listener {
        /// Other credentials than before, or the first.
        var use: (Credentials) -> Void
        /// There are none to sign with, and why.
        var lack: (String) -> Void
        /// A line for the operator; `isTrouble`: something is not as it should be.
        var tell: (_ line: String, _ isTrouble: Bool) -> Void
    }

    private let loop: Loop
    private let listener: Listener
    private let timer: Timer
    private let search: CredentialSearch.Pointer
    private var machine: RefreshMachine
    private var troubleLog = DeliveryLog(everyMs: 5 * 60_000)
    /// What the last search found that found any.
    private(set) var found: FoundCredentials?

    static func allocate(
        _ setup: CredentialSearch.Setup, tuning: RefreshMachine.Tuning = .init(), in loop: Loop,
        listener: Listener
    ) -> Pointer {
        let it = Pointer.allocate(capacity: 1)
        it.initialize(
            to: CredentialProvider(at: it, setup, tuning: tuning, in: loop, listener: listener))
        return it
    }

    private init(
        at address: Pointer, _ setup: CredentialSearch.Setup, tuning: RefreshMachine.Tuning,
        in loop: Loop, listener: Listener
    ) {
        (self.loop, self.listener) = (loop, listener)
        machine = RefreshMachine(tuning: tuning)
        timer = Timer(in: loop, owner: address, fire: Self.timerFired)
        search = CredentialSearch.allocate(
            setup, in: loop, owner: address, didFinish: Self.searchFinished)
    }

    /// Looks for the first ones.
    mutating func start() { act(machine.start()) }

    /// Firehose refused what was handed out: looks again, at once if that has not been tried just
    /// now. Cheap, and safe to call as often as it happens.
    mutating func refreshNow() { act(machine.wanted(nowMs: loop.nowMs)) }

    /// Ends everything; the listener hears no more, and the pointer is no longer anybody's.
    static func shutDown(_ it: Pointer) {
        CredentialSearch.shutDown(it.pointee.search)
        it.pointee.timer.close()
        it.deinitialize(count: 1)
        it.deallocate()
    }

    private mutating func act(_ action: RefreshMachine.Action) {
        if action == .search { search.pointee.start() }
        setTimer()
    }

    private func setTimer() {
        guard let wakeAtMs = machine.wakeAtMs else { return timer.stop() }
        let nowMs = loop.nowMs
        timer.start(afterMs: wakeAtMs > nowMs ? wakeAtMs - nowMs : 0)
    }

    // MARK: Results

    /// What the listener is to hear, once the state is as it should be.
    private enum News {
        case use(Credentials)
        case lack(String)
        case nothing
    }

    private mutating func searchHasFinished() -> (news: News, line: (String, isTrouble: Bool)?) {
        defer { setTimer() }
        switch search.pointee.result! {
        case .found(let found): return take(found)
        case .failed(let attempts):
            machine.failed(nowMs: loop.nowMs, dice: randomUInt64())
            return failed(attempts.shortText, attempts.text)
        }
    }

    private mutating func take(
        _ found: FoundCredentials
    ) -> (news: News, line: (String, isTrouble: Bool)?) {
        let verdict = machine.found(
            found.credentials, msLeft: found.secondsLeft.map { $0.multipliedClamped(by: 1000) },
            isInstanceMetadata: found.source == .instanceMetadata, nowMs: loop.nowMs,
            dice: randomUInt64())
        let isFirst = self.found == nil
        switch verdict {
        case .expired:
            let why =
                "\(found.sourceText): what it gave had ended at "
                + isoTime(unixSeconds: found.expiresAt ?? 0)
            return failed(why, why)
        case .same:
            self.found = found
            return (.nothing, end(found))
        case .use:
            self.found = found
            let line = end(found) ?? (isFirst ? (Self.line(found), false) : nil)
            return (.use(found.credentials), line)
        case .useStale:
            let isNew = self.found?.credentials != found.credentials
            self.found = found
            let text =
                "credentials of \(found.sourceText) ended at "
                + "\(isoTime(unixSeconds: found.expiresAt ?? 0)) and are used on: the instance "
                + "cannot renew them just now; it is asked again"
            let line = troubleLog.trouble("stale", text, nowMs: loop.nowMs)
            return (isNew ? .use(found.credentials) : .nothing, line.map { ($0, true) })
        }
    }

    private mutating func end(_ found: FoundCredentials) -> (String, isTrouble: Bool)? {
        troubleLog.end(Self.line(found)).map { ($0, false) }
    }

    /// - Parameters:
    ///   - short: for the status, which has little room.
    ///   - text: for the log.
    private mutating func failed(
        _ short: String, _ text: String
    ) -> (news: News, line: (String, isTrouble: Bool)?) {
        let nowMs = loop.nowMs
        let remedy = "`hydrant credentials` shows every source"
        if found != nil {
            guard machine.isPressing(nowMs: nowMs) else { return (.nothing, nil) }
            let line = "credentials cannot be renewed: \(text); those held are used on; \(remedy)"
            return (.nothing, troubleLog.trouble(text, line, nowMs: nowMs).map { ($0, true) })
        }
        let line =
            "no credentials: \(text); rows stay in the spool, and it is tried again; \(remedy)"
        return (
            .lack("no credentials: \(short); rows stay in the spool; \(remedy)"),
            troubleLog.trouble(text, line, nowMs: nowMs).map { ($0, true) }
        )
    }

    private static func line(_ found: FoundCredentials) -> String {
        let end = found.expiresAt.map { ", until \(isoTime(unixSeconds: $0))" } ?? ""
        return "credentials from \(found.sourceText), key \(found.credentials.shownKey)\(end)"
    }

    // MARK: Where the handles' calls arrive

    private static let timerFired: OwnerCall = { raw in
        let it = raw.assumingMemoryBound(to: CredentialProvider.self)
        it.pointee.act(it.pointee.machine.timerFired(nowMs: it.pointee.loop.nowMs))
    }

    private static let searchFinished: OwnerCall = { raw in
        let it = raw.assumingMemoryBound(to: CredentialProvider.self)
        let (news, line) = it.pointee.searchHasFinished()
        let listener = it.pointee.listener
        if let line { listener.tell(line.0, line.isTrouble) }
        switch news {
        case .use(let credentials): listener.use(credentials)
        case .lack(let why): listener.lack(why)
        case .nothing: break
        }
    }
}

extension Int64 {
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}
