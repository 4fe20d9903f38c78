import CSpawn
import Foundation

/// A program that a test started: its standard streams are files, and it ends with this object.
///
/// Not Foundation's `Process`, which on Linux has crashed here while it looked for open descriptors,
/// of which there were many, because it keeps its own open until a run loop turns. Here nothing
/// happens between two calls: there is no thread, no run loop and no handler.
///
/// The program stays in the tests' process group. Whoever interrupts the tests, by Ctrl-C or through
/// SwiftPM, then interrupts it as well; in a group of its own a cluster would outlive them, because
/// a test runner that dies by a signal runs no deinit.
public final class SpawnedProcess {
    public let pid: pid_t
    private let program: String
    /// The status word of waitpid, once there is one: from then on the pid may be another's.
    private var endStatus: Int32?

    /// Why a program did not start.
    public struct NotStarted: Error, CustomStringConvertible {
        public let errorNumber: Int32
        public let description: String
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: a path, or a name that is looked up on this process's PATH. A relative path
    ///     begins in `folder`, and so do those of the streams.
    ///   - environment: variables besides, or instead of, this process's own.
    ///   - folder: the working folder; this process's own without one.
    ///   - input: a file to read.
    ///   - output: a file to append to; created when missing.
    ///   - errors: the same for standard error. May be the same file.
    /// - Throws: `NotStarted`, which names all of them: the kernel does not tell what it missed.
    public init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
        folder: String? = nil, input: String = "/dev/null", output: String = "/dev/null",
        errors: String = "/dev/null"
    ) throws {
        var actions = Self.actions(folder: folder, streams: [input, output, errors])
        defer { posix_spawn_file_actions_destroy(&actions) }
        var attributes = Self.attributes()
        defer { posix_spawnattr_destroy(&attributes) }
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let variables = Self.cStrings(merged.map { "\($0)=\($1)" })
        let words = Self.cStrings([program] + arguments)
        defer { for string in variables + words { free(string) } }
        var pid: pid_t = 0
        let failure = posix_spawnp(&pid, program, &actions, &attributes, words, variables)
        guard failure == 0 else {
            throw NotStarted(
                errorNumber: failure,
                description: "cannot start \(program) (folder \(folder ?? "."), input \(input), "
                    + "output \(output), errors \(errors)): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
        self.program = program
    }

    deinit { endNow() }

    // MARK: Its end

    /// False from the first look after its end; the look reaps it.
    public var isRunning: Bool { waitStatus(WNOHANG) == nil }

    /// Whether it ended in that time.
    public func waitUntilExit(withinSeconds seconds: Double) -> Bool {
        eventually(within: seconds, everyMilliseconds: 1) { !isRunning }
    }

    /// Its exit code; 128 + the signal if one killed it, as a shell has it; nil while it runs.
    public var exitStatus: Int32? {
        guard let status = waitStatus(WNOHANG) else { return nil }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// The signal that killed it; nil while it runs and if it exited.
    public var signal: Int32? {
        guard let status = waitStatus(WNOHANG), status & 0x7f != 0 else { return nil }
        return status & 0x7f
    }

    /// Does nothing once the end was seen.
    public func kill(_ signal: Int32) {
        if isRunning { _ = Foundation.kill(pid, signal) }
    }

    /// kill -9, and waits for the end.
    public func endNow() {
        kill(SIGKILL)
        _ = waitStatus(0)
    }

    private func waitStatus(_ options: Int32) -> Int32? {
        if let endStatus { return endStatus }
        var status: Int32 = 0
        while true {
            let answer = waitpid(pid, &status, options)
            if answer == 0 { return nil }
            if answer == pid {
                endStatus = status
                return status
            }
            precondition(errno == EINTR, "\(program), process \(pid), was reaped by another")
        }
    }

    // MARK: Between fork and exec

    private static func actions(
        folder: String?, streams: [String]
    ) -> posix_spawn_file_actions_t {
        var actions = posix_spawn_file_actions_t()
        must(posix_spawn_file_actions_init(&actions))
        if let folder { must(posix_spawn_file_actions_addchdir_np(&actions, folder)) }
        for (descriptor, path) in zip(Int32(0)..., streams) {
            let flags = descriptor == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND
            must(posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o644))
        }
        must(posix_spawn_file_actions_addclosefrom_np(&actions, Int32(streams.count)))
        return actions
    }

    /// Signals as under a login shell: a test runner's threads may block some, its libraries ignore
    /// others, and a program inherits both.
    private static func attributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        must(posix_spawnattr_init(&attributes))
        var signals = sigset_t()
        sigemptyset(&signals)
        must(posix_spawnattr_setsigmask(&attributes, &signals))
        sigfillset(&signals)
        must(posix_spawnattr_setsigdefault(&attributes, &signals))
        let flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        must(posix_spawnattr_setflags(&attributes, flags))
        return attributes
    }

    /// As execve takes them: NULL at the end.
    private static func cStrings(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
        strings.map { strdup($0) } + [nil]
    }

    /// What fails only without memory.
    private static func must(_ failure: Int32) {
        precondition(failure == 0, "posix_spawn: \(String(cString: strerror(failure)))")
    }
}
