import Core
import Platform

/// One connection to the admin listener: reads a head, answers it, closes.
final class AdminConnection: ServedConnection {
    private unowned let server: AdminServer
    private var head: [UInt8] = []
    let openedAtMs: UInt64
    private var hasAnswered = false

    init(server: AdminServer) {
        self.server = server
        openedAtMs = server.cluster.loop.nowMs
        super.init(in: server.cluster.loop)
    }

    /// What comes after the head is read and forgotten until the client closes: closing on unread
    /// bytes would reset the connection, and might take the answer with it.
    override func didRead(_ bytes: UnsafeRawBufferPointer) {
        if hasAnswered { return }
        head += bytes.prefix(AdminAnswer.headBytesMax - head.count)
        let answer = head.withUnsafeBytes {
            AdminAnswer.answer(
                $0, unixSeconds: realtimeMicroseconds() / 1_000_000,
                readiness: { server.cluster.readiness() })
        }
        guard let answer else { return }
        hasAnswered = true
        head = []
        answer.withUnsafeBytes { write($0) }
    }

    override func didWrite() { stream.shutDownWriting() }

    override func didEnd() { server.ended(self) }
}
