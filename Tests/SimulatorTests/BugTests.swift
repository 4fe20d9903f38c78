import Foundation
import Testing

/// The bugs that `ops/simulate --bugs` plants to see whether the simulator finds them. Each is a file:
/// a sentence, the source file, the text that stands there and what it becomes.
@Suite struct BugTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let folder = root.appendingPathComponent("Tests/SimulatorTests/Bugs")

    static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []

    @Test func `there are ten bugs`() { #expect(Self.names.count >= 10) }

    /// Else a bug would be planted nowhere, or somewhere else, as the source goes on changing.
    @Test(arguments: names.sorted())
    func `what a bug replaces is there once`(name: String) throws {
        let text = try String(
            contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
        let parts = text.components(separatedBy: "\n--- text\n")
        try #require(name.hasSuffix(".bug") && parts.count == 2)
        let head = parts[0].components(separatedBy: "\n")
        let change = parts[1].components(separatedBy: "\n--- becomes\n")
        try #require(head.count == 2 && change.count == 2)
        let source = try String(
            contentsOf: Self.root.appendingPathComponent(head[1]), encoding: .utf8)
        #expect(source.components(separatedBy: change[0]).count == 2, "\(head[1])")
        #expect(change[0] + "\n" != change[1], "changes nothing")
    }
}
