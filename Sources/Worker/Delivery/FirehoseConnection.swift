import Core
import Platform

/// One kept-alive HTTP connection to a Firehose, one call at a time.
///
///     closed → resolving → connecting → calling ⇄ idle
///        ↑________________ closing ________|
///
/// The owner begins a call with `call` and hears once through `didFinish`, in a later turn of the
/// loop; `trouble`, or else `response`, says what came of it. Methods change the state; the static
/// functions in `FirehoseConnection+Events`, which libuv reaches, tell the owner when the change is
/// complete, so that the owner may begin the next call from there.
struct FirehoseConnection: ~Copyable {
    typealias Pointer = UnsafeMutablePointer<FirehoseConnection>

    /// Bytes given to the kernel in one callback.
    static let writeBytesMax = 256 << 10

    /// A call that got no answer.
    struct Trouble: Equatable {
        var fault: FirehoseFault
        var text: String
    }

    private enum Phase { case closed, resolving, connecting, calling, idle, closing }

    private let address: Pointer
    private let loop: Loop
    private let endpoint: FirehoseEndpoint
    private let tuning: DeliveryTuning
    private let stream = Stream.allocate()
    private let writeRequest = UnsafeMutablePointer<StreamWriteStorage>.allocate(capacity: 1)
    private let timer: Timer
    private let resolver: Resolver
    let owner: UnsafeMutableRawPointer
    let didFinish: OwnerCall

    private var phase = Phase.closed
    /// A call is under way.
    private(set) var isBusy = false
    /// The call is over and the owner does not know yet.
    private(set) var hasFinished = false
    /// To be connected again as soon as it is closed.
    private var reconnects = false
    /// The call goes over a connection that carried one before: the peer may just have closed it.
    private var isReused = false
    private var isShut = false

    private var addresses: [SocketAddress] = []
    /// The one to try when the one before cannot be reached; 0 when all begins anew.
    private var nextAddress = 0

    private var head = UnsafeRawBufferPointer(start: nil, count: 0)
    private var body = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Of the head and the body behind it: given to the kernel.
    private var sentBytes = 0
    /// The same: held by libuv until the kernel takes them.
    private var queuedBytes = 0
    private var writeHasFailed = false

    private(set) var response = HTTPResponseReader()
    /// Why there is no answer; nil when `response` is whole.
    private(set) var trouble: Trouble?

    static func allocate(
        in loop: Loop, endpoint: FirehoseEndpoint, tuning: DeliveryTuning,
        owner: UnsafeMutableRawPointer, didFinish: @escaping OwnerCall
    ) -> Pointer {
        let it = Pointer.allocate(capacity: 1)
        it.initialize(
            to: FirehoseConnection(
                at: it, in: loop, endpoint: endpoint, tuning: tuning, owner: owner,
                didFinish: didFinish))
        return it
    }

    private init(
        at address: Pointer, in loop: Loop, endpoint: FirehoseEndpoint, tuning: DeliveryTuning,
        owner: UnsafeMutableRawPointer, didFinish: @escaping OwnerCall
    ) {
        self.address = address
        self.loop = loop
        self.endpoint = endpoint
        self.tuning = tuning
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
        isReused = phase == .idle
        switch phase {
        case .idle: send()
        case .closed: connect()
        case .closing: reconnects = true
        case .resolving, .connecting, .calling: preconditionFailure("a call is under way")
        }
        // It failed on the spot: the owner hears of it in the next turn all the same.
        if hasFinished { timer.start(afterMs: 0) }
    }

    private mutating func finish(_ trouble: Trouble?) {
        guard isBusy, !hasFinished else { return }
        self.trouble = trouble
        hasFinished = true
        timer.stop()
    }

