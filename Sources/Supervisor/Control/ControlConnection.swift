import Core
import Platform

/// One command's connection: reads a line, lets the server answer, closes.
final class ControlConnection {
    private unowned let server: ControlServer
    private let stream = Stream.allocate()
    private var line: [UInt8] = []
    private(set) var hasAsked = false
    private(set) var isClosed = false
    private var closesWhenWritten = false

    nonisolated(unsafe) private static let events = {
        let events = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        events.initialize(
            to: StreamEvents(
                didRead: { ControlConnection.at($0).didRead($1, $2) },
                didEnd: { owner, _ in ControlConnection.at(owner).close() },
                didWrite: { owner, status in ControlConnection.at(owner).didWrite(status) },
                didClose: { owner in
                    let connection = Unmanaged<ControlConnection>.fromOpaque(owner)
                    connection.takeUnretainedValue().stream.deallocate()
                    connection.release()
                }))
        return UnsafePointer(events)
    }()

    init(server: ControlServer) { self.server = server }

    private static func at(_ owner: UnsafeMutableRawPointer) -> ControlConnection {
        Unmanaged<ControlConnection>.fromOpaque(owner).takeUnretainedValue()
    }

    /// Takes the waiting connection. libuv holds this object from here until `didClose`.
    func accept(from listener: Listener) -> Bool {
        let owner = Unmanaged.passRetained(self).toOpaque()
        stream.openUnix(in: server.cluster.loop, owner: owner, events: Self.events)
        do throws(Failure) {
            try stream.accept(from: listener)
            try stream.startReading()
            return true
        } catch {
            close()
            return false
        }
    }

    /// Sends text; a slow reader's rest waits in memory, which `connectionsMax` bounds.
    func write(_ text: String, andClose: Bool) {
        if isClosed { return }
        closesWhenWritten = closesWhenWritten || andClose
        var text = text
        let isQueued = text.withUTF8 { bytes in
            (try? stream.writeCopying(bytes.baseAddress!, bytes.count)) != nil
        }
        if !isQueued { close() }
    }

    func close() {
        if isClosed { return }
        isClosed = true
        server.ended(self)
        stream.close()
    }

    private func didRead(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
        if hasAsked { return }
        line += UnsafeRawBufferPointer(start: bytes, count: count)
        if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
            hasAsked = true
            server.received(String(decoding: line[..<end], as: UTF8.self), from: self)
        } else if line.count > ControlRequest.lineBytesMax {
            close()
        }
    }

    private func didWrite(_ status: Int32) {
        if status < 0 || (closesWhenWritten && stream.queuedBytes == 0) { close() }
    }
}
