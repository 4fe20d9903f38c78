import Core
import Platform

/// One command's connection: reads a line, lets the server answer, closes.
final class ControlConnection: ServedConnection {
    private unowned let server: ControlServer
    private var line: [UInt8] = []
    private(set) var hasAsked = false
    private var closesWhenWritten = false

    init(server: ControlServer) {
        self.server = server
        super.init(in: server.cluster.loop)
    }

    func write(_ text: String, andClose: Bool) {
        closesWhenWritten = closesWhenWritten || andClose
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    override func didRead(_ bytes: UnsafeRawBufferPointer) {
        if hasAsked { return }
        line += bytes
        if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
            hasAsked = true
            server.received(String(decoding: line[..<end], as: UTF8.self), from: self)
        } else if line.count > ControlRequest.lineBytesMax {
            close()
        }
    }

    override func didWrite() {
        if closesWhenWritten && stream.queuedBytes == 0 { close() }
    }

    override func didEnd() { server.ended(self) }
}
