import CSpawn
import Glibc

/// A terminal of the kernel's, without a window: what a program writes to `terminal` a test reads.
public struct PseudoTerminal: ~Copyable {
    /// The program's side.
    public let terminal: Int32
    private let controller: Int32

    /// Nil where the kernel has none to give.
    public init?() {
        let opened = posix_openpt(O_RDWR | O_NOCTTY)
        var name = [CChar](repeating: 0, count: 64)
        guard opened >= 0, grantpt(opened) == 0, unlockpt(opened) == 0,
            ptsname_r(opened, &name, name.count) == 0
        else {
            if opened >= 0 { close(opened) }
            return nil
        }
        controller = opened
        terminal = open(name, O_RDWR | O_NOCTTY)
    }

    deinit {
        close(controller)
        if terminal >= 0 { close(terminal) }
    }

    /// What was written since the last call, each end of a line as the terminal shows it.
    public func read() -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        // What is written arrives by a worker of the kernel: within the moment, not at once.
        var wanted = pollfd(fd: controller, events: Int16(POLLIN), revents: 0)
        while poll(&wanted, 1, 50) == 1 {
            let count = Glibc.read(controller, &chunk, chunk.count)
            if count <= 0 { break }
            text += chunk.prefix(count)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
