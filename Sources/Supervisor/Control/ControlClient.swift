import Glibc
import Platform

/// A command's side of the control socket: asks, then hands on each line of the answer.
struct ControlClient {
    let folder: DataFolder

    /// A supervisor answers at once; one that does not is stopped, or waits for a disk.
    private static let patienceSeconds = 10

    private var path: String { folder.controlSocket }

    /// False when no cluster runs there: no socket, or a stale one.
    func ask(_ request: ControlRequest, line: (String) -> Void) throws(ClusterFailure) -> Bool {
        switch request {
        case .status, .statusTable: return try exchange(request, isPrompt: true, line: line)
        default:
            // Its answer may take as long as it likes, once it is known that there will be one.
            guard try exchange(.status, isPrompt: true, line: { _ in }) else { return false }
            return try exchange(request, isPrompt: false, line: line)
        }
    }

    private func exchange(
        _ request: ControlRequest, isPrompt: Bool, line: (String) -> Void
    ) throws(ClusterFailure) -> Bool {
        let descriptor: Int32
        do throws(Failure) {
            descriptor = try connectUnix(to: path)
        } catch {
            if error.number == ENOENT || error.number == ECONNREFUSED {
                try checkNobodyIsThere()
                return false
            }
            throw ClusterFailure(
                "\(path): \(error.reason.lowercased())",
                hint: error.number == EACCES ? "run as the user the cluster runs as" : nil,
                exitCode: ClusterExit.unavailable)
        }
        defer { closeDescriptor(descriptor) }
        do throws(Failure) {
            if isPrompt { try limitReading(descriptor, seconds: Self.patienceSeconds) }
            try SmallFile.writeAll(Array((request.line + "\n").utf8), to: descriptor)
            try readLines(descriptor, line)
        } catch {
            if isPrompt, error.number == EAGAIN { throw silent }
            throw ClusterFailure(
                "\(path): the cluster broke off: \(error.reason.lowercased())",
                exitCode: ClusterExit.failed)
        }
        return true
    }

    private var silent: ClusterFailure {
        let pid = folder.lockHolder().pid.map { " (pid \($0))" } ?? ""
        return ClusterFailure(
            "the supervisor\(pid) has said nothing for \(Self.patienceSeconds) s",
            hint: "it may be stopped (kill -CONT) or wait for a disk: look at its state in "
                + "/proc/PID/status; routers and workers go on without it",
            exitCode: ClusterExit.timedOut)
    }

    /// A cluster whose socket somebody removed still runs, and must not be taken for stopped.
    private func checkNobodyIsThere() throws(ClusterFailure) {
        let holder = folder.lockHolder()
        guard let pid = holder.pid, !holder.isStopping, isLocked(folder.lock) else { return }
        throw ClusterFailure(
            "a cluster runs here (pid \(pid)), but nobody answers at \(path)",
            hint: "if it is not just starting, its socket was removed: `kill \(pid)` stops it in "
                + "order, and the next start makes the socket again",
            exitCode: ClusterExit.unavailable)
    }

    private func readLines(_ descriptor: Int32, _ line: (String) -> Void) throws(Failure) {
        var held: [UInt8] = []
        while true {
            let more = try readSome(descriptor)
            if more.isEmpty { break }
            held += more
            while let end = held.firstIndex(of: UInt8(ascii: "\n")) {
                line(String(decoding: held[..<end], as: UTF8.self))
                held.removeSubrange(...end)
            }
        }
        if !held.isEmpty { line(String(decoding: held, as: UTF8.self)) }
    }
}
