import Foundation
import TestSupport
import Testing

/// Makes system calls of a running process fail, or last: strace(1) attached to it. Ends with this
/// object, and the process goes on undisturbed.
final class InjectedFault {
    private let process: SpawnedProcess
    private let log: String

    /// `expressions` are strace's, e.g. "fdatasync:error=EIO:when=2+3".
    init(into pid: Int32, _ expressions: String..., folder: URL) throws {
        let path = folder.appendingPathComponent("strace-\(UUID().uuidString.prefix(8))").path
        log = path
        let calls = expressions.map { $0.prefix { $0 != ":" } }.joined(separator: ",")
        let injections = expressions.flatMap { ["-e", "inject=\($0)"] }
        process = try SpawnedProcess(
            "strace",
            ["-f", "-p", "\(pid)", "-e", "trace=\(calls)", "-o", path] + injections,
            errors: path + ".err")
        let isAttached = eventually(within: 10) { Self.text(path + ".err").contains("attached") }
        try #require(isAttached, "\(Self.text(path + ".err"))")
    }

    deinit { end() }

    func end() {
        // It lets go of the process first.
        process.kill(SIGTERM)
        if !process.waitUntilExit(withinSeconds: 10) { process.endNow() }
    }

    /// How many calls were made to fail or to last.
    var count: Int {
        Self.text(log).split(separator: "\n").count {
            $0.contains("(INJECTED)") || $0.contains("(DELAYED)")
        }
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    /// Whether this machine lets one process attach to another; containers may not.
    static let isPossible: Bool = {
        guard let sleeper = try? SpawnedProcess("sleep", ["20"]) else { return false }
        defer { sleeper.endNow() }
        let folder = FileManager.default.temporaryDirectory
        return (try? InjectedFault(into: sleeper.pid, "fdatasync:error=EIO", folder: folder)) != nil
    }()
}
