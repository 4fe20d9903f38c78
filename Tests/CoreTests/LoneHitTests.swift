import Core
import Testing

@Suite struct LoneHitTests {
    private let batch = Origin(slot: 3, incarnation: 0x0123_4567_89ab_cdef)

    private func frame(_ kind: FrameHeader.Kind, batch: UInt64, place: Int) -> FrameHeader {
        FrameHeader(
            byteCount: 80, kind: kind, hitCount: 1, origin: LoneHit.origin(of: self.batch),
            sequence: LoneHit.sequence(batch: batch, place: place))
    }

    @Test func `a lone hit's number is its batch's and its place`() {
        let header = frame(.lone, batch: 5, place: 255)
        #expect(header.origin == Origin(slot: 3, incarnation: 0xfedc_ba98_7654_3210))
        #expect(header.sequence == 5 * 256 + 255)
        #expect(header.batchOrigin == batch)
        #expect(header.batchSequence == 5)
        #expect(frame(.lone, batch: 6, place: 0).sequence == header.sequence + 1)
    }

    @Test func `a lane that holds the batch holds its lone hits, but not an opaque one`() {
        var table = OriginTable()
        table.note(batch, 5)
        table.note(batch, 6)
        let held = [
            table.holds(frame(.lone, batch: 5, place: 9)),
            table.holds(frame(.lone, batch: 7, place: 0)),
            table.holds(frame(.opaque, batch: 5, place: 9)),
        ]
        #expect(held == [true, false, false])
    }

    @Test func `a lane knows each of a batch's 256 lone hits, and the batch beside them`() {
        var table = OriginTable()
        table.note(batch, 4)
        table.note(batch, 6)
        for place in stride(from: 0, to: 256, by: 2) {
            let header = frame(.lone, batch: 5, place: place)
            table.note(header.origin, header.sequence)
        }
        for place in 0..<256 {
            let isLoneHeld = table.holds(frame(.lone, batch: 5, place: place))
            let isOpaqueHeld = table.holds(frame(.opaque, batch: 5, place: place))
            #expect(isLoneHeld == (place % 2 == 0) && isOpaqueHeld == isLoneHeld)
        }
        let batches = [table.holds(batch, 4), table.holds(batch, 5), table.holds(batch, 6)]
        #expect(batches == [true, false, true])
    }
}

@Suite struct ShardSetTests {
    @Test func `a set knows its members by number and by rank`() {
        var set = ShardSet()
        let members = [0, 1, 5, 63, 64, 65, 127, 128, 191, 192, 254, 255]
        for shard in members.shuffled() { set.insert(shard) }
        set.insert(64)
        #expect(set.count == members.count)
        #expect((0..<256).filter { set.contains($0) } == members)
        #expect((0..<members.count).map { set.shard(rank: $0) } == members)
        #expect(set.shard(rank: members.count) == nil)
        #expect(ShardSet().shard(rank: 0) == nil)
    }

    @Test func `a dead shard's keys spread evenly over the living ones`() {
        #expect(ShardSet().standIn(for: 1) == nil)
        var living = ShardSet()
        for shard in [0, 2, 3, 5, 6] { living.insert(shard) }
        var taken = [Int](repeating: 0, count: 8)
        var key: UInt64 = 1
        for _ in 0..<80_000 {
            key = key &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            guard jumpHash(key, buckets: 8) == 4 else { continue }
            let shard = living.standIn(for: key)
            #expect(shard == living.standIn(for: key))
            taken[shard!] += 1
        }
        #expect([1, 4, 7].allSatisfy { taken[$0] == 0 })
        #expect([0, 2, 3, 5, 6].allSatisfy { (1800...2200).contains(taken[$0]) }, "\(taken)")
    }
}
