import Core
import Platform

/// What befalls connections before there is a request to answer.
struct ConnectionFaults {
    /// A client has connected over TLS.
    var handshake: () -> Fault.TLS?
    /// The first of a body is there: whether its connection is reset.
    var resets: (APIRequestHead, _ first: UnsafeRawBufferPointer) -> Bool
}

/// A small HTTP/1.1 server: whole requests in, whole answers out, one at a time a connection.
final class HTTPServer {
    typealias Handler = (HTTPRequest) -> HTTPAnswer

    let loop: Loop
    let handler: Handler
    /// The process's own; nil: it speaks plain HTTP.
    let tls: UnsafePointer<TLSContext>?
    /// nil while there are none.
    var faults: ConnectionFaults?
    /// Where what TLS connections read lands, each at a time, until it is decrypted.
    let sealedRoom: UnsafeMutableRawBufferPointer
    private var listener: Listener?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var waiting: [HTTPConnection] = []
    private var bodiesBytes = 0
    /// Of the last body: the next one finds its pages there instead of asking for new ones.
    private var spareRoom: BodyRoom?
    private var whenStopped: (() -> Void)?
    /// Bytes ever read from clients: who works beside this server can tell that it is busy.
    var readBytes: UInt64 = 0

    /// - Parameter listenDescriptor: a bound TCP socket; it is listened on here, and owned.
    init(
        loop: Loop, listenDescriptor: Int32, tls: UnsafePointer<TLSContext>? = nil,
        handler: @escaping Handler
    ) throws {
        self.loop = loop
        self.handler = handler
        self.tls = tls
        sealedRoom = .allocate(
            byteCount: tls == nil ? 0 : TLSSession.sliceBytesMax, alignment: 64)
        listener = try Listener.open(
            tcp: listenDescriptor, in: loop, backlog: 128,
            owner: Unmanaged.passUnretained(self).toOpaque(), events: Self.events)
    }

    private nonisolated(unsafe) static let events: UnsafePointer<ListenerEvents> = {
        let events = UnsafeMutablePointer<ListenerEvents>.allocate(capacity: 1)
        events.initialize(
            to: ListenerEvents(
                didKnock: { owner, status in
                    if status == 0 { HTTPServer.at(owner).accept() }
                },
                didClose: { HTTPServer.at($0).listenerDidClose() }))
        return UnsafePointer(events)
    }()

    private static func at(_ owner: UnsafeMutableRawPointer) -> HTTPServer {
        Unmanaged<HTTPServer>.fromOpaque(owner).takeUnretainedValue()
    }

    private func accept() {
        guard let listener else { return }
        let connection = HTTPConnection(server: self)
        connections[ObjectIdentifier(connection)] = connection
        connection.open(from: listener, isOneTooMany: connections.count > HTTPLimit.connectionsMax)
    }

    /// Closes connections whose time is up. Call about once a second.
    func sweep() {
        for connection in connections.values where connection.deadlineMs <= loop.nowMs {
            connection.close()
        }
    }

    /// Closes the listener and every connection. `done` is called when all are gone.
    func stop(done: @escaping () -> Void) {
        whenStopped = done
        listener?.close()
        for connection in connections.values { connection.close() }
    }

    private func listenerDidClose() {
        listener = nil
        reportIfStopped()
    }

    func didClose(_ connection: HTTPConnection) {
        waiting.removeAll { $0 === connection }
        connections[ObjectIdentifier(connection)] = nil
        reportIfStopped()
    }

    private func reportIfStopped() {
        guard listener == nil, connections.isEmpty, let done = whenStopped else { return }
        whenStopped = nil
        done()
    }

    deinit {
        spareRoom?.free()
        sealedRoom.deallocate()
    }

    // MARK: Room for bodies

    /// Room for a body and its padding; nil when the connection must wait for `roomIsThere`.
    func takeRoom(
        _ byteCount: Int, for connection: HTTPConnection
    ) -> BodyRoom? {
        guard waiting.isEmpty, bodiesBytes + byteCount <= HTTPLimit.bodiesBytesMax else {
            waiting.append(connection)
            return nil
        }
        return room(byteCount)
    }

    private func room(_ byteCount: Int) -> BodyRoom {
        bodiesBytes += byteCount
        if let room = spareRoom?.reused(byteCount: byteCount) {
            spareRoom = nil
            return room
        }
        return BodyRoom(byteCount: byteCount)
    }

    func giveBack(_ room: BodyRoom) {
        bodiesBytes -= room.byteCount
        if spareRoom == nil && room.bytes.count <= HTTPLimit.spareRoomBytesMax {
            spareRoom = room
        } else {
            room.free()
        }
        while let next = waiting.first,
            bodiesBytes + next.awaitedBytes <= HTTPLimit.bodiesBytesMax
        {
            waiting.removeFirst()
            next.roomIsThere(self.room(next.awaitedBytes))
        }
    }
}
