import Glibc

/// Where lines go. A reader that stands still costs lines, never the process: a write waits at most
/// 20 ms, once, and then not again until one has succeeded.
struct LogOutput: Sendable {
    private enum Means { case plain, nonBlocking, socket }
    private static let patienceMs: Int32 = 20

    private let descriptor: Int32
    private let means: Means
    private var isStuck = false

    /// stderr. A pipe or terminal is opened anew for this process alone: O_NONBLOCK belongs to the
    /// open file, which stderr shares with the shell and the other processes.
    static func standardError() -> LogOutput { LogOutput(sharing: STDERR_FILENO) }

    init(sharing descriptor: Int32) {
        var status = stat()
        _ = fstat(descriptor, &status)
        switch status.st_mode & S_IFMT {
        case S_IFSOCK:
            self.descriptor = descriptor
            means = .socket
        case S_IFIFO, S_IFCHR:
            let own = open(
                "/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
            self.descriptor = own < 0 ? descriptor : own
            means = own < 0 ? .plain : .nonBlocking
        default:
            self.descriptor = descriptor
            means = .plain
        }
    }

    /// Writes a line; false when it was lost. Never raises SIGPIPE where that is ignored.
    mutating func write(_ line: [UInt8]) -> Bool {
        var sent = 0
        while sent < line.count {
            if means == .plain, !isWritable() {
                isStuck = true
                return false
            }
            let count = line.withUnsafeBytes {
                writeOnce(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            if count > 0 {
                sent += count
                isStuck = false
            } else if count < 0, errno == EINTR {
                continue
            } else if count < 0, errno == EAGAIN, isWritable() {
                continue
            } else {
                isStuck = true
                return false
            }
        }
        return true
    }

    private func writeOnce(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch means {
        case .plain, .nonBlocking: Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        case .socket:
            send(
                descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        }
    }

    private func isWritable() -> Bool {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&wanted, 1, isStuck ? 0 : Self.patienceMs) == 1
            && wanted.revents & Int16(POLLOUT) != 0
    }
}
