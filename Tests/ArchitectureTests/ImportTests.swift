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
        Rule(
            folder: "loadtest/Sources",
            may: shared.union(["CSQLite", "CZlib", "CBytes", "Histogram", "ArgumentParser"]),
            foundationIn: [
                "Commands/", "Coordinator/", "Plan/", "Results/", "Report/", "Ledger/", "View/",
            ]),
        // Of the C targets only those that compute: hashes, checksums, digests.
        Rule(folder: "Sources/Shared/Core", may: ["CBytes", "CXXHash", "COpenSSL"]),
        Rule(folder: "Sources/Shared/Platform", may: ["CLibuv", "CLinux", "COpenSSL"]),
        Rule(folder: "Sources/Shared/Config", may: ["Core", "TOMLKit"], foundationIn: [""]),
        Rule(folder: "Sources/Shared/Log", may: ["Core", "Logging"]),
        // What every child does alike, between the roles and the layers they stand on.
        Rule(
            folder: "Sources/Shared/ChildSupport",
            may: ["Core", "Platform", "Config", "Log", "Logging"]),
        // What tests share knows nothing of what they test.
        Rule(folder: "Tests/Support", may: ["CSpawn"], foundationIn: [""]),
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

    /// SwiftPM lets a target import what only its dependencies declare. So a test could come to rest
    /// on a part of the product that it is not meant to know.
    @Test func `a test target imports what the manifest declares for it, all of it and no more`()
        throws
    {
        let declared = declaredForTests(in: try ProjectFiles.File(path: "Package.swift").text)
        let files = ProjectFiles.swiftFiles(below: "Tests").filter {
            !$0.path.hasPrefix("Tests/Support/")
        }
        let folders = Dictionary(grouping: files) { $0.path.split(separator: "/")[1] }
        #expect(Set(folders.keys.map(String.init)) == Set(declared.keys.map { $0 + "Tests" }))
        let forAll = Self.everywhere.union(["Foundation", "Testing", "TestSupport"])
        for (name, modules) in declared {
            let texts = try folders["\(name)Tests", default: []].map { try $0.text }
            let found = Set(texts.flatMap(imports(of:))).subtracting(forAll)
            #expect(found == modules, "\(name)Tests")
        }
        #expect(declared["EndToEnd"] == [], "end-to-end tests know the product by its binary only")
    }

    @Test func `an import is seen however it is written`() {
        let quotes = String(repeating: "\"", count: 3)
        let text = """
            import Core
            @testable import Router
            internal import CLibuv
            @preconcurrency public import Foundation
            import struct Glibc.stat
                import Worker // indented, as under #if
            // import NotThis
            let text = "import NorThis"
            let script = \(quotes)
                import json
                \(quotes)
            """
        #expect(
            imports(of: text) == ["Core", "Router", "CLibuv", "Foundation", "Glibc", "Worker"])
    }
}

/// The modules a Swift file imports, in its order. What scripts import within its text is none.
func imports(of text: String) -> [String] {
    let line =
        #/^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/#
    let code = text.replacing(#/"""(?s:.*?)"""/#, with: "")
    return code.split(separator: "\n").compactMap { $0.prefixMatch(of: line).map { String($0.1) } }
}

/// By the name of each test target in a manifest, without its "Tests": the modules it declares.
func declaredForTests(in manifest: String) -> [String: Set<String>] {
    let call = #/\btests\(\s*"(\w+)",\s*\[(.*?)\]\)/#.dotMatchesNewlines()
    let entries = manifest.matches(of: call).map { match in
        let products = match.2.replacing(#/package: "[\w-]+"/#, with: "")
        return (String(match.1), Set(products.matches(of: #/"(\w+)"/#).map { String($0.1) }))
    }
    return Dictionary(uniqueKeysWithValues: entries)
}
