/// What the commands exit with, beside 0. Numbers as in sysexits(3) where it has a word for it.
enum ClusterExit {
    /// The answer is no, or the connection broke.
    static let failed: Int32 = 1
    /// EX_UNAVAILABLE: not running; or its address or data folder is in use.
    static let unavailable: Int32 = 69
    /// EX_SOFTWARE: no router or no worker could ever be started.
    static let neverBooted: Int32 = 70
    /// EX_OSERR: the kernel refused something no setting can mend.
    static let system: Int32 = 71
    /// EX_CANTCREAT: the data folder or something in it cannot be written.
    static let cannotCreate: Int32 = 73
    /// EX_TEMPFAIL: `flush` ran out of time, or a stop that was to deliver everything did.
    static let timedOut: Int32 = 75
}

/// Why a cluster cannot start, or a command cannot do its work: what, and how to mend it.
struct ClusterFailure: Error, Equatable, CustomStringConvertible {
    var message: String
    var hint: String?
    var exitCode: Int32

    init(_ message: String, hint: String? = nil, exitCode: Int32) {
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }

    var description: String { "error: \(message)" + (hint.map { "\nhint: \($0)" } ?? "") }
}
