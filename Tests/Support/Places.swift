import Foundation

/// The repository's root.
public let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

/// The Python of the pinned test tools.
public let python: String = {
    let path = root.appendingPathComponent(".venv-test/bin/python3").path
    return FileManager.default.isExecutableFile(atPath: path) ? path : "python3"
}()
