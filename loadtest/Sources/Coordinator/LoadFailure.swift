/// Why a load cannot be run, or its result not be had: what, and how to mend it.
struct LoadFailure: Error, Equatable, CustomStringConvertible {
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

/// What `hydrant load` exits with, beside 0. Numbers as in sysexits(3) where it has a word for it.
enum LoadExit {
    /// The report says that something was lost.
    static let lost: Int32 = 1
    /// EX_USAGE: an option, or a rate that cannot be.
    static let usage: Int32 = 64
    /// EX_NOINPUT: an input file cannot be read.
    static let noInput: Int32 = 66
    /// EX_NOHOST: the name has no address.
    static let noHost: Int32 = 68
    /// EX_UNAVAILABLE: nothing listens there.
    static let refused: Int32 = 69
    /// EX_SOFTWARE: a generator process ended before its time.
    static let generatorDied: Int32 = 70
    /// EX_OSERR: the kernel refused something no option can mend.
    static let system: Int32 = 71
    /// EX_CANTCREAT: an output file cannot be written.
    static let cannotCreate: Int32 = 73
    /// EX_TEMPFAIL: the host cannot be reached, or is silent.
    static let unreachable: Int32 = 75
    /// EX_PROTOCOL: no TLS session came about.
    static let tls: Int32 = 76
    /// EX_CONFIG: the scenario is wrong.
    static let scenario: Int32 = 78
    /// An expectation was not met.
    static let expectation: Int32 = 99
    /// Ended by Ctrl-C, as shells count it.
    static let interrupted: Int32 = 130
}
