import Foundation
import TestSupport
import Testing

/// A library in C, compiled for one test, that goes before libc in the processes it is given to.
final class PreloadedLibrary {
    private let folder = TemporaryFolder(inMemory: false)

    /// A library's own files may be here too.
    var path: String { folder.path }

    init(_ source: String) throws {
        folder.write(source, to: "library.c")
        let compiled = try run(
            "cc", ["-O2", "-shared", "-fPIC", "-o", "library.so", "library.c"],
            in: URL(fileURLWithPath: path))
        try #require(compiled.status == 0, "\(compiled.stderr)")
    }

    /// For whoever is to have it, with what the library itself reads.
    func environment(_ more: [String: String]) -> [String: String] {
        more.merging(["LD_PRELOAD": path + "/library.so"]) { $1 }
    }
}
