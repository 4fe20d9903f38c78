import Core
import Platform

/// One connection to the admin listener: reads a head, answers it, closes.
final class AdminConnection {
    private unowned let server: AdminServer
    private let stream = Stream.allocate()
    private var head: [UInt8] = []
    let openedAtMs: UInt64
    private(set) var hasAnswered = false
    private var isClosed = false

    nonisolated(unsafe) private static let events = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                didRead: { AdminConnection.at($0).didRead($1, $2) },
                didEnd: { owner, _ in AdminConnection.at(owner).close() },
                didWrite: { owner, status in AdminConnection.at(owner).didWrite(status) },
                didClose: { owner in
                    let connection = Unmanaged<AdminConnection>.fromOpaque(owner)
                    connection.takeUnretainedValue().stream.deallocate()
                    connection.release()
                }))
        return UnsafePointer(events)
    }()

    init(server: AdminServer) {
        self.server = server
        openedAtMs = server.cluster.loop.nowMs
    }

    private static func at(_ owner: UnsafeMutableRawPointer) -> AdminConnection {
        Unmanaged<AdminConnection>.fromOpaque(owner).takeUnretainedValue()
    }

    /// Takes the waiting connection. libuv holds this object from here until `didClose`.
    func accept(from listener: Listener) -> Bool {
        let owner = Unmanaged.passRetained(self).toOpaque()
        stream.openTCP(in: server.cluster.loop, owner: owner, events: Self.events)
        do throws(Failure) {
            try stream.accept(from: listener)
            try stream.startReading()
            return true
        } catch {
            close()
            return false
        }
    }

    func close() {
        if isClosed { return }
        isClosed = true
        server.ended(self)
        stream.close()
    }

    /// What comes after the head is read and forgotten until the client closes: closing on unread
    /// bytes would reset the connection, and might take the answer with it.
    private func didRead(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
        if hasAnswered { return }
        let room = AdminAnswer.headBytesMax - head.count
        head += UnsafeRawBufferPointer(start: bytes, count: min(count, room))
        let answer = head.withUnsafeBytes {
            AdminAnswer.answer(
                $0, unixSeconds: realtimeMicroseconds() / 1_000_000,
                readiness: { server.cluster.readiness() })
        }
        guard let answer else { return }
        hasAnswered = true
        head = []
        let isQueued = answer.withUnsafeBytes {
            (try? stream.writeCopying($0.baseAddress!, $0.count)) != nil
        }
        if !isQueued { close() }
    }

    private func didWrite(_ status: Int32) {
        if status < 0 { return close() }
        stream.shutDownWriting()
    }
}
