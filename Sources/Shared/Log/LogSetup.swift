import Core
import Glibc
import Logging
import Synchronization

/// Makes swift-log write as this cluster does: one line a message, to stderr.
public enum LogSetup {
    /// Once, at the start of a process, before the first `Logger`.
    ///
    /// - Parameter process: Who speaks: "supervisor", "router 0", "worker 3".
    public static func bootstrap(
        process: String, level: Settings.LogLevel, format: Settings.LogFormat
    ) {
        let layout = LineLayout(
            process: process, pid: getpid(), format: format, surroundings: .current())
        let writer = LogWriter(layout: layout, output: .standardError())
        let level = Logger.Level(level)
        LoggingSystem.bootstrap { _ in LineLogHandler(writer: writer, logLevel: level) }
        current.withLock { $0 = writer }
        atexit { LogSetup.flush() }
    }

    /// From now on lines look so. A `Logger` has its own level, which its owner changes.
    public static func change(format: Settings.LogFormat) {
        current.withLock { $0 }?.change(format: format)
    }

    /// Writes the counts of repeated lines that are still kept. Happens at `exit` by itself; needed
    /// before `_exit` only.
    public static func flush() { current.withLock { $0 }?.flush() }

    private static let current = Mutex<LogWriter?>(nil)
}

extension Logger.Level {
    public init(_ level: Settings.LogLevel) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
    }
}

/// swift-log's side of it: a value with metadata of its own; all share one writer.
struct LineLogHandler: LogHandler {
    let writer: LogWriter
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(writer: LogWriter, logLevel: Logger.Level) {
        self.writer = writer
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { $1 } }
        if let own = event.metadata { merged.merge(own) { $1 } }
        if let error = event.error { merged["error"] = .string("\(error)") }
        writer.write(
            LogLine(
                level: event.level, message: event.message.description,
                fields: merged.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }))
    }
}
