import Core
import Platform

/// One kept-alive HTTP connection to a service, one call at a time.
///
///     closed → resolving → connecting → tunnelling → shaking hands → calling ⇄ idle
///        ↑                              (a proxy)    (TLS)                      |
///        └────────────────────────────── closing ──────────────────────────────┘
///
/// The owner begins a call with `call` and hears once through `didFinish`, in a later turn of the
/// loop; `trouble`, or else `response`, says what came of it. Methods change the state; the static
/// functions in `ServiceConnection+Events`, which libuv reaches, tell the owner when the change is
/// complete, so that the owner may begin the next call from there.
struct ServiceConnection: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<ServiceConnection>

    /// A call that got no answer.
    struct Trouble: Equatable {
        var fault: FirehoseFault
        var text: String
    }

    enum Phase {
        case closed, resolving, connecting, tunnelling, shakingHands, calling, idle, closing
    }

    let address: Pointer
    let loop: Loop
    let route: ServiceRoute
    let limits: CallLimits
    let stream = Stream.allocate()
    let writeRequest = UnsafeMutablePointer<StreamWriteStorage>.allocate(capacity: 1)
    let timer: Timer
    let resolver: Resolver
    let owner: UnsafeMutableRawPointer
    let didFinish: OwnerCall

    var phase = Phase.closed
    /// A call is under way.
    private(set) var isBusy = false
    /// The call is over and the owner does not know yet.
    private(set) var hasFinished = false
    /// To be connected again as soon as it is closed.
    var reconnects = false
    /// The call goes over a connection that carried one before: the peer may just have closed it.
    var isReused = false
    private(set) var isShut = false

    var addresses: [SocketAddress] = []
    /// The one to try when the one before cannot be reached; 0 when all begins anew.
    var nextAddress = 0
    var tls: TLSWire?

    var head = UnsafeRawBufferPointer(start: nil, count: 0)
    var body = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Of the head and the body behind it: given to the kernel, or to TLS.
    var sentBytes = 0
    /// The same: held by libuv until the kernel takes them, and then counted in `sentBytes`.
    var queuedBytes = 0
    var isQueued = false
    var writeHasFailed = false

    var response = HTTPResponseReader()
    /// How often the whole request was sent in this call and no whole answer came: the service may
    /// have done what it was asked.
    private(set) var answersLost = 0
    /// Why there is no answer; nil when `response` is whole.
    private(set) var trouble: Trouble?

    static func allocate(
        in loop: Loop, route: ServiceRoute, limits: CallLimits, owner: UnsafeMutableRawPointer,
        didFinish: @escaping OwnerCall
    ) -> Pointer {
        let it = Pointer.allocate(capacity: 1)
        it.initialize(
            to: ServiceConnection(
                at: it, in: loop, route: route, limits: limits, owner: owner,
                didFinish: didFinish))
        return it
    }

    private init(
        at address: Pointer, in loop: Loop, route: ServiceRoute, limits: CallLimits,
        owner: UnsafeMutableRawPointer, didFinish: @escaping OwnerCall
    ) {
        self.address = address
        self.loop = loop
        self.route = route
        self.limits = limits
        self.owner = owner
        self.didFinish = didFinish
        timer = Timer(in: loop, owner: address, fire: Self.timerFired)
        resolver = Resolver(in: loop, owner: address, done: Self.resolved)
        writeRequest.initialize(to: StreamWriteStorage())
    }

    deinit {
        stream.deallocate()
        writeRequest.deallocate()
    }

    // MARK: A call

    /// Sends a request. Head and body stay in place until `didFinish`.
    mutating func call(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        precondition(!isBusy && !isShut)
        (self.head, self.body) = (head, body)
        isBusy = true
        trouble = nil
        answersLost = 0
        isReused = phase == .idle
        switch phase {
        case .idle: send()
        case .closed: connect()
        case .closing: reconnects = true
        case .resolving, .connecting, .tunnelling, .shakingHands, .calling:
            preconditionFailure("a call is under way")
        }
        // It failed on the spot: the owner hears of it in the next turn all the same.
        if hasFinished { timer.start(afterMs: 0) }
    }

    mutating func finish(_ trouble: Trouble?) {
        guard isBusy, !hasFinished else { return }
        self.trouble = trouble
        hasFinished = true
        timer.stop()
    }

    mutating func fail(_ text: String, _ fault: FirehoseFault = .retry) {
        finish(Trouble(fault: fault, text: text))
    }

    /// Nothing more of an answer will come.
    mutating func loseAnswer() {
        if phase == .calling, isSent { answersLost += 1 }
    }

    /// The owner is about to be told.
    mutating func takeFinished() -> Bool {
        if !hasFinished { return false }
        (hasFinished, isBusy) = (false, false)
        return true
    }

    mutating func timeHasCome() {
        if hasFinished || !isBusy { return }
        switch phase {
        case .resolving:
            phase = .closed
            fail("\(route.hop.host): no address within \(limits.connectTimeoutMs) ms")
        case .connecting, .tunnelling, .shakingHands:
            didConnect(failure: "no answer within \(limits.connectTimeoutMs) ms")
        case .calling:
            loseAnswer()
            close()
            let limitMs = limits.callTimeoutMs(bodyByteCount: body.count)
            fail("\(route.endpoint.authority): no answer to a call within \(limitMs) ms")
        case .closed, .idle, .closing: break
        }
    }

    // MARK: Ending

    mutating func close() {
        // What is queued lies in TLS's room still.
        if phase == .idle || phase == .calling, !isQueued { tls?.sayClose(over: stream) }
        phase = .closing
        stream.close()
    }

    /// True when the memory may be given back.
    mutating func didClose() -> Bool {
        phase = .closed
        tls = nil
        if isShut { return true }
        guard isBusy, reconnects else { return false }
        reconnects = false
        if nextAddress > 0 { connectToNext() } else { connect() }
        return false
    }

    /// True when the memory may be given back at once.
    mutating func shutDown() -> Bool {
        isShut = true
        isBusy = false
        hasFinished = false
        timer.close()
        resolver.close()
        switch phase {
        case .closed, .resolving: return true
        case .closing: return false
        case .connecting, .tunnelling, .shakingHands, .calling, .idle:
            close()
            return false
        }
    }
}
