import TestSupport
import Testing

@testable import Supervisor

@Suite struct CoreSharingTests {
    /// Where routers and workers run, in a world of 100 ms looks. A router and a worker; the router
    /// runs twice as long.
    private struct World {
        var sharing = CoreSharing()
        var nowMs: UInt64 = 1_000_000
        /// Hits that come in a look.
        var offered: UInt64 = 0
        /// Hits that can be taken in a look.
        var capacityShared: UInt64 = 100
        var capacitySpread: UInt64 = 160
        /// CPU of a hit in thousandths of a look, where spread: shared it is 1000 / capacityShared.
        var costSpread: UInt64 = 12
        var strangerPermille: UInt64 = 0
        var refusesWhenFull = false
        var changes: [CoreSharing.Placement] = []

        mutating func look() {
            let isShared = sharing.placement == .shared
            let hits = min(offered, isShared ? capacityShared : capacitySpread)
            let ran = hits * (isShared ? 1000 / capacityShared : costSpread) * 100_000
            let router = CoreSharing.Use(ranNs: ran * 2 / 3, waitedNs: ran / 4)
            let worker = CoreSharing.Use(
                ranNs: ran - router.ranNs, waitedNs: ran / 2 + strangerPermille * 100_000)
            let before = sharing.placement
            let next = sharing.decide(
                CoreSharing.Look(
                    nowMs: nowMs, elapsedNs: 100_000_000, uses: [router, worker], hits: hits,
                    refused: refusesWhenFull && hits < offered ? offered - hits : 0))
            if next != before { changes.append(next) }
            nowMs += 100
        }

        mutating func looks(_ count: Int) { for _ in 0..<count { look() } }
    }

    @Test func `with nothing to do they are put together after a second`() {
        var world = World()
        world.looks(10)
        #expect(world.sharing.placement == .spread)
        world.look()
        #expect(world.sharing.placement == .shared)
        world.looks(1000)
        #expect(world.changes == [.shared])
    }

    @Test func `a load that one CPU carries leaves them together`() {
        var world = World(offered: 90)
        world.looks(1000)
        #expect(world.changes == [.shared])
    }

    @Test func `more than one CPU carries takes them apart, and they stay apart`() {
        var world = World()
        world.looks(20)
        world.offered = 150
        world.looks(3)
        #expect(world.sharing.placement == .spread)
        world.looks(600)
        #expect(world.changes == [.shared, .spread])
    }

    @Test func `only a little more takes them apart as well: what one CPU loses comes back`() {
        var world = World()
        world.looks(20)
        world.offered = 101
        world.looks(3)
        #expect(world.sharing.placement == .spread)
        var lost: UInt64 = 0
        for _ in 0..<600 {
            world.look()
            if world.sharing.placement == .shared { lost += 1 }
        }
        // One CPU is tried again now and then: six looks of it, at most every 16 s in the end.
        #expect(lost <= 8 * 6, "\(lost) of 600 looks")
    }

    @Test func `where spreading takes fewer hits they come together again`() {
        // As beside a load generator that needs the other CPU.
        var world = World(capacitySpread: 80)
        world.looks(20)
        world.offered = 1000
        world.looks(3)
        #expect(world.sharing.placement == .spread)
        world.looks(CoreSharing.trialLooks)
        #expect(world.sharing.placement == .shared)
        #expect(world.changes == [.shared, .spread, .shared])
    }

    @Test func `a trial that failed is repeated after 4, 8, 16 and again 16 seconds`() {
        var world = World(capacitySpread: 80)
        world.looks(20)
        world.offered = 1000
        var startsMs: [UInt64] = []
        for _ in 0..<700 {
            let before = world.sharing.placement
            world.look()
            if before == .shared && world.sharing.placement == .spread {
                startsMs.append(world.nowMs)
            }
        }
        let gaps = zip(startsMs, startsMs.dropFirst()).map { $1 - $0 }
        let trialMs = UInt64(CoreSharing.trialLooks) * 100
        #expect(Array(gaps.prefix(4)) == [4000, 8000, 16_000, 16_000].map { $0 + trialMs })
    }

    @Test func `a stranger on their CPU takes them apart`() {
        var world = World(offered: 50)
        world.looks(20)
        world.strangerPermille = 300
        world.looks(CoreSharing.crowdedLooks)
        #expect(world.sharing.placement == .spread)
        world.looks(30)
        #expect(world.changes == [.shared, .spread])
    }

    @Test func `a stranger who leaves some of the CPU is borne`() {
        var world = World(offered: 50, strangerPermille: 100)
        world.looks(500)
        #expect(world.changes == [.shared])
    }

    @Test func `hits refused on a full CPU take them apart at once, though a trial failed before`()
    {
        var world = World(capacitySpread: 80)
        world.looks(20)
        world.offered = 1000
        world.looks(12)
        #expect(world.sharing.placement == .shared)
        world.refusesWhenFull = true
        world.look()
        #expect(world.sharing.placement == .spread)
        world.looks(150)
        #expect(world.sharing.placement == .spread)
    }

    @Test func `two looks at the same moment say nothing`() {
        var sharing = CoreSharing()
        let before = sharing
        let look = CoreSharing.Look(nowMs: 1, elapsedNs: 0, uses: [], hits: 5, refused: 5)
        #expect(sharing.decide(look) == .spread)
        #expect(sharing == before)
    }

    @Test(arguments: 1...50)
    func `whatever happens, they are not moved to and fro for nothing`(seed: Int) {
        var dice = SeededDice(seed: UInt64(seed))
        var world = World()
        let looks = 2000
        for _ in 0..<looks {
            if UInt64.random(in: 0..<20, using: &dice) == 0 {
                world.offered = .random(in: 0...300, using: &dice)
                world.capacityShared = .random(in: 1...200, using: &dice)
                world.capacitySpread = .random(in: 1...200, using: &dice)
                world.strangerPermille = .random(in: 0...500, using: &dice)
                world.refusesWhenFull = .random(using: &dice)
            }
            world.look()
        }
        // A change that is none of a trial's is followed by a hold-off or needs a calm second; a
        // trial has two. So at most three in four seconds.
        #expect(world.changes.count <= looks * 3 / 40 + 3, "\(world.changes.count) changes")
        #expect(world.changes.count > 2)
    }
}
