import Foundation
import Platform
import TestSupport
import Testing

@testable import LocalFirehose

/// A kill -9 leaves the disk as it is at that moment. So the tests copy the folder between two
/// steps, as small as they come, and start a new store on the copy.
@Suite struct CrashTests {
    let counters = OwnCounters()

    private func expectEachOnce(_ store: StreamStore, ids: Int, _ place: String) throws {
        let rows = try store.rows("SELECT count(*), count(DISTINCT id) FROM events")
        #expect(rows == [[.integer(Int64(ids)), .integer(Int64(ids))]], "\(place)")
    }

    @Test func `a death between any two steps loses nothing and doubles nothing`() throws {
        let folder = TemporaryFolder()
        let store = try makeStore(folder, counters: counters)
        let ids = 300
        for id in 0..<ids / 2 { try store.append(row(id), to: "good") }
        store.sealAll()
        for id in ids / 2..<ids { try store.append(row(id), to: "good") }
        store.sealAll()
        var steps = 0
        repeat {
            let copy = folder.copy()
            let successor = try makeStore(copy, counters: counters)
            successor.finishAll()
            try expectEachOnce(successor, ids: ids, "after step \(steps)")
            #expect(copy.files(below: "s3/hydrant-local").count == 2, "after step \(steps)")
            #expect(copy.files(below: "local/streams/good") == ["stream.json"])
            steps += 1
        } while store.stepOnce()
        // Begin, write, write to the end, name, several slices, commit, forget: twice.
        #expect(steps >= 14)
        try expectEachOnce(store, ids: ids, "at the end")
    }

    @Test(arguments: 0..<64)
    func `a call torn at any byte is left out, the calls before it are kept`(cut: Int) throws {
        let folder = TemporaryFolder()
        let store = try makeStore(folder, counters: counters)
        try store.append(row(1) + row(2), to: "good")
        try store.append(row(3) + row(4), to: "good")
        let copy = folder.copy()
        let name = try #require(
            copy.files(below: "local/streams/good").first { $0.hasPrefix("buffer-") })
        let path = "local/streams/good/" + name
        let bytes = copy.contents(path)
        guard cut < bytes.count / 2 else { return }
        #expect(bytes.count == 2 * (8 + 2 * row(1).utf8.count))
        try Data(bytes.prefix(bytes.count / 2 + cut)).write(
            to: URL(fileURLWithPath: copy.path + "/" + path))
        let successor = try makeStore(copy, counters: counters)
        successor.finishAll()
        try expectEachOnce(successor, ids: 2, "cut \(cut)")
        #expect(try successor.rows("SELECT count(*) FROM load_errors") == [[.integer(0)]])
    }

    @Test func `a buffer that holds nothing whole makes no object`() throws {
        let folder = TemporaryFolder()
        do {
            let store = try makeStore(folder, counters: counters)
            try store.append(row(1), to: "good")
        }
        let name = folder.files(below: "local/streams/good").first { $0.hasPrefix("buffer-") }!
        let path = folder.path + "/local/streams/good/" + name
        try Data(folder.contents("local/streams/good/" + name).prefix(11)).write(
            to: URL(fileURLWithPath: path))
        let store = try makeStore(folder, counters: counters)
        store.finishAll()
        #expect(folder.files(below: "s3/hydrant-local") == [])
        #expect(folder.files(below: "local/streams/good") == ["stream.json"])
    }

    /// Calls, steps, seals and deaths in random order: what was appended is there once, always.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `a random life with many deaths keeps every answered row exactly once`(seed: UInt64) throws
    {
        var random = SeededDice(seed: seed)
        var folder = TemporaryFolder()
        var store = try makeStore(folder, counters: counters, bufferBytesMax: 2000)
        var ids = 0
        var deaths = 0
        for _ in 0..<300 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<8:
                let count = Int.random(in: 1...20, using: &random)
                try store.append(
                    (ids..<ids + count).map { row($0) }.joined(), to: "good")
                ids += count
            case 8: store.sealAll()
            case 9:
                folder = folder.copy()
                store = try makeStore(folder, counters: counters, bufferBytesMax: 2000)
                deaths += 1
            default: _ = store.stepOnce()
            }
        }
        store.finishAll()
        #expect(deaths > 0)
        try expectEachOnce(store, ids: ids, "seed \(seed)")
        let objects = folder.files(below: "s3/hydrant-local")
        #expect(objects.allSatisfy { $0.hasSuffix(".gz") && !$0.contains("/.") })
        var lines = 0
        for object in objects {
            let text = try #require(gunzip(folder.contents("s3/hydrant-local/" + object)))
            lines += text.count { $0 == 0x0a }
        }
        #expect(lines == ids, "objects hold each row once as well")
    }
}
