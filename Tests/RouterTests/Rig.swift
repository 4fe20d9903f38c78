import Core
import Glibc
import Platform
import Testing

@testable import Router

/// A router in this process: the real one on a real loop, between clients on loopback and workers
/// whose part the test plays. Nothing moves but within `pump`.
final class Rig {
    let loop: Loop
    let state: UnsafeMutablePointer<RouterState>
    let routing: Routing
    let counters: CounterPage
    private(set) var ports: [UInt16] = []
    private var clients: [TestClient] = []
    private var workers: [TestWorker] = []

    init(
        workers: Int = 1, listeners: Int = 1, fileLimit: Int = 1 << 20,
        _ configure: (inout Settings) -> Void = { _ in }
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        var settings = Settings()
        settings.workers = workers
        // Beyond the time that `pump` gives: what a busy machine delays is not answered 503.
        settings.waitLimitMs = 20_000
        configure(&settings)
        let page = UnsafeMutableRawPointer.allocate(
            byteCount: CounterPage.byteCount, alignment: 4096)
        memset(page, 0, CounterPage.byteCount)
        loop = try Loop.make()
        counters = CounterPage(at: page)
        state = .allocate(capacity: 1)
        state.initialize(
            to: RouterState(
                loop: loop, settings: settings, origin: Rig.origin, counters: counters,
                fileLimit: fileLimit))
        routing = Routing(state: state)
        routing.begin()
        let sockets = try (0..<listeners).map { _ in try bindTCP(address: "127.0.0.1", port: 0) }
        ports = sockets.map(port)
        try routing.listen(on: sockets)
    }

    /// Loop and state stay: handles still refer to them. Only descriptors are given back.
    deinit {
        clients.forEach { $0.close() }
        workers.forEach { $0.close() }
        for listener in state.pointee.listeners { listener.close() }
        state.pointee.listeners = []
        for _ in 0..<20 { loop.runNoWait() }
    }

    static let origin = Origin(slot: 2, incarnation: 0xabcdef)

    /// A worker's end of a fresh link, whose other end the router has.
    func link(_ worker: Int = 0) throws -> TestWorker {
        let (mine, theirs) = try socketPair(packets: false)
        let worker_ = TestWorker(mine)
        workers.append(worker_)
        routing.link(to: worker, descriptor: theirs)
        return worker_
    }

    func connect(_ listener: Int = 0, receiveBytes: Int32? = nil) throws -> TestClient {
        let client = try TestClient(port: ports[listener], receiveBytes: receiveBytes)
        clients.append(client)
        return client
    }

    /// Runs the loop and everybody's sockets until `done`, or for ten seconds at most.
    @discardableResult
    func pump(
        _ what: Comment? = nil, at location: SourceLocation = #_sourceLocation,
        until done: () throws -> Bool
    ) rethrows -> Bool {
        let deadline = monotonicNanoseconds() + 10_000_000_000
        while true {
            turn()
            if try done() { return true }
            if monotonicNanoseconds() > deadline { break }
            usleep(100)
        }
        Issue.record(what ?? "this did not happen within ten seconds", sourceLocation: location)
        return false
    }

    /// Long enough for whatever could happen to have happened: on a busy machine a turn may take all
    /// of the time, so there are so many turns at least.
    func pump(forMs: UInt64 = 30) {
        let end = monotonicNanoseconds() + forMs * 1_000_000
        var turns = 0
        while turns < 100 || monotonicNanoseconds() < end {
            turn()
            turns += 1
            usleep(100)
        }
    }

    private func turn() {
        clients.forEach { $0.move() }
        loop.runNoWait()
        clients.forEach { $0.move() }
        workers.forEach { $0.move() }
    }

    private func port(_ socket: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    func value(_ counter: Counter) -> UInt64 { counters.value(of: counter) }
}

/// An HTTP client that sends what it is told and gathers what comes.
final class TestClient {
    private let socket: Int32
    private var toSend: [UInt8] = []
    private(set) var received: [UInt8] = []
    /// The server ended its side.
    private(set) var isEnded = false
    /// The connection was reset.
    private(set) var isReset = false
    /// Whether `move` takes what has come.
    var reads = true

