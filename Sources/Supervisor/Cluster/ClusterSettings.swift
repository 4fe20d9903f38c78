import Core
import Platform

/// What a cluster is made of, beside the machine it runs on.
struct ClusterSettings {
    var settings: Settings
    /// Writes settings as a file that children read back.
    var writeSettings: (Settings, _ path: String) throws -> Void
    /// Reads the configuration anew, as a start would. Nil: this cluster cannot.
    var reload: (() throws(ReloadRefusal) -> Fresh)?
    /// The program children are, and the words before their role. Tests put another in its place.
    var program = "/proc/self/exe"
    var programWords = ["hydrant"]
    /// Off in tests, where several clusters live in one process.
    var handlesSignals = true
    /// Called once, when all children are at work, with the ports that were really bound.
    var didBecomeReady: (Settings) -> Void = { _ in }
    /// Takes a line for the log; with the settings of before a reload until `didTake` says otherwise.
    var log: (Settings.LogLevel, String) -> Void = { _, line in writeLine(line, to: 2) }
    /// Called with settings that a reload has brought.
    var didTake: (Settings) -> Void = { _ in }

    /// Settings that were read anew, and how to write them for children.
    struct Fresh {
        var settings: Settings
        var writeSettings: (Settings, _ path: String) throws -> Void
    }

    init(
        settings: Settings, writeSettings: @escaping (Settings, _ path: String) throws -> Void
    ) {
        self.settings = settings
        self.writeSettings = writeSettings
    }
}
