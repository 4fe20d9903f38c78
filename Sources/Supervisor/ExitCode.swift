import Glibc
import Platform

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

    /// A file of the data folder that cannot be made: which, why, and the remedy for just that.
    static func cannotWrite(_ path: String, _ failure: Failure) -> ClusterFailure {
        ClusterFailure(
            "\(path): cannot be written: \(failure.reason.lowercased())",
            hint: remedy(for: failure), exitCode: ClusterExit.cannotCreate)
    }

    /// For whatever cannot be written in the data folder.
    static func remedy(for failure: Failure) -> String {
        let elsewhere = "or set data to another folder (--set data=/some/folder)"
        return switch failure.number {
        case ENOSPC, EDQUOT: "make room on that disk (df -h, df -i), \(elsewhere)"
        case EROFS: "that disk is read-only: mount it writable, \(elsewhere)"
        default: "make it writable for this user, \(elsewhere)"
        }
    }

    var description: String { "error: \(message)" + (hint.map { "\nhint: \($0)" } ?? "") }
}
