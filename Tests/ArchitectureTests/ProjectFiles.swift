import Foundation
import Testing

/// The project's own files, found from where this one was compiled.
enum ProjectFiles {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent()  // ArchitectureTests
        .deletingLastPathComponent()  // Tests
        .deletingLastPathComponent()

    /// What is written by hand here. Build products, data and installed tools lie elsewhere.
    static let folders = ["Sources", "Tests", "loadtest", "ops", "docs", ".ci"]

    /// What `make loadtest` leaves is of the machine it ran on, and git ignores it.
    private static let runOutput = "loadtest/results/loadtest-"

    /// A file, named by its path from the root.
    struct File: CustomTestStringConvertible {
        let path: String

        var text: String {
            get throws { try String(contentsOf: root.appending(path: path), encoding: .utf8) }
        }
        var testDescription: String { path }
        var suffix: String { (path as NSString).pathExtension }
    }

    /// All files below a folder, sorted; hidden ones and compiled Python left out.
    static func files(below folder: String) -> [File] {
        let base = root.appending(path: folder, directoryHint: .isDirectory)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var found: [File] = []
        while let path = walk.nextObject() as? String {
            let name = (path as NSString).lastPathComponent
            let isFile = walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular
            if isFile && !name.hasPrefix(".") && !path.contains("__pycache__")
                && !"\(folder)/\(path)".hasPrefix(runOutput)
            {
                found.append(File(path: "\(folder)/\(path)"))
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    static func swiftFiles(below folder: String) -> [File] {
        files(below: folder).filter { $0.suffix == "swift" }
    }

    /// Every hand-written file that is text.
    static var texts: [File] {
        let top = ["Package.swift", "Makefile", "README.md", "CHANGELOG.md"].filter {
            FileManager.default.fileExists(atPath: root.appending(path: $0).path)
        }
        let binary: Set = ["png", "gif", "gz", "bin", "sqlite"]
        return top.map { File(path: $0) }
            + folders.flatMap(files(below:)).filter { !binary.contains($0.suffix) }
    }
}

extension ProjectFiles.File {
    /// Whether a relative link in this file leads to something.
    func leadsToFile(_ link: String) -> Bool {
        let folder = ProjectFiles.root.appending(path: path).deletingLastPathComponent()
        return FileManager.default.fileExists(atPath: folder.appending(path: link).path)
    }
}

extension String {
    /// What comes before the first `end`; everything, if it does not occur.
    func prefix(upTo end: String) -> String { components(separatedBy: end)[0] }

    func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }

    /// The text of `key = "text"` on a line of its own; "" without one.
    func value(of key: String) -> String {
        let lines = split(separator: "\n").map { $0.drop(while: \.isWhitespace) }
        guard let line = lines.first(where: { $0.hasPrefix("\(key) = \"") }) else { return "" }
        return line.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
    }
}
