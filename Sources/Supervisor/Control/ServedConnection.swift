import Core
import Platform

/// One connection that the supervisor has accepted: what a command's and a monitor's have in common.
/// Not for traffic: an object each, and its bytes in arrays.
class ServedConnection {
    let stream = Stream.allocate()
    let loop: Loop
    private(set) var isClosed = false

    nonisolated(unsafe) private static let events = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                didRead: { owner, bytes, count in
                    ServedConnection.at(owner).didRead(
                        UnsafeRawBufferPointer(start: bytes, count: count))
                },
                didEnd: { owner, _ in ServedConnection.at(owner).close() },
                didWrite: { owner, status in
                    let connection = ServedConnection.at(owner)
                    if status < 0 { connection.close() } else { connection.didWrite() }
                },
                didClose: { owner in
                    let connection = Unmanaged<ServedConnection>.fromOpaque(owner)
                    connection.takeUnretainedValue().stream.deallocate()
                    connection.release()
                }))
        return UnsafePointer(events)
    }()

    init(in loop: Loop) { self.loop = loop }

    private static func at(_ owner: UnsafeMutableRawPointer) -> ServedConnection {
        Unmanaged<ServedConnection>.fromOpaque(owner).takeUnretainedValue()
    }

    // MARK: What differs

    func didRead(_ bytes: UnsafeRawBufferPointer) {}
    func didWrite() {}
    /// Closed, by whichever side.
    func didEnd() {}

    // MARK: What does not

    enum Kind { case tcp, unix }

    /// Takes the waiting connection. libuv holds this object from here until it is closed.
    final func accept(from listener: Listener, _ kind: Kind) -> Bool {
        let owner = Unmanaged.passRetained(self).toOpaque()
        switch kind {
        case .tcp: stream.openTCP(in: loop, owner: owner, events: Self.events)
        case .unix: stream.openUnix(in: loop, owner: owner, events: Self.events)
        }
        do throws(Failure) {
            try stream.accept(from: listener)
            try stream.startReading()
            return true
        } catch {
            close()
            return false
        }
    }

    /// A slow reader's rest waits in memory, which the number of connections bounds.
    final func write(_ bytes: UnsafeRawBufferPointer) {
        if isClosed { return }
        if (try? stream.writeCopying(bytes.baseAddress!, bytes.count)) == nil { close() }
    }

    final func close() {
        if isClosed { return }
        isClosed = true
        didEnd()
        stream.close()
    }
}
