import Testing

/// Supervisor → roles → {Core, Platform}. Core decides, Platform acts, processes join them: it
/// stays so only while nobody can reach across.
@Suite struct ImportTests {
    /// What a folder may import besides `everywhere`. Every folder of Swift has an entry.
    struct Rule: CustomTestStringConvertible {
        let folder: String
        let may: Set<String>
        /// Parts of the folder that may also use Foundation; "" is all of it.
        var foundationIn: [String] = []

        var testDescription: String { folder }
    }

    static let everywhere: Set = ["Glibc", "Synchronization"]
    static let shared: Set = ["Core", "Platform", "Config", "Log", "ChildSupport"]

    static let rules = [
        Rule(
            folder: "Sources/Supervisor",
            may: shared.union([
                "Router", "Worker", "LocalFirehose", "LoadTest", "ArgumentParser", "CSQLite",
            ]),
            foundationIn: ["Commands/", "Status/"]),
        Rule(folder: "Sources/Router", may: shared),
        Rule(folder: "Sources/Worker", may: shared),
        Rule(
            folder: "Sources/LocalFirehose", may: shared.union(["CSQLite", "CZlib", "CJSON"]),
            foundationIn: [""]),
        Rule(folder: "loadtest/Sources", may: shared),
        // Of the C targets only those that compute: hashes, checksums, digests.
        Rule(folder: "Sources/Shared/Core", may: ["CBytes", "CXXHash", "COpenSSL"]),
        Rule(folder: "Sources/Shared/Platform", may: ["CLibuv", "CLinux", "COpenSSL"]),
        Rule(folder: "Sources/Shared/Config", may: ["Core", "TOMLKit"], foundationIn: [""]),
        Rule(folder: "Sources/Shared/Log", may: ["Core", "Logging"]),
        // What every child does alike, between the roles and the layers they stand on.
        Rule(
            folder: "Sources/Shared/ChildSupport",
            may: ["Core", "Platform", "Config", "Log", "Logging"]),
    ]

    @Test(arguments: rules)
    func `a folder imports only what lies below it`(rule: Rule) throws {
        let files = ProjectFiles.swiftFiles(below: rule.folder)
        #expect(!files.isEmpty, "\(rule.folder) holds no Swift")
        for file in files {
            let place = file.path.dropFirst(rule.folder.count + 1)
            var may = rule.may.union(Self.everywhere)
            if rule.foundationIn.contains(where: { place.hasPrefix($0) }) {
                may.insert("Foundation")
            }
            for module in imports(of: try file.text) {
                #expect(may.contains(module), "\(file.path) must not import \(module)")
            }
        }
    }

    @Test func `every folder of Swift has a rule`() {
        let folders = Self.rules.map(\.folder)
        for file in ProjectFiles.swiftFiles(below: "Sources")
            + ProjectFiles.swiftFiles(below: "loadtest")
        {
            #expect(
                folders.contains { file.path.hasPrefix($0 + "/") },
                "\(file.path) is in a folder that no import rule knows")
        }
    }

    @Test func `an import is seen however it is written`() {
        let text = """
            import Core
            @testable import Router
            internal import CLibuv
            @preconcurrency public import Foundation
            import struct Glibc.stat
                import Worker // indented, as under #if
            // import NotThis
            let text = "import NorThis"
            """
        #expect(
            imports(of: text) == ["Core", "Router", "CLibuv", "Foundation", "Glibc", "Worker"])
    }
}

/// The modules a Swift file imports, in its order.
func imports(of text: String) -> [String] {
    let line =
        #/^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/#
    return text.split(separator: "\n").compactMap { $0.prefixMatch(of: line).map { String($0.1) } }
}
