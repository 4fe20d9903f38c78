import Foundation

/// A folder of a test's own, which is gone when this object is.
public final class TemporaryFolder: Sendable {
    public let path: String

    /// - Parameter inMemory: where there is such a place, because tests sync thousands of times.
    ///   Nothing in it can be run on every machine, and it holds little.
    public init(inMemory: Bool = true) {
        let memory = "/dev/shm"
        let isThere = inMemory && FileManager.default.isWritableFile(atPath: memory)
        path = (isThere ? memory : "/tmp") + "/hydrant-test-\(UUID().uuidString)"
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// What is in it now, as a death at this moment would leave it.
    public func copy() -> TemporaryFolder {
        let other = TemporaryFolder()
        for name in try! FileManager.default.contentsOfDirectory(atPath: path) {
            try! FileManager.default.copyItem(
                atPath: "\(path)/\(name)", toPath: "\(other.path)/\(name)")
        }
        return other
    }

    /// The written file's path.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) -> String {
        let file = "\(path)/\(name)"
        precondition(FileManager.default.createFile(atPath: file, contents: Data(bytes)), file)
        return file
    }

    @discardableResult
    public func write(_ text: String, to name: String) -> String {
        write([UInt8](text.utf8), to: name)
    }
}
