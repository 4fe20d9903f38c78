import Foundation
import TestSupport

/// Tests/Servers/planted_server.py in a process of its own: a server whose faults are planted, and
/// which knows what it did.
final class PlantedServer {
    let port: Int
    private let process: SpawnedProcess
    private let folder: URL
    private let isTLS: Bool

    struct NotReady: Error, CustomStringConvertible {
        let description: String
    }

    /// What it did: requests and answers as counts, times in nanoseconds of CLOCK_MONOTONIC.
    struct Truth: Decodable {
        struct Stall: Decodable {
            let begin_ns: UInt64
            let end_ns: UInt64
        }

        let requests: Int
        /// By status.
        let answered: [String: Int]
        let garbage, closed, silent, goodbyes, unanswered: Int
        let bodies, body_bytes: Int
        let connections, open_connections, open_connections_max, pipelined_max: Int
        let first_request_ns, last_request_ns: UInt64?
        let stalls: [Stall]
    }

    /// One line of its log: a request as it came, a character a byte.
    struct Request: Decodable {
        let request: Int
        let at_ns: UInt64
        let connection: Int
        let head: String
        let body: String
    }

    /// Starts it with the options its --help lists, on a port that is free, and waits until it listens.
    /// It keeps a log of requests if asked to, which costs it speed.
    init(
        _ options: [String] = [], keepsRequests: Bool = false, tls: TestCertificates.Pair? = nil
    ) throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hydrant-planted-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        isTLS = tls != nil
        var arguments = [root.appendingPathComponent("Tests/Servers/planted_server.py").path]
        arguments += options
        if keepsRequests { arguments += ["--log", Self.log(in: folder).path] }
        if let tls { arguments += ["--tls", tls.certificate, tls.key] }
        let output = Self.output(in: folder)
        let process = try SpawnedProcess(
            "python3", arguments, output: output.path, errors: output.path)
        var port: Int?
        _ = eventually(within: 15) {
            port = Self.lines(of: output).first?.wholeMatch(of: #/ready (\d+)/#).flatMap {
                Int($0.1)
            }
            return port != nil || !process.isRunning
        }
        guard let port else {
            throw NotReady(
                description: "planted_server.py: \(Self.lines(of: output).joined(separator: "\n"))")
        }
        self.port = port
        self.process = process
    }

    deinit {
        process.endNow()
        try? FileManager.default.removeItem(at: folder)
    }

    var url: String { "\(isTLS ? "https" : "http")://127.0.0.1:\(port)" }

    /// Stops it and takes what it says it did.
    func stop() throws -> Truth {
        process.kill(SIGTERM)
        guard process.waitUntilExit(withinSeconds: 15), process.exitStatus == 0,
            let last = Self.lines(of: Self.output(in: folder)).last
        else {
            throw NotReady(
                description: "the planted server did not end well: "
                    + Self.lines(of: Self.output(in: folder)).joined(separator: "\n"))
        }
        return try JSONDecoder().decode(Truth.self, from: Data(last.utf8))
    }

    /// Every request, in their order. After `stop`: what is not written out yet is not in it.
    func requests() throws -> [Request] {
        try Self.lines(of: Self.log(in: folder)).map {
            try JSONDecoder().decode(Request.self, from: Data($0.utf8))
        }
    }

    private static func output(in folder: URL) -> URL { folder.appendingPathComponent("output") }
    private static func log(in folder: URL) -> URL { folder.appendingPathComponent("requests") }

    private static func lines(of file: URL) -> [String] {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
