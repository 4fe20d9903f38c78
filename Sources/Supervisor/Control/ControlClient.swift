import Glibc
import Platform

/// A command's side of the control socket: asks, then hands on each line of the answer.
struct ControlClient {
    let path: String

    /// Nil when no cluster runs there: no socket, or a stale one.
    func ask(_ request: ControlRequest, line: (String) -> Void) throws(ClusterFailure) -> Bool {
        let descriptor: Int32
        do throws(Failure) {
            descriptor = try connectUnix(to: path)
        } catch {
            if error.number == ENOENT || error.number == ECONNREFUSED { return false }
            throw ClusterFailure(
                "\(path): \(error.reason.lowercased())",
                hint: error.number == EACCES ? "run as the user the cluster runs as" : nil,
                exitCode: ClusterExit.unavailable)
        }
        defer { closeDescriptor(descriptor) }
        do throws(Failure) {
            try SmallFile.writeAll(Array((request.line + "\n").utf8), to: descriptor)
            try readLines(descriptor, line)
        } catch {
            throw ClusterFailure(
                "\(path): the cluster broke off: \(error.reason.lowercased())",
                exitCode: ClusterExit.failed)
        }
        return true
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
