import Foundation
import Testing

/// What a finished program left.
struct Output {
    let status: Int32
    let stdout: String
    let stderr: String

    var lines: [Substring] { stdout.split(separator: "\n") }
}

/// Runs a program to its end and takes what it prints. A tool that is not installed is a failure of
/// the test, never a reason to skip it (`ops/setup --test` installs them all).
@discardableResult
func run(
    _ program: String, _ arguments: [String] = [], in folder: URL? = nil,
    environment: [String: String] = [:], input: Data? = nil, timeoutSeconds: Double = 120
) throws -> Output {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    if let folder { process.currentDirectoryURL = folder }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files, not pipes: a program that prints much must not wait for this one to read.
    let scratch = FileManager.default.temporaryDirectory
        .appendingPathComponent("hydrant-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = ["in", "out", "err"].map { scratch.appendingPathComponent($0) }
    try (input ?? Data()).write(to: files[0])
    for file in files[1...] { try Data().write(to: file) }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    let deadline = Date().addingTimeInterval(timeoutSeconds)
    while process.isRunning {
        if Date() > deadline {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            Issue.record(
                "\(program) \(arguments.joined(separator: " ")) took over \(timeoutSeconds) s")
            break
        }
        usleep(2000)
    }
    func text(_ file: URL) throws -> String {
        String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }
    return Output(
        status: process.terminationStatus, stdout: try text(files[1]), stderr: try text(files[2]))
}

/// Asks again every 20 ms until it is true.
func eventually(
    within seconds: Double, _ what: @autoclosure () throws -> Bool
) rethrows -> Bool {
    try eventually(within: seconds) { try what() }
}

func eventually(within seconds: Double, until what: () throws -> Bool) rethrows -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
        if try what() { return true }
        if Date() > deadline { return false }
        usleep(20_000)
    }
}

/// The repository's root.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The release binary under test.
let binary: String = {
    let path =
        ProcessInfo.processInfo.environment["HYDRANT_BINARY"]
        ?? root.appendingPathComponent(".build/release/hydrant").path
    precondition(
        FileManager.default.isExecutableFile(atPath: path),
        "\(path) is missing: build it with `swift build -c release`, or run `make test`")
    return path
}()

/// The Python of the pinned test tools.
let python: String = {
    let path = root.appendingPathComponent(".venv-test/bin/python3").path
    return FileManager.default.isExecutableFile(atPath: path) ? path : "python3"
}()
