import Foundation
import TestSupport
import Testing

/// `hydrant load`, in a folder of its own for what it writes.
final class LoadBench {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("hydrant-load-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent(name))
    }

    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }

    /// Runs it to its end.
    @discardableResult
    func load(
        _ arguments: [String], environment: [String: String] = [:], timeoutSeconds: Double = 60
    ) throws -> Output {
        try run(
            binary, ["load"] + arguments, in: folder, environment: environment,
            timeoutSeconds: timeoutSeconds)
    }

    /// Runs it to its end, which must be a good one, and takes its JSON.
    func result(_ arguments: [String], timeoutSeconds: Double = 60) throws -> LoadResult {
        let output = try load(arguments + ["--json", "--quiet"], timeoutSeconds: timeoutSeconds)
        try #require(output.status == 0, "exit \(output.status): \(output.stderr)")
        return try LoadResult(Data(output.stdout.utf8))
    }

    /// Starts it, its output in `out` and `err` of the folder.
    func start(_ arguments: [String]) throws -> SpawnedProcess {
        try SpawnedProcess(
            binary, ["load"] + arguments, folder: folder.path, output: path("out"),
            errors: path("err"))
    }

    func text(_ name: String) -> String {
        (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? ""
    }
}

/// What a result file says, as a script reads it.
struct LoadResult {
    let json: [String: Any]

    init(_ data: Data) throws {
        json = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    func part(_ name: String) -> [String: Any] { json[name] as? [String: Any] ?? [:] }

    private var totals: [String: Any] { part("totals") }

    private static let counters: Set = [
        "due", "sent", "answered", "dropped", "late", "connectionsOpened", "connectFailed",
        "connectionBroken", "timedOut", "answerMalformed", "tlsFailed",
    ]

    /// By the counter's name. Those that are 0 are not in the file.
    subscript(_ counter: String) -> Int {
        precondition(Self.counters.contains(counter), "no counter \(counter)")
        let counters = totals["counters"] as? [String: Any]
        return counters == nil ? -1 : counters?[counter] as? Int ?? 0
    }

    var statuses: [String: Int] { totals["statuses"] as? [String: Int] ?? [:] }

    /// Requests without a whole answer, for whatever reason.
    var failures: Int { self["connectionBroken"] + self["timedOut"] + self["answerMalformed"] }

    /// "p99" and the like, of "response", "service" or "schedule".
    func milliseconds(_ which: String, _ name: String) -> Double {
        (part("figures")["\(which)Milliseconds"] as? [String: Any])?[name] as? Double ?? -1
    }

    func figure(_ name: String) -> Double { part("figures")[name] as? Double ?? -1 }

    var ledger: [String: Any] { part("ledger") }
    var wasInterrupted: Bool { json["wasInterrupted"] as? Bool ?? false }
    var warnings: [String] { json["warnings"] as? [String] ?? [] }
    var plan: [String: Any] { part("plan") }
}

extension PlantedServer.Request {
    /// The first line's target.
    var target: Substring { head.split(separator: " ")[1] }

    /// Its head without the run's name, which each run has of its own.
    var headWithoutRun: String {
        head.replacing(#/_hl=[0-9a-f]{8}-/#, with: "_hl=")
    }

    /// The sequence number of its label.
    var sequence: Int? {
        head.firstMatch(of: #/[?&]_hl=[0-9a-f]{8}-([0-9a-f]{10})/#).flatMap { Int($0.1, radix: 16) }
    }
}

/// A failed start: one line that says what, a hint perhaps, and nothing on stdout.
func expectClearFailure(
    _ output: Output, _ status: Int32, _ words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(output.status == status, "\(output.stderr)", sourceLocation: sourceLocation)
    #expect(output.stdout.isEmpty, "\(output.stdout)", sourceLocation: sourceLocation)
    let lines = output.stderr.split(separator: "\n")
    #expect(
        lines.first?.lowercased().hasPrefix("error: ") == true, "\(output.stderr)",
        sourceLocation: sourceLocation)
    for word in words {
        #expect(
            output.stderr.contains(word), "\(word): \(output.stderr)",
            sourceLocation: sourceLocation)
    }
}
