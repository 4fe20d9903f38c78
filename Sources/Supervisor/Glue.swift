import Core

/// Where the supervisor meets the parts it does not know: each function is one call into another
/// target.
enum Glue {
    /// Settings from defaults, file, environment and `--set`.
    static func loadSettings(file: String?, overrides: [String]) throws -> Settings {
        throw unlinked("the settings loader")
    }

    /// The effective settings as a file that children read back.
    static func writeSettings(_ settings: Settings, to path: String) throws {
        throw unlinked("the settings writer")
    }

    /// What the spool of a stopped cluster holds, a line a shard.
    static func spoolLedgers(_ settings: Settings) throws -> [ShardLedger] {
        throw unlinked("the spool reader")
    }

    private static func unlinked(_ part: String) -> ClusterFailure {
        ClusterFailure("\(part) is not linked into this binary", exitCode: ClusterExit.system)
    }
}
