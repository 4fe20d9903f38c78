import Foundation

/// Tests/Servers/relay.py in a process of its own: TLS, or a proxy, in front of a server on loopback.
public final class Relay {
    public let port: UInt16
    private let process: SpawnedProcess
    private let folder: URL

    public struct NotStarted: Error, CustomStringConvertible {
        public let description: String
    }

    /// - Parameter arguments: relay.py's.
    public init(_ arguments: [String]) throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hydrant-relay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let output = folder.appendingPathComponent("output").path
        let process = try SpawnedProcess(
            "python3",
            ["-W", "ignore", root.appendingPathComponent("Tests/Servers/relay.py").path]
                + arguments,
            output: output, errors: output)
        var found: UInt16?
        _ = eventually(within: 30) {
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            found = text.split(separator: "\n").first.flatMap { UInt16($0) }
            return found != nil || !process.isRunning
        }
        guard let found else {
            throw NotStarted(
                description: (try? String(contentsOfFile: output, encoding: .utf8)) ?? "no output")
        }
        port = found
        self.process = process
    }

    /// Terminates TLS with this pair in front of a port.
    public convenience init(
        _ pair: TestCertificates.Pair, to port: UInt16, _ more: [String] = []
    ) throws {
        try self.init(
            ["--certificate", pair.certificate, "--key", pair.key, "--to", "\(port)"] + more)
    }

    deinit {
        process.endNow()
        try? FileManager.default.removeItem(at: folder)
    }
}
