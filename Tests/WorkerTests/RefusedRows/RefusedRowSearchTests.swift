import Core
import TestSupport
import Testing

@testable import Worker

@Suite struct RefusedRowSearchTests {
    /// What a service does that refuses some rows, whenever they come.
    private struct Found: Equatable {
        var taken: [String] = []
        var refused: [String] = []
        var calls = 1
        var isStuck = false
    }

    private func search(
        _ rows: [String], refusing: Set<String>, suspectsMax: Int = RefusedRowSearch.suspectsMax
    ) -> Found {
        let bytes = rows.flatMap { Array("\($0)\n".utf8) }
        return bytes.withUnsafeBytes { bytes in
            func names(_ range: Range<Int>) -> [String] {
                String(decoding: bytes[range], as: UTF8.self).split(separator: "\n").map(
                    String.init)
            }
            var found = Found()
            var search = RefusedRowSearch(bytes, tookSome: false, suspectsMax: suspectsMax)
            while case .part(let part) = search.next(in: bytes) {
                found.calls += 1
                if refusing.isDisjoint(with: names(part)) {
                    found.taken += names(part)
                    search.wasTaken()
                } else {
                    search.wasRefused(in: bytes)
                }
            }
            found.isStuck = search.next(in: bytes) == .stuck
            found.refused = search.refused.flatMap(names)
            return found
        }
    }

    @Test func `one refused row among a thousand is found in few calls`() {
        let rows = (0..<1000).map { "row \($0)" }
        for refused in ["row 0", "row 1", "row 499", "row 500", "row 999"] {
            let found = search(rows, refusing: [refused])
            #expect(found.refused == [refused])
            #expect(found.taken.sorted() == rows.filter { $0 != refused }.sorted())
            #expect(found.calls <= 30, "\(refused): \(found.calls)")
        }
    }

    @Test func `a service that refuses everything is not asked for every row`() {
        let rows = (0..<1000).map { "row \($0)" }
        let found = search(rows, refusing: Set(rows))
        #expect(found.isStuck && found.taken.isEmpty)
        #expect(found.calls < 30)
        #expect(search(["alone"], refusing: ["alone"]).isStuck)
    }

    @Test func `a row that is taken is found behind any number that are not`() {
        let rows = (0..<300).map { "row \($0)" }
        let found = search(rows, refusing: Set(rows.dropLast()), suspectsMax: 512)
        #expect(found.taken == ["row 299"] && found.refused == Array(rows.dropLast()))
    }

    @Test(arguments: 1...300)
    func `whatever is refused, each row is taken once or given up`(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        let rows = (0..<(1 + dice.roll(200))).map {
            "row \($0) " + String(repeating: "x", count: Int(dice.roll(90)))
        }
        let percent = Int(dice.roll(60))
        let refusing = Set(rows.filter { _ in dice.chance(percent) })
        let found = search(rows, refusing: refusing, suspectsMax: 1 << 20)
        if refusing.isEmpty || refusing.count == rows.count { return }
        #expect(found.refused == rows.filter(refusing.contains))
        #expect(found.taken.sorted() == rows.filter { !refusing.contains($0) }.sorted())
    }
}