    init(port: UInt16, receiveBytes: Int32?) throws {
        socket = try system("socket", Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        if var bytes = receiveBytes {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try system("connect", status)
    }

    func send(_ text: String) {
        toSend += Array(text.utf8)
        move()
    }

    var unsentBytes: Int { toSend.count }

    func shutDownWriting() { shutdown(socket, Int32(SHUT_WR)) }

    private var isClosed = false

    func close() {
        if !isClosed { Glibc.close(socket) }
        isClosed = true
    }

    /// Leaves without a farewell.
    func reset() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func move() {
        if isClosed { return }
        if !toSend.isEmpty {
            let sent = Glibc.send(
                socket, toSend, toSend.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            if sent > 0 { toSend.removeFirst(sent) }
        }
        while reads && !isEnded {
            var room = [UInt8](repeating: 0, count: 65_536)
            let got = recv(socket, &room, room.count, Int32(MSG_DONTWAIT))
            if got > 0 { received += room[..<got] }
            if got == 0 || (got < 0 && errno != EAGAIN) {
                isReset = got < 0
                isEnded = true
            }
            if got <= 0 { return }
        }
    }

    /// The whole answers so far. `heads` are the places of answers to HEAD.
    func answers(heads: Set<Int> = []) -> [TestAnswer] {
        var found: [TestAnswer] = []
        var rest = received[...]
        let end = Array("\r\n\r\n".utf8)
        while let range = rest.firstRange(of: end) {
            let head = String(decoding: rest[..<range.lowerBound], as: UTF8.self)
            let lines = head.split(separator: "\r\n").map(String.init)
            let length =
                lines.first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) }
            let bodyBytes = heads.contains(found.count) ? 0 : length ?? 0
            guard rest.endIndex - range.upperBound >= bodyBytes else { break }
            let bodyEnd = range.upperBound + bodyBytes
            found.append(
                TestAnswer(
                    status: Int(lines[0].split(separator: " ")[1]) ?? 0, lines: lines,
                    body: Array(rest[range.upperBound..<bodyEnd])))
            rest = rest[bodyEnd...]
        }
        return found
    }

    var statuses: [Int] { answers().map(\.status) }
}

struct TestAnswer {
    var status: Int
    var lines: [String]
    var body: [UInt8]

    var connection: String? {
        lines.first { $0.hasPrefix("Connection: ") }.map { String($0.dropFirst(12)) }
    }
}

/// A frame as the worker's end read it.
struct TestFrame: Equatable {
    var header: FrameHeader
    var bytes: [UInt8]

    /// The targets of its hits, in order.
    var targets: [String] { hits { String(decoding: $0.target, as: UTF8.self) } }

    func hits<R>(_ read: (HitView) -> R) -> [R] {
        bytes.withUnsafeBytes { bytes in
            var found: [R] = []
            var rest = UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.byteCount...])
            while let hit = HitView(rest) {
                found.append(read(hit))
                rest = UnsafeRawBufferPointer(rebasing: rest[hit.byteCount...])
            }
            precondition(rest.isEmpty && found.count == Int(header.hitCount))
            return found
        }
    }
}

/// The worker's end of a link.
final class TestWorker {
    private let socket: Int32
    private var received: [UInt8] = []
    fileprivate(set) var frames: [TestFrame] = []
    private(set) var isEnded = false
    private var isClosed = false
    /// Whether `move` takes what has come.
    var reads = true

    init(_ socket: Int32) { self.socket = socket }

    var hitCount: Int { frames.reduce(0) { $0 + Int($1.header.hitCount) } }

    func move() {
        if isClosed || !reads { return }
        while !isEnded {
            var room = [UInt8](repeating: 0, count: 1 << 20)
            let got = recv(socket, &room, room.count, Int32(MSG_DONTWAIT))
            if got > 0 { received += room[..<got] }
            if got == 0 || (got < 0 && errno != EAGAIN) { isEnded = true }
            if got <= 0 { break }
        }
        while received.count >= FrameHeader.byteCount {
            let header = received.withUnsafeBytes { try! FrameHeader.read($0.baseAddress!) }
            guard received.count >= Int(header.byteCount) else { break }
            let bytes = Array(received.prefix(Int(header.byteCount)))
            frames.append(TestFrame(header: header, bytes: bytes))
            received.removeFirst(Int(header.byteCount))
        }
    }

    static func ack(_ frame: TestFrame, _ verdicts: [Verdict]) -> [UInt8] {
        var header = frame.header
        header.kind = .ack
        header.byteCount = UInt32(FrameHeader.byteCount + verdicts.count)
        header.hitCount = UInt16(verdicts.count)
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.write(to: $0.baseAddress!) }
        return bytes + verdicts.map(\.rawValue)
    }

    /// Acknowledges a frame; by default all its hits are good.
    func ack(_ frame: TestFrame, _ verdicts: [Verdict]? = nil) {
        say(Self.ack(frame, verdicts ?? .init(repeating: .good, count: Int(frame.header.hitCount))))
    }

    /// Acknowledges every frame it has and forgets them.
    func ackAll() {
        frames.forEach { ack($0) }
        frames = []
    }

    func say(_ bytes: [UInt8]) {
        let sent = send(
            socket, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        precondition(sent == bytes.count)
    }

    /// The same, when the router may have cut the link.
    func trySay(_ bytes: [UInt8]) {
        _ = send(socket, bytes, bytes.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }

    func close() {
        if !isClosed { Glibc.close(socket) }
        isClosed = true
    }
}

func get(_ target: String = "/p.gif", fields: String = "", version: String = "1.1") -> String {
    "GET \(target) HTTP/\(version)\r\nHost: t\r\n\(fields)\r\n"
}

extension Rig {
    /// Slots of the connections that are open.
    var openSlots: [UInt32] {
        (0..<UInt32(state.pointee.slab.slotCount)).filter {
            state.pointee.slab[$0].pointee.flags.contains(.open)
        }
    }
}

extension TestWorker {
    func forget() { frames = [] }
}
