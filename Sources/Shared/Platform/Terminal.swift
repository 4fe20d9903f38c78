import CLinux
import Glibc

/// A terminal as a place to draw.
public struct TerminalDevice: Sendable {
    public let descriptor: Int32

    /// Nil when the descriptor is no terminal.
    public init?(_ descriptor: Int32) {
        guard isatty(descriptor) == 1 else { return nil }
        self.descriptor = descriptor
        _ = clinux_watch_continue()
    }

    public struct Size: Equatable, Sendable {
        public var columns: Int
        public var rows: Int

        public init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// Now; 80 by 24 where the terminal does not know (a serial line).
    public var size: Size {
        var columns: UInt16 = 0
        var rows: UInt16 = 0
        guard clinux_window_size(descriptor, &columns, &rows) == 0, columns > 0, rows > 0 else {
            return Size(columns: 80, rows: 24)
        }
        return Size(columns: Int(columns), rows: Int(rows))
    }

    /// Whether a shell has put this process in the background: the screen is somebody else's.
    public var isInBackground: Bool {
        let foreground = tcgetpgrp(descriptor)
        return foreground >= 0 && foreground != getpgrp()
    }

    /// Whether the process was stopped and continued since the last call: others have written
    /// meanwhile.
    public func takeContinued() -> Bool { clinux_take_continued() != 0 }

    /// Writes all of it, in one call if the terminal takes it. Does nothing, and answers false, when
    /// the terminal takes nothing now (Ctrl-S): who draws must not hang on who looks.
    @discardableResult
    public func write(_ bytes: [UInt8]) -> Bool {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&wanted, 1, 0) == 1, wanted.revents & Int16(POLLOUT) != 0 else { return false }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return false }
            done += count
        }
        return true
    }

    /// The same for a constant text, and nothing else: neither memory is taken nor a lock, so a
    /// signal handler may call it.
    public func writeFromSignal(_ text: StaticString) {
        _ = Glibc.write(descriptor, text.utf8Start, text.utf8CodeUnitCount)
    }
}

/// A variable of the environment, nil when it is absent or empty.
public func environmentVariable(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}

/// All variables of the environment.
public func processEnvironment() -> [String: String] {
    var found: [String: String] = [:]
    var entry = environ
    while let words = entry.pointee {
        let text = String(cString: words)
        if let equals = text.firstIndex(of: "=") {
            found[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        entry += 1
    }
    return found
}
