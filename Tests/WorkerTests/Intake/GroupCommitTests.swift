import TestSupport
import Testing

@testable import Worker

@Suite struct GroupCommitTests {
    @Test func `a frame waits for a sync that begins after it`() {
        var commit = GroupCommit()
        var log: [String] = []
        func begin(_ commit: inout GroupCommit) { log.append(commit.begin() ? "begin" : "-") }
        func join(_ commit: inout GroupCommit) { log.append("joins \(commit.join())") }
        func finish(_ commit: inout GroupCommit) { log.append("settled \(commit.finish())") }
        for step in [
            begin, join, begin, join, join, begin, finish, begin, finish, begin,
        ] { step(&commit) }
        #expect(
            log == [
                "-", "joins 1", "begin", "joins 2", "joins 2", "-", "settled 1", "begin",
                "settled 2", "-",
            ])
        let isSyncing = commit.isSyncing
        #expect(!isSyncing && commit.settledGroup == 2)
    }

    /// A frame's time, and the begin of the sync that settled it, by a clock that only this test has.
    @Test(arguments: 0..<200)
    func
        `whatever comes when, no frame is settled by a sync that began before it, and none waits idly`(
            seed: Int
        )
    {
        var random = SeededDice(seed: UInt64(seed))
        var commit = GroupCommit()
        var now = 0
        var waiting: [(group: UInt64, at: Int)] = []
        var syncs: [(begin: Int, end: Int)] = []
        var settled = 0
        for _ in 0..<500 {
            now += 1
            if random.chance(55) { waiting.append((commit.join(), now)) }
            now += 1
            if commit.begin() { syncs.append((now, 0)) }
            // Somebody waits: then a sync is under way.
            #expect(waiting.isEmpty || commit.isSyncing)
            now += Int(random.roll(5))
            guard commit.isSyncing, random.chance(40) else { continue }
            syncs[syncs.count - 1].end = now
            let group = commit.finish()
            while let first = waiting.first, first.group <= group {
                let sync = syncs[Int(first.group) - 1]
                #expect(sync.begin > first.at && sync.end == now)
                // And by the first that could.
                if first.group > 1 { #expect(syncs[Int(first.group) - 2].begin < first.at) }
                waiting.removeFirst()
                settled += 1
            }
        }
        #expect(settled > 100)
        for (earlier, later) in zip(syncs, syncs.dropFirst()) {
            #expect(earlier.end < later.begin, "one at a time")
        }
    }

    @Test func `the median of the last syncs`() {
        var times = SyncTimes()
        let none = times.median()
        #expect(none == 0)
        for time: UInt64 in [5, 1, 9] { times.note(nanoseconds: time) }
        #expect(times.hasNew)
        let middle = times.median()
        #expect(middle == 5)
        #expect(!times.hasNew)
        for _ in 0..<SyncTimes.samplesMax { times.note(nanoseconds: 7) }
        let later = times.median()
        #expect(later == 7)
    }
}
