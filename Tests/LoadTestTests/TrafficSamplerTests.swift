import Core
import Glibc
import Testing

@testable import LoadTest

@Suite struct TrafficSamplerTests {
    /// The chi-squared distance of counts from what they should be, over its standard deviations.
    private static func strangeness(_ counts: [Int], _ probabilities: [Double]) -> Double {
        let total = Double(counts.reduce(0, +))
        let distance = zip(counts, probabilities).reduce(0.0) { sum, pair in
            let wanted = total * pair.1
            return sum + (Double(pair.0) - wanted) * (Double(pair.0) - wanted) / wanted
        }
        let freedom = Double(counts.count - 1)
        return (distance - freedom) / (2 * freedom).squareRoot()
    }

    @Test(arguments: [
        (1, 1.0), (2, 0.0), (2, 1.0), (5, 0.5), (10, 0.7), (10, 1.0), (30, 1.3), (100, 0.99),
        (100, 2.0),
        (20, 4.0), (50, 1.000000001),
    ])
    func `ranks come as often as Zipf's law says`(count: Int, exponent: Double) {
        let zipf = Zipf(count: count, exponent: exponent)
        var draws = SplitMix64(state: 7)
        var counts = Array(repeating: 0, count: count)
        for _ in 0..<200_000 {
            let rank = zipf.rank(&draws)
            #expect((1...UInt64(count)).contains(rank))
            counts[Int(rank) - 1] += 1
        }
        let weights = (1...count).map { pow(Double($0), -exponent) }
        let sum = weights.reduce(0, +)
        if count == 1 {
            #expect(counts == [200_000])
        } else {
            #expect(abs(Self.strangeness(counts, weights.map { $0 / sum })) < 6)
        }
    }

    @Test func `ranks from the table come as often as ranks without`() {
        var store = ByteStore()
        for count in [1, 10, 4096, 4097] {
            let ranks = Ranks(count: count, exponent: 1, in: &store)
            let zipf = Zipf(count: count, exponent: 1)
            var draws = SplitMix64(state: 7)
            let cuts: [UInt64] = [1, 2, 5, 100, 2000]
            var below = cuts.map { _ in (0, 0) }
            for _ in 0..<50_000 {
                let (one, other) = (ranks.rank(&draws), zipf.rank(&draws))
                #expect((1...UInt64(count)).contains(one))
                for (index, cut) in cuts.enumerated() {
                    below[index].0 += one <= cut ? 1 : 0
                    below[index].1 += other <= cut ? 1 : 0
                }
            }
            // The difference of two such counts has a standard deviation of at most 158.
            #expect(below.allSatisfy { abs($0.0 - $0.1) < 800 })
        }
        withExtendedLifetime(store) {}
    }

    @Test func `a large population is drawn from to its ends`() {
        let zipf = Zipf(count: 1_000_000_000, exponent: 0.7)
        var draws = SplitMix64(state: 1)
        let ranks = (0..<20_000).map { _ in zipf.rank(&draws) }
        #expect(ranks.allSatisfy { (1...1_000_000_000).contains($0) })
        // Half of all come from the first 2^(-1/0.3) of the ranks.
        let half = ranks.count { Double($0) < 1e9 * pow(0.5, 1 / 0.3) }
        #expect((9600...10_400).contains(half))
    }

    @Test(arguments: [
        [1.0], [1, 1], [5, 1, 0, 3], [0, 0, 1], [1e-6, 1e9], [0.1, 0.2, 0.3, 0.4],
    ])
    func `choices come as often as their weights say`(weights: [Double]) {
        var store = ByteStore()
        let choice = Choice(weights, in: &store)
        var draws = SplitMix64(state: 3)
        var counts = weights.map { _ in 0 }
        for _ in 0..<100_000 { counts[choice.index(draws.next())] += 1 }
        let sum = weights.reduce(0, +)
        for (count, weight) in zip(counts, weights) {
            let wanted = 100_000 * weight / sum
            #expect(abs(Double(count) - wanted) <= 5 * wanted.squareRoot())
        }
        withExtendedLifetime(store) {}
    }

    @Test func `a share of 0 takes no draw and one of 1 all`() {
        for bits in [0, 1, .max / 2, .max] as [UInt32] {
            #expect(!ShareOfDraws(0).takes(bits))
            #expect(ShareOfDraws(1).takes(bits))
        }
        #expect(ShareOfDraws(0.5).takes(.max / 2) && !ShareOfDraws(0.5).takes(.max / 2 + 1))
    }

    @Test func `numbers are written as decimals`() {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)
        defer { room.deallocate() }
        func text(_ value: UInt32) -> String {
            var out = RequestWriter(room)
            out.append(value)
            return String(
                decoding: UnsafeBufferPointer(start: room, count: out.at - room), as: UTF8.self)
        }
        for value in 0..<20_000 as Range<UInt32> { #expect(text(value) == String(value)) }
        for power in [100_000, 1_000_000, 10_000_000, 100_000_000] as [UInt32] {
            #expect(text(power - 1) == String(power - 1))
            if power < 100_000_000 { #expect(text(power) == String(power)) }
        }
        var draws = SplitMix64(state: 5)
        for _ in 0..<20_000 {
            let value = draws.next().highHalf.below(100_000_000)
            #expect(text(value) == String(value))
        }
    }

    @Test func `texts of any length are copied whole`() {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 1024)
        defer { room.deallocate() }
        var store = ByteStore()
        for count in 0..<400 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ count) }
            let segment = store.keep(bytes)
            for isLong in [false, true] {
                room.update(repeating: 0xa5, count: 1024)
                var out = RequestWriter(room)
                if isLong { out.appendLong(segment) } else { out.append(segment) }
                #expect(out.at - room == count)
                #expect(Array(UnsafeBufferPointer(start: room, count: count)) == bytes)
                #expect((count + RequestWriter.slackBytes..<1024).allSatisfy { room[$0] == 0xa5 })
            }
        }
    }
}