    private mutating func fail(_ text: String) { finish(Trouble(fault: .retry, text: text)) }

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
            fail("\(endpoint.host): no address within \(tuning.connectTimeoutMs) ms")
        case .connecting:
            didConnect(failure: "no answer within \(tuning.connectTimeoutMs) ms")
        case .calling:
            close()
            let limitMs = tuning.callTimeoutMs(bodyByteCount: body.count)
            fail("\(endpoint.authority): no answer to a call within \(limitMs) ms")
        case .closed, .idle, .closing: break
        }
    }

    // MARK: Connecting

    private mutating func connect() {
        nextAddress = 0
        timer.start(afterMs: tuning.connectTimeoutMs)
        if let literal = SocketAddress(ip: endpoint.host, port: endpoint.port) {
            addresses = [literal]
            connectToNext()
            return
        }
        phase = .resolving
        // The query of a call that gave up goes on; its answer serves this one.
        if resolver.isAsking { return }
        do {
            try resolver.resolve(host: endpoint.host, port: endpoint.port)
        } catch {
            phase = .closed
            fail("\(endpoint.host): \(error)")
        }
    }

    mutating func didResolve(_ code: Int32) {
        guard phase == .resolving else { return }
        if code < 0 {
            phase = .closed
            fail("\(endpoint.host): \(describe(uvCode: code))")
            return
        }
        addresses = resolver.addresses
        connectToNext()
    }

    private mutating func connectToNext() {
        phase = .connecting
        stream.openTCP(in: loop, owner: address, events: Self.streamEvents)
        timer.start(afterMs: tuning.connectTimeoutMs)
        nextAddress += 1
        do {
            try stream.connect(to: addresses[nextAddress - 1])
        } catch {
            didConnect(failure: error.reason)
        }
    }

    mutating func didConnect(_ code: Int32) {
        guard phase == .connecting else { return }
        if code < 0 {
            didConnect(failure: describe(uvCode: code))
            return
        }
        nextAddress = 0
        stream.setNoDelay()
        do {
            try stream.startReading()
        } catch {
            close()
            fail("\(endpoint.authority): \(error)")
            return
        }
        send()
    }

    /// Goes on to the name's next address, if there is one.
    private mutating func didConnect(failure: String) {
        close()
        if nextAddress < addresses.count {
            reconnects = true
        } else {
            fail("\(endpoint.authority): cannot connect: \(failure)")
        }
    }

    private mutating func close() {
        phase = .closing
        stream.close()
    }

    /// True when the memory may be given back.
    mutating func didClose() -> Bool {
        phase = .closed
        if isShut { return true }
        guard isBusy, reconnects else { return false }
        reconnects = false
        if nextAddress > 0 { connectToNext() } else { connect() }
        return false
    }

    // MARK: Sending

    private var requestBytes: Int { head.count + body.count }

    private mutating func send() {
        phase = .calling
        response.reset()
        (sentBytes, queuedBytes, writeHasFailed) = (0, 0, false)
        timer.start(afterMs: tuning.callTimeoutMs(bodyByteCount: body.count))
        // Head and beginning of the body in one packet; what the kernel does not take is queued.
        let start = UnsafeRawBufferPointer(
            rebasing: body.prefix(max(0, Self.writeBytesMax - head.count)))
        let written = stream.tryWrite(head, start)
        if written < 0 {
            didEnd(Int32(written))
            return
        }
        sentBytes = written
        sendMore()
    }

    /// Queues the next piece: of the head, if there is still some of it, else of the body.
    private mutating func sendMore() {
        if writeHasFailed || sentBytes == requestBytes { return }
        let rest =
            sentBytes < head.count ? head[sentBytes...] : body[(sentBytes - head.count)...]
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.writeBytesMax))
        queuedBytes = piece.count
        do {
            try stream.write(piece, using: writeRequest)
        } catch { writeHasFailed = true }
    }

    mutating func didWrite(_ code: Int32) {
        guard phase == .calling else { return }
        if code < 0 {
            // The peer may have answered before it closed: reading tells, and it ends soon.
            writeHasFailed = true
            return
        }
        sentBytes += queuedBytes
        queuedBytes = 0
        sendMore()
    }

    // MARK: Receiving

    mutating func didRead(_ bytes: UnsafeRawBufferPointer) {
        switch phase {
        case .idle: close()  // Nobody asked.
        case .calling: judge(response.consume(bytes))
        case .closed, .resolving, .connecting, .closing: break
        }
    }

    private mutating func judge(_ progress: HTTPResponseReader.Progress) {
        switch progress {
        case .more: break
        case .complete(let reusable):
            if reusable, sentBytes == requestBytes { phase = .idle } else { close() }
            finish(nil)
        case .failed(let flaw):
            close()
            let fault: FirehoseFault = flaw == .cut ? .retry : .notFirehose
            finish(Trouble(fault: fault, text: "\(endpoint.authority): \(flaw.rawValue)"))
        }
    }

    /// Reading, or the first write, found the connection gone.
    mutating func didEnd(_ code: Int32) {
        switch phase {
        case .idle: close()
        case .calling where isReused && !response.hasBegun:
            // It was closed while it was idle, most likely: that is no failure of the call.
            isReused = false
            reconnects = true
            close()
        case .calling where code == endOfFile && response.hasBegun:
            judge(response.end())
        case .calling:
            close()
            fail("\(endpoint.authority): closed before an answer (\(describe(uvCode: code)))")
        case .closed, .resolving, .connecting, .closing: break
        }
    }

    // MARK: Ending

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
        case .connecting, .calling, .idle:
            close()
            return false
        }
    }
}
