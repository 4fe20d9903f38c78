import Foundation
import TestSupport
import Testing

@Suite struct HelperTests {
    /// The published sequence of SplitMix64 from seed 0. Golden values elsewhere rest on it.
    @Test func `seeded dice are SplitMix64`() {
        var dice = SeededDice(seed: 0)
        #expect(
            (0..<3).map { _ in dice.next() }
                == [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f])
    }

    @Test func `dice have the sides and the chances they are given`() {
        var dice = SeededDice(seed: 1)
        #expect(Set((0..<100).map { _ in dice.roll(3) }) == [0, 1, 2])
        #expect((0..<100).allSatisfy { _ in !dice.chance(0) })
        #expect((0..<100).allSatisfy { _ in dice.chance(100) })
        #expect((200...400).contains((0..<1000).count { _ in dice.chance(30) }))
    }

    @Test func `hex is two digits a byte, there and back`() {
        #expect(hex([0, 0x0a, 0xf0, 0xff]) == "000af0ff")
        #expect(unhexed("000af0ff") == [0, 0x0a, 0xf0, 0xff])
        #expect(unhexed(hex(0...255)) == Array(0...255))
    }

    @Test func `what becomes true is seen, what never does is given up`() {
        var asked = 0
        func fifthTime() -> Bool {
            asked += 1
            return asked == 5
        }
        // Within #expect, too, which takes its expression apart.
        #expect(eventually(within: 20, everyMilliseconds: 1) { fifthTime() })
        #expect(asked == 5)
        #expect(!eventually(within: 0.01, everyMilliseconds: 1) { fifthTime() })
        #expect(asked > 6)
    }

    @Test(arguments: [true, false])
    func `a temporary folder goes with its object, and a copy of it stands by itself`(
        inMemory: Bool
    ) throws {
        var folder: TemporaryFolder? = TemporaryFolder(inMemory: inMemory)
        let path = try #require(folder).path
        let file = try #require(folder?.write("one", to: "a"))
        let copy = try #require(folder?.copy())
        folder?.write([0, 255], to: "a")
        #expect(FileManager.default.contents(atPath: file) == Data([0, 255]))
        folder = nil
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(FileManager.default.contents(atPath: copy.path + "/a") == Data("one".utf8))
    }
}
