import Core
import Foundation
import Glibc
import Platform

/// A Firehose for tests, in the test's own loop: checks each call's signature, keeps the rows of the
/// records that it says it took, and misbehaves as told.
final class FakeFirehose {
    enum Behaviour {
        /// Takes everything but the records at these indexes.
        case take(except: [Int])
        case status(Int, String, headers: String = "")
        /// These bytes, and the connection is closed.
        case bytes(String)
        /// Takes everything, answers, and closes the connection at once.
        case takeThenClose
        /// Takes everything; the answer is lost on its way.
        case takeThenVanish
        /// Takes everything; half of the answer arrives.
        case takeThenHalfAnswer
        /// Reads, and never says a word.
        case silence
    }

    static let credentials = Credentials(accessKeyID: "AK", secretAccessKey: "secret")

    let loop: Loop
    private(set) var port: UInt16 = 0
    private var listener: Listener?
    private var connections: [Connection] = []
    private(set) var connectionsMade = 0

    /// Behaviour of each call, the last one for all that follow.
    var plan: [Behaviour]
    private(set) var calls = 0
    /// Rows taken, call after call.
    private(set) var rows: [String] = []
    /// Rows of each call, taken or not.
    private(set) var rowsOfCalls: [[String]] = []
    private(set) var recordsTaken = 0
    private(set) var complaints: [String] = []

    init(in loop: Loop, plan: [Behaviour]) throws {
        self.loop = loop
        self.plan = plan
        try open(port: 0)
    }

    private func open(port wanted: UInt16) throws {
        let descriptor = try bindTCP(address: "127.0.0.1", port: wanted)
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

    /// Stops listening and drops every connection, as a service that dies.
    func die() {
        listener?.close()
        listener = nil
        for connection in connections { connection.stream.close() }
    }

    func reopen() throws { try open(port: port) }

    nonisolated(unsafe) private static let listenerEvents: UnsafePointer<ListenerEvents> = {
        let table = UnsafeMutablePointer<ListenerEvents>.allocate(capacity: 1)
        table.initialize(
            to: ListenerEvents(
                didKnock: { owner, _ in
                    Unmanaged<FakeFirehose>.fromOpaque(owner).takeUnretainedValue().accept()
                }, didClose: { _ in }))
        return UnsafePointer(table)
    }()

    private func accept() {
        guard let listener else { return }
        let connection = Connection(self)
        connections.append(connection)
        connectionsMade += 1
        connection.stream.openTCP(
            in: loop, owner: Unmanaged.passUnretained(connection).toOpaque(),
            events: Connection.events)
        try! connection.stream.accept(from: listener)
        try! connection.stream.startReading()
    }

    /// What came was no call, as the test wanted.
    func clearComplaints() { complaints = [] }

    /// Drops idle connections, as a service does after a while.
    func dropConnections() { for connection in connections { connection.stream.close() } }

    // MARK: Calls

    fileprivate func answer(_ head: String, _ body: [UInt8], on connection: Connection) {
        check(head, body)
        let behaviour = plan.count > 1 ? plan.removeFirst() : plan[0]
        calls += 1
        let records = body.withUnsafeBytes { recordsOfBody($0) } ?? []
        if records.isEmpty { complaints.append("call \(calls) has no readable records") }
        rowsOfCalls.append(records.flatMap(rowsOf))
        switch behaviour {
        case .take(let failed): connection.send(Self.response(take(records, except: failed)))
        case .status(let status, let text, let headers):
            connection.send(Self.response(text, status: status, headers: headers))
        case .bytes(let text):
            connection.send(text)
            connection.stream.close()
        case .takeThenClose:
            connection.send(Self.response(take(records, except: [])))
            connection.stream.close()
        case .takeThenVanish:
            _ = take(records, except: [])
            connection.stream.close()
        case .takeThenHalfAnswer:
            let text = Self.response(take(records, except: []))
            connection.send(String(text.prefix(text.utf8.count - 7)))
            connection.stream.close()
        case .silence: break
        }
    }

    private func take(_ records: [Data], except failed: [Int]) -> String {
        let failed = failed.filter { $0 < records.count }
        let results = records.enumerated().map { at, record in
            if failed.contains(at) {
                return #"{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."}"#
            }
            rows += rowsOf(record)
            recordsTaken += 1
            return #"{"RecordId":"\#(at)"}"#
        }
        return #"{"FailedPutCount":\#(failed.count),"Encrypted":false,"RequestResponses":["#
            + results.joined(separator: ",") + "]}"
    }

    static func response(_ body: String, status: Int = 200, headers: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func check(_ head: String, _ body: [UInt8]) {
        let headers = head.split(separator: "\r\n").dropFirst().map { line in
            let halves = line.split(separator: ":", maxSplits: 1)
            return SigV4.Header(String(halves[0]), String(halves[1].dropFirst()))
        }
        func value(_ name: String) -> String { headers.first { $0.name == name }?.value ?? "" }
        guard let authorization = try? SigV4.Authorization(parsing: value("Authorization")) else {
            complaints.append("unsigned")
            return
        }
        let expected = SigV4.expectedSignature(
            method: "POST", path: "/", query: "", headers: headers, authorization: authorization,
            amzDate: value("X-Amz-Date"),
            payloadHash: lowerHex(body.withUnsafeBytes { Sha256.digest($0) }),
            secret: Self.credentials.secretAccessKey)
        if expected != authorization.signature { complaints.append("wrong signature") }
        lastDate = parseAmzDate(value("X-Amz-Date")) ?? 0
    }

    /// The moment the last call was signed for.
    private(set) var lastDate: Int64 = 0

    // MARK: Connections

    final class Connection {
        let service: FakeFirehose
        let stream = Platform.Stream.allocate()
        private var received: [UInt8] = []

        init(_ service: FakeFirehose) { self.service = service }

        func send(_ text: String) {
            let bytes = Array(text.utf8)
            try? stream.writeCopying(bytes, bytes.count)
        }

        /// Bytes of the head and of the whole call, once the head is there.
        private var expected: (head: Int, call: Int)?

        private func didRead(_ bytes: UnsafeRawBufferPointer) {
            received += bytes
            while true {
                if expected == nil, let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                    let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                    let at = head.firstRange(of: "Content-Length: ")!.upperBound
                    let length = Int(head[at...].prefix { $0.isNumber })!
                    expected = (end.upperBound, end.upperBound + length)
                }
                guard let (head, call) = expected, received.count >= call else { return }
                let headText = String(decoding: received[..<(head - 4)], as: UTF8.self)
                let body = Array(received[head..<call])
                received.removeFirst(call)
                expected = nil
                service.answer(headText, body, on: self)
                if stream.isClosing { return }
            }
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
                    didEnd: { owner, _ in of(owner).stream.close() },
                    didClose: { _ in }))
            return UnsafePointer(table)
        }()
    }
}
