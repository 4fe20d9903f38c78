import Glibc
import Platform

/// A small HTTP server in the test's own loop: every request is kept, and answered by the test.
final class FakeService {
    /// Head and body of each request, in order.
    private(set) var requests: [String] = []
    /// The whole answer's bytes; nil: silence.
    var answer: (String) -> String?
    private(set) var port: UInt16 = 0
    private let loop: Loop
    private var listener: Listener?
    private var connections: [Connection] = []

    init(in loop: Loop, answer: @escaping (String) -> String?) throws {
        (self.loop, self.answer) = (loop, answer)
        let descriptor = try bindTCP(address: "127.0.0.1", port: 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        listener = try Listener.open(
            tcp: descriptor, in: loop, backlog: 16,
            owner: Unmanaged.passUnretained(self).toOpaque(), events: Self.listenerEvents)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    static func response(_ status: Int, _ body: String, headers: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    nonisolated(unsafe) private static let listenerEvents: UnsafePointer<ListenerEvents> = {
        let table = UnsafeMutablePointer<ListenerEvents>.allocate(capacity: 1)
        table.initialize(
            to: ListenerEvents(
                didKnock: { owner, _ in
                    Unmanaged<FakeService>.fromOpaque(owner).takeUnretainedValue().accept()
                }, didClose: { _ in }))
        return UnsafePointer(table)
    }()

    private func accept() {
        guard let listener else { return }
        let connection = Connection(self)
        connections.append(connection)
        connection.stream.openTCP(
            in: loop, owner: Unmanaged.passUnretained(connection).toOpaque(),
            events: Connection.events)
        try! connection.stream.accept(from: listener)
        try! connection.stream.startReading()
    }

    private final class Connection {
        unowned let service: FakeService
        let stream = Stream.allocate()
        private var received = ""

        init(_ service: FakeService) { self.service = service }

        private func didRead(_ bytes: UnsafeRawBufferPointer) {
            received += String(decoding: bytes, as: UTF8.self)
            guard let end = received.firstRange(of: "\r\n\r\n") else { return }
            let length = received.firstRange(of: "Content-Length: ").map {
                Int(received[$0.upperBound...].prefix { $0.isNumber })!
            }
            guard received[end.upperBound...].utf8.count >= length ?? 0 else { return }
            let request = received
            received = ""
            service.requests.append(request)
            guard let answer = service.answer(request) else { return }
            let bytes = Array(answer.utf8)
            try? stream.writeCopying(bytes, bytes.count)
        }

        private static func of(_ owner: UnsafeMutableRawPointer) -> Connection {
            Unmanaged<Connection>.fromOpaque(owner).takeUnretainedValue()
        }

        nonisolated(unsafe) static let events: UnsafePointer<StreamEvents> = {
            let table = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
            table.initialize(
                to: StreamEvents(
                    didRead: { owner, bytes, count in
                        of(owner).didRead(UnsafeRawBufferPointer(start: bytes, count: count))
                    },
                    didEnd: { owner, _ in of(owner).stream.close() }, didClose: { _ in }))
            return UnsafePointer(table)
        }()
    }
}
