import Foundation
import TestSupport
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
    // Files, not pipes: a program that prints much must not wait for this one to read.
    let scratch = FileManager.default.temporaryDirectory
        .appendingPathComponent("hydrant-run-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = ["in", "out", "err"].map { scratch.appendingPathComponent($0) }
    try (input ?? Data()).write(to: files[0])
    let process = try SpawnedProcess(
        program, arguments, environment: environment, folder: folder?.path, input: files[0].path,
        output: files[1].path, errors: files[2].path)
    if !process.waitUntilExit(withinSeconds: timeoutSeconds) {
        process.endNow()
        Issue.record("\(program) \(arguments.joined(separator: " ")) took over \(timeoutSeconds) s")
    }
    func text(_ file: URL) throws -> String {
        String(decoding: try Data(contentsOf: file), as: UTF8.self)
    }
    return Output(
        status: process.exitStatus ?? -1, stdout: try text(files[1]), stderr: try text(files[2]))
}

/// The release binary under test.
let binary: String = {
    let path =
        ProcessInfo.processInfo.environment["TESTED_HYDRANT"]
        ?? root.appendingPathComponent(".build/release/hydrant").path
    precondition(
        FileManager.default.isExecutableFile(atPath: path),
        "\(path) is missing: build it with `swift build -c release`, or run `make test`")
    return path
}()
