import Core
import Logging

/// A process's log for whoever knows nothing of swift-log: the same lines as through a `Logger`.
public struct LineLog {
    private var logger: Logger

    /// Sets the process's log up: see `LogSetup.bootstrap`.
    public init(process: String, level: Settings.LogLevel, format: Settings.LogFormat) {
        LogSetup.bootstrap(process: process, level: level, format: format)
        logger = Logger(label: process)
    }

    public func write(_ level: Settings.LogLevel, _ message: String) {
        logger.log(level: Logger.Level(level), "\(message)")
    }

    /// From now on, after a reload.
    public mutating func change(level: Settings.LogLevel, format: Settings.LogFormat) {
        logger.logLevel = Logger.Level(level)
        LogSetup.change(format: format)
    }
}
