import Foundation
import TestSupport
import Testing

/// A real cluster in a folder of its own, on ports of its own. Ended by its own pid, its folder
/// removed, when the last reference goes.
final class Cluster {
    let folder: URL
    let port: Int
    let localPort: Int
    let adminPort: Int
    let settings: [String]
    let environment: [String: String]
    /// Words before the program's own: what starts it.
    let launcher: [String]
    private(set) var process: SpawnedProcess?
    let log: URL

    struct NotReady: Error, CustomStringConvertible {
        let description: String
    }

    /// `settings` are `--set` values beyond the ports. `config` is written to hydrant.toml.
    init(
        settings: [String] = [], config: String? = nil, files: [String: String] = [:],
        environment: [String: String] = [:], launcher: [String] = [], start: Bool = true
    ) throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hydrant-e2e-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        log = folder.appendingPathComponent("log")
        port = freePort()
        localPort = freePort()
        adminPort = freePort()
        self.settings =
            [
                "listen=127.0.0.1:\(port)", "local.listen=127.0.0.1:\(localPort)",
                "admin=127.0.0.1:\(adminPort)",
                // Rows arrive also where the machine that tests has no CPU to spare.
                "local.priority=normal",
            ] + settings
        self.environment = environment
        self.launcher = launcher
        if let config {
            try config.write(
                to: folder.appendingPathComponent("hydrant.toml"), atomically: true, encoding: .utf8
            )
        }
        for (name, text) in files {
            try text.write(
                to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        if start { try self.start() }
    }

    deinit {
        endNow()
        try? FileManager.default.removeItem(at: folder)
    }

    var pid: Int32 { process?.pid ?? -1 }
    var pixel: String { "http://127.0.0.1:\(port)/p.gif" }
    var data: URL { folder.appendingPathComponent("var") }

    // MARK: Life

    func launch() throws {
        let words = launcher + [binary, "run"] + finding
        process = try SpawnedProcess(
            words[0], Array(words[1...]), environment: environment, folder: folder.path,
            output: log.path, errors: log.path)
    }

    /// Starts and waits until every process says it is ready.
    func start(withinSeconds: Double = 15) throws {
        try launch()
        let deadline = Date().addingTimeInterval(withinSeconds)
        while Date() < deadline {
            if process?.isRunning != true { break }
            if let status = try? self.status(), status.allReady { return }
            usleep(20_000)
        }
        throw NotReady(description: "the cluster was not ready in \(withinSeconds) s:\n\(logText)")
    }

    var logText: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// Stops it as an operator does; its exit code.
    @discardableResult
    func stop(timeoutSeconds: Double = 30) throws -> Int32 {
        guard let process else { return -1 }
        process.kill(SIGTERM)
        if !process.waitUntilExit(withinSeconds: timeoutSeconds) {
            Issue.record("the cluster did not stop in \(timeoutSeconds) s:\n\(logText)")
            endNow()
        }
        self.process = nil
        return process.exitStatus ?? -1
    }

    /// kill -9 of every process of the cluster: of the supervisor first, which would start the others
    /// again.
    func endNow() {
        let children = childPids()
        process?.endNow()
        for pid in children { kill(pid, SIGKILL) }
        process = nil
    }

    func childPids() -> [Int32] {
        guard let process, process.isRunning else { return [] }
        let parent = process.pid
        let path = "/proc/\(parent)/task/\(parent)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { Int32($0) }
    }

    // MARK: The command line

    /// A command about this cluster.
    @discardableResult
    func hydrant(_ arguments: [String], timeoutSeconds: Double = 200) throws -> Output {
        try run(
            binary, arguments, in: folder, environment: environment, timeoutSeconds: timeoutSeconds)
    }

    @discardableResult
    func hydrant(_ arguments: String..., timeoutSeconds: Double = 200) throws -> Output {
        try hydrant(arguments, timeoutSeconds: timeoutSeconds)
    }

    /// The options by which every command finds this cluster.
    var finding: [String] { settings.flatMap { ["--set", $0] } }

    func status() throws -> Status {
        let output = try run(binary, ["status", "--json"] + finding, in: folder)
        guard output.status == 0 else { throw NotReady(description: output.stderr) }
        return try Status(json: output.stdout)
    }

    /// Waits until nothing more is being accepted: a client that was cut off may have left hits
    /// between router and spool, and a flush answers only for what was accepted before it.
    private func settle() throws {
        var last = try status().ledger.accepted
        _ = try eventually(within: 10) {
            usleep(300_000)
            let now = try status().ledger.accepted
            defer { last = now }
            return now == last
        }
    }

    /// Waits until all that is accepted is delivered and loaded.
    func flush(timeoutSeconds: Int = 120) throws {
        try settle()
        let output = try run(
            binary, ["flush", "--timeout", "\(timeoutSeconds)s"] + finding, in: folder,
            timeoutSeconds: Double(timeoutSeconds) + 20)
        #expect(
            output.status == 0, "flush: \(output.stderr)\(output.stdout)\n\(logText.suffix(3000))")
    }

    func query(_ sql: String) throws -> [[String: Any]] {
        let output = try run(binary, ["query", "--json", sql], in: folder)
        guard output.status == 0 else { throw NotReady(description: output.stderr) }
        let parsed = try JSONSerialization.jsonObject(with: Data(output.stdout.utf8))
        return parsed as? [[String: Any]] ?? []
    }

    /// One number, of the first row and column.
    func count(_ sql: String) throws -> Int {
        let value = try query(sql).first?.values.first
        return (value as? Int) ?? -1
    }

    /// What the supervisor's admin listener answers.
    func health(_ path: String) throws -> String {
        try run("curl", ["-sS", "-i", "--max-time", "10", "http://127.0.0.1:\(adminPort)\(path)"])
            .stdout
    }

    /// GETs with curl; the answer's head and body.
    func get(_ pathAndQuery: String, _ options: [String] = []) throws -> Output {
        try run(
            "curl",
            ["-sS", "-i", "--max-time", "10"] + options
                + ["http://127.0.0.1:\(port)\(pathAndQuery)"])
    }
}
