import Core
import TestSupport
import Testing

@testable import Config

/// Whatever the file holds, loading ends with settings or with problems that can be shown.
@Suite struct HostileConfigTests {
    private static let example = Array(
        SettingsReference.example.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") && !$0.hasPrefix("# ") ? $0.dropFirst() : $0 }
            .joined(separator: "\n").utf8)

    /// Every problem must be one that can be rendered, with its place within the text.
    private func take(_ bytes: [UInt8]) {
        do throws(ConfigProblems) {
            var layers = SettingsLayers()
            try layers.apply(file: ConfigText(file: "f", bytes: bytes))
            layers.makePathsAbsolute(from: "/base")
            layers.checkConflicts(host: "h")
            _ = try layers.loaded(sourceFile: "/f")
        } catch {
            let shown = error.render(color: false)
            #expect(!error.problems.isEmpty)
            #expect(shown.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 })
            for case .line(_, let line, let column, let text) in error.problems.map(\.place) {
                #expect(line >= 1 && column >= 1 && column <= text.unicodeScalars.count + 1)
            }
        }
    }

    @Test func `a config cut at any byte`() {
        let bytes = Array(Self.example.filter { $0 != 35 }.prefix(600))
        for end in 0...bytes.count { take(Array(bytes[..<end])) }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `configs with bytes changed, removed, doubled and moved`(seed: UInt64) {
        var random = SeededDice(seed: seed)
        let alphabet = Array("[]{}\"'=.,#\n\\u0 é-_9ax".utf8) + [0, 0x1B, 0xFF]
        for _ in 0..<150 {
            var bytes = Self.example
            for _ in 0...Int(random.next() % 4) {
                let index = Int(random.next() % UInt64(bytes.count))
                let span = Int(random.next() % 40)
                switch random.next() % 4 {
                case 0: bytes[index] = alphabet[Int(random.next() % UInt64(alphabet.count))]
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(contentsOf: bytes[index...].prefix(span), at: index)
                default: bytes.removeSubrange(index..<min(bytes.count, index + span))
                }
            }
            take(bytes)
        }
    }

    private static let floods: [LongText] = [
        LongText(String(repeating: "[", count: 200_000)),
        LongText("x = " + String(repeating: "[", count: 200_000)),
        LongText("x = " + String(repeating: "{a=", count: 70_000)),
        LongText("x = " + String(repeating: "[", count: 250) + String(repeating: "]", count: 250)),
        LongText("x = [" + String(repeating: "1,", count: 100_000) + "]"),
        LongText(String(repeating: "a.", count: 400) + "b = 1"),
        LongText(String(repeating: "\n", count: 500_000) + "x"),
        "\"\\u0000\" = 1",
        "\"a\\u0000b\" = 1\n\"a\" = 2",
        "shard_key = [\"a\\u0000b\"]",
        LongText("x = \"" + String(repeating: "\\\\", count: 200_000) + "\""),
        LongText("listen = \"" + String(repeating: "1", count: 500_000) + "\""),
        LongText("data = \"/" + String(repeating: "d", count: 500_000) + "\""),
        LongText("shard_key = [" + String(repeating: "\"query:a\",", count: 50_000) + "]"),
    ]

    @Test(arguments: floods)
    func `nests, floods and NULs`(flood: LongText) {
        take(Array(flood.text.utf8))
    }
}
