import Core
import Platform

/// Performs a `CredentialChain`: reads its files, makes its calls, runs its program. One search at a
/// time; the owner hears of its end through `didFinish`, in a later turn of the loop.
struct CredentialSearch: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<CredentialSearch>

    struct Setup {
        var inputs: CredentialInputs
        /// How an endpoint is reached; throws what keeps it from being.
        var route: (ServiceEndpoint) throws -> ServiceRoute
        /// The first call waits for a random part of this, so that the workers of a host do not ask
        /// all at once.
        var spreadMs: UInt64 = 0
        var program = ProgramRun.Limits()
    }

    enum Result {
        case found(FoundCredentials)
        case failed([CredentialAttempt])
    }

    /// What is under way.
    private enum Phase { case idle, spreading(CredentialCall), calling, running, waiting, ending }

    private let address: Pointer
    private let loop: Loop
    private let setup: Setup
    private let owner: UnsafeMutableRawPointer
    private let didFinish: OwnerCall
    private let timer: Timer

    private var chain: CredentialChain
    private var phase = Phase.idle
    private var hasSpread = false
    private var connection: ServiceConnection.Pointer?
    /// Of the call under way: stays in place while it is.
    private var request = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var program: ProgramRun?
    /// Of the last search that ended.
    private(set) var result: Result?

    static func allocate(
        _ setup: Setup, in loop: Loop, owner: UnsafeMutableRawPointer,
        didFinish: @escaping OwnerCall
    ) -> Pointer {
        let it = Pointer.allocate(capacity: 1)
        it.initialize(
            to: CredentialSearch(at: it, setup, in: loop, owner: owner, didFinish: didFinish))
        return it
    }

    private init(
        at address: Pointer, _ setup: Setup, in loop: Loop, owner: UnsafeMutableRawPointer,
        didFinish: @escaping OwnerCall
    ) {
        (self.address, self.setup, self.loop) = (address, setup, loop)
        (self.owner, self.didFinish) = (owner, didFinish)
        chain = CredentialChain(setup.inputs)
        timer = Timer(in: loop, owner: address, fire: Self.timerFired)
    }

    deinit { request.deallocate() }

    mutating func start() {
        guard case .idle = phase else { preconditionFailure("a search is under way") }
        chain = CredentialChain(setup.inputs)
        hasSpread = setup.spreadMs == 0
        result = nil
        perform(chain.start(unixSeconds: Self.unixSeconds))
    }

    /// Ends everything; the owner hears no more, and the pointer is no longer his.
    static func shutDown(_ it: Pointer) {
        it.pointee.timer.close()
        it.pointee.endCall()
        it.pointee.program?.close()
        it.deinitialize(count: 1)
        it.deallocate()
    }

    private static var unixSeconds: Int64 { Int64(realtimeMicroseconds() / 1_000_000) }

    // MARK: Doing

    private mutating func tell(_ event: CredentialEvent) {
        perform(chain.handle(event, unixSeconds: Self.unixSeconds))
    }

    private mutating func perform(_ first: CredentialAction) {
        var action = first
        while true {
            switch action {
            case .readFile(let path):
                action = chain.handle(Self.read(path), unixSeconds: Self.unixSeconds)
            case .call(let call):
                guard let trouble = begin(call) else { return }
                action = chain.handle(.unreachable(trouble), unixSeconds: Self.unixSeconds)
            case .run(let words):
                guard let trouble = run(words) else { return }
                action = chain.handle(.programFailed(trouble), unixSeconds: Self.unixSeconds)
            case .wait(let ms):
                phase = .waiting
                timer.start(afterMs: ms)
                return
            case .found(let found): return end(.found(found))
            case .failed(let attempts): return end(.failed(attempts))
            }
        }
    }

    /// Told in the next turn, not from within the owner's own call.
    private mutating func end(_ result: Result) {
        self.result = result
        phase = .ending
        timer.start(afterMs: 0)
    }

    /// Small files, and few: read at once. A FIFO is not waited for.
    private static func read(_ path: String) -> CredentialEvent {
        do throws(Failure) {
            let limit = ProfileFile.byteCountMax
            let bytes = try SmallFile.read(path, byteCountMax: limit + 1, waits: false)
            return bytes.count > limit
                ? .fileUnreadable("larger than \(limit) bytes") : .file(bytes)
        } catch {
            return error.isAbsent ? .fileMissing : .fileUnreadable(error.reason)
        }
    }

    // MARK: Calls

    /// What kept it from beginning, or nil.
    private mutating func begin(_ call: CredentialCall) -> String? {
        if !hasSpread {
            hasSpread = true
            phase = .spreading(call)
            timer.start(afterMs: randomUInt64() % (setup.spreadMs + 1))
            return nil
        }
        let route: ServiceRoute
        do { route = try setup.route(call.endpoint) } catch { return "\(error)" }
        var limits = CallLimits()
        limits.connectTimeoutMs = call.timeoutMs
        limits.callTimeoutBaseMs = call.timeoutMs
        request.deallocate()
        request = .allocate(byteCount: call.head.count + call.body.count, alignment: 16)
        request.copyBytes(from: call.head + call.body)
        phase = .calling
        // Each to another place, most likely, and minutes apart: no connection is kept.
        connection = ServiceConnection.allocate(
            in: loop, route: route, limits: limits, owner: address, didFinish: Self.callFinished)
        connection!.pointee.call(
            head: UnsafeRawBufferPointer(rebasing: request[..<call.head.count]),
            body: UnsafeRawBufferPointer(rebasing: request[call.head.count...]))
        return nil
    }

    private mutating func endCall() {
        if let connection { ServiceConnection.shutDown(connection) }
        connection = nil
    }

    private mutating func callHasFinished() {
        guard let connection else { return }
        let event: CredentialEvent
        if let trouble = connection.pointee.trouble {
            event = .unreachable(trouble.text)
        } else {
            event = .answer(CredentialAnswer(connection.pointee.response))
        }
        endCall()
        tell(event)
    }

    // MARK: The program

    private mutating func run(_ words: [String]) -> String? {
        do throws(Failure) {
            program = try ProgramRun(
                words, limits: setup.program, in: loop, owner: address, done: Self.programEnded)
        } catch { return "cannot be started: \(words[0]): \(error.reason)" }
        phase = .running
        return nil
    }

    private mutating func programHasEnded() {
        guard let program, let end = program.end else { return }
        self.program = nil
        program.close()
        switch end {
        case .output(let bytes): tell(.output(bytes))
        case .failed(let why): tell(.programFailed(why))
        }
    }

    // MARK: Where the handles' calls arrive

    /// True when the owner is to be told.
    private mutating func timeHasCome() -> Bool {
        switch phase {
        case .spreading(let call):
            if let trouble = begin(call) { tell(.unreachable(trouble)) }
        case .waiting: tell(.waited)
        case .ending:
            phase = .idle
            return true
        case .idle, .calling, .running: break
        }
        return false
    }

    private static let timerFired: OwnerCall = { raw in
        let it = raw.assumingMemoryBound(to: CredentialSearch.self)
        guard it.pointee.timeHasCome() else { return }
        let (owner, didFinish) = (it.pointee.owner, it.pointee.didFinish)
        didFinish(owner)
    }

    private static let callFinished: OwnerCall = { raw in
        raw.assumingMemoryBound(to: CredentialSearch.self).pointee.callHasFinished()
    }

    private static let programEnded: OwnerCall = { raw in
        raw.assumingMemoryBound(to: CredentialSearch.self).pointee.programHasEnded()
    }
}
