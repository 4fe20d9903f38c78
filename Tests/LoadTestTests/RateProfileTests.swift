import TestSupport
import Testing

@testable import LoadTest

@Suite struct RateProfileTests {
    typealias Piece = RateProfile.Piece

    static func dueTimes(_ profile: RateProfile) -> [UInt64] {
        var cursor = RateCursor(profile)
        var times: [UInt64] = []
        while let time = cursor.dueNanoseconds(count: Double(times.count)) { times.append(time) }
        return times
    }

    @Test func `an even rate is due at even times, the first at once`() {
        #expect(
            Self.dueTimes(.constant(4, seconds: 1)) == [0, 250_000_000, 500_000_000, 750_000_000])
    }

    @Test func `a rate below one a second has its first request at once`() {
        #expect(Self.dueTimes(.constant(0.5, seconds: 5)) == [0, 2_000_000_000, 4_000_000_000])
    }

    @Test func `a ramp from zero is due at the square roots`() {
        // The integral of 2t is t²: request n at √n seconds.
        let times = Self.dueTimes(RateProfile(pieces: [Piece(seconds: 3, from: 0, to: 6)]))
        #expect(times.count == 9)
        for (count, time) in times.enumerated() {
            #expect(abs(Double(time) - Double(count).squareRoot() * 1e9) <= 1)
        }
    }

    @Test func `a ramp down to zero ends with the run`() {
        // 6t - t²: mirror image of the ramp up.
        let times = Self.dueTimes(RateProfile(pieces: [Piece(seconds: 3, from: 6, to: 0)]))
        #expect(times.count == 9)
        for (count, time) in times.enumerated() {
            let due: Double = 3 - Double(9 - count).squareRoot()
            #expect(abs(Double(time) - due * 1e9) <= 1)
        }
    }

    @Test func `nothing is due in a pause, and the next request waits for its end`() {
        let profile = RateProfile(pieces: [
            Piece(seconds: 1, from: 2, to: 2), Piece(seconds: 5, from: 0, to: 0),
            Piece(seconds: 1, from: 2, to: 2),
        ])
        #expect(Self.dueTimes(profile) == [0, 500_000_000, 6_000_000_000, 6_500_000_000])
    }

    @Test func `a pause at the start delays the first request`() {
        let profile = RateProfile(pieces: [
            Piece(seconds: 2, from: 0, to: 0), Piece(seconds: 1, from: 1, to: 1),
        ])
        #expect(Self.dueTimes(profile) == [2_000_000_000])
    }

    @Test func `a profile of nothing has nothing due`() {
        #expect(Self.dueTimes(RateProfile(pieces: [])) == [])
        #expect(Self.dueTimes(.constant(0, seconds: 10)) == [])
        #expect(Self.dueTimes(.constant(10, seconds: 0)) == [])
    }

    @Test func `rounding neither adds a request nor takes one`() {
        // 0.1 s three times is a little more than 0.3 s in binary; 0.7 of 10 a little less than 7.
        let tenths = RateProfile(
            pieces: Array(repeating: Piece(seconds: 0.1, from: 10, to: 10), count: 3))
        #expect(Self.dueTimes(tenths).count == 3)
        for count in 1...2000 {
            let rate = 1000.0
            let profile = RateProfile.constant(rate, seconds: Double(count) / rate)
            #expect(profile.requests == Double(count))
        }
    }

    @Test func `fractions of a request are due between`() {
        var cursor = RateCursor(.constant(1, seconds: 10))
        #expect(cursor.dueNanoseconds(count: 0.25) == 250_000_000)
        #expect(cursor.dueNanoseconds(count: 9.5) == 9_500_000_000)
        #expect(cursor.dueNanoseconds(count: 10) == nil)
        #expect(cursor.dueNanoseconds(count: .infinity) == nil)
    }

    @Test func `the longest and fastest run keeps its nanoseconds apart`() {
        let seconds = LoadDuration.secondsMax
        var cursor = RateCursor(.constant(RateText.rateMax, seconds: seconds))
        let last = seconds * RateText.rateMax - 1
        let before = cursor.dueNanoseconds(count: last - 1)!
        let time = cursor.dueNanoseconds(count: last)!
        #expect((49...51).contains(time - before))
        #expect(cursor.dueNanoseconds(count: last + 1) == nil)
    }

    static func randomProfile(_ dice: inout SeededDice) -> RateProfile {
        let rates: [Double] = [0, 0, 0.5, 1, 7, 300, 20_000]
        return RateProfile(
            pieces: (0...Int(dice.roll(6))).map { _ in
                let from = rates.randomElement(using: &dice)!
                let isEven = dice.chance(40)
                return Piece(
                    seconds: Double.random(in: 0.01...5, using: &dice), from: from,
                    to: isEven ? from : rates.randomElement(using: &dice)!)
            })
    }

    /// Whatever the profile: at a request's due time the integral has just reached it, and times
    /// never fall.
    @Test(arguments: 0..<200)
    func `the due time is the inverse of the due count`(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        let profile = Self.randomProfile(&dice)
        var cursor = RateCursor(profile)
        var count = 0.0
        var last: UInt64 = 0
        while let time = cursor.dueNanoseconds(count: count) {
            #expect(time >= last)
            last = time
            let seconds = Double(time) / 1e9
            // Times are whole nanoseconds: in one of them so much of a request is due.
            let slack = 1e-9 * 20_000 + 1e-9 * max(1, count)
            #expect(abs(profile.dueCount(atSeconds: seconds) - count) <= slack, "at \(count)")
            count += Double.random(in: 0...max(1, profile.requests / 500), using: &dice)
        }
        #expect(count >= profile.requests)
        #expect(profile.dueCount(atSeconds: profile.seconds + 1) == profile.requests)
    }

    /// The sum over small steps of the rate is what the integral says.
    @Test(arguments: 200..<230)
    func `the due count is the integral of the rate`(seed: UInt64) {
        var dice = SeededDice(seed: seed)
        let profile = Self.randomProfile(&dice)
        let until = Double.random(in: 0...profile.seconds, using: &dice)
        let steps = 20_000
        let step = until / Double(steps)
        let sum = (0..<steps).reduce(0.0) {
            $0 + profile.rate(atSeconds: (Double($1) + 0.5) * step) * step
        }
        #expect(abs(sum - profile.dueCount(atSeconds: until)) <= 1e-3 * max(1, sum) + 20_000 * step)
    }

    @Test func `before the start and after the end the rate is zero`() {
        let profile = RateProfile(pieces: [Piece(seconds: 2, from: 10, to: 20)])
        #expect(profile.rate(atSeconds: -1) == 0)
        #expect(profile.rate(atSeconds: 0) == 10)
        #expect(profile.rate(atSeconds: 1) == 15)
        #expect(profile.rate(atSeconds: 2) == 0)
        #expect(profile.dueCount(atSeconds: -1) == 0)
    }

    @Test func `a profile is cut within a ramp, or goes on at its last rate`() {
        let ramp = RateProfile(pieces: [Piece(seconds: 4, from: 0, to: 8)])
        #expect(ramp.lasting(seconds: 1).pieces == [Piece(seconds: 1, from: 0, to: 2)])
        #expect(
            ramp.lasting(seconds: 6).pieces == [
                Piece(seconds: 4, from: 0, to: 8), Piece(seconds: 2, from: 8, to: 8),
            ])
    }
}

@Suite struct ThreadShareTests {
    @Test(arguments: [1, 2, 3, 7, 16])
    func `the shares of all threads are the whole, each request once`(threads: Int) {
        for total in [0, 1, 2, 15, 16, 17, 1000] {
            let shares = (0..<threads).map { ThreadShare(thread: $0, of: threads) }
            var taken: [UInt64] = []
            for share in shares {
                taken += (0..<share.requests(of: UInt64(total))).map(share.sequence)
            }
            #expect(taken.sorted() == (0..<UInt64(total)).map { $0 })
            #expect(shares.reduce(0) { $0 + $1.part(of: total) } == total)
            let parts = shares.map { $0.part(of: total) }
            #expect(parts.max()! - parts.min()! <= 1)
        }
    }

    @Test func `a thread without a connection is not used`() {
        #expect(ThreadShare.usableThreads(4, connections: 64) == 4)
        #expect(ThreadShare.usableThreads(4, connections: 3) == 3)
        #expect(ThreadShare.usableThreads(4, connections: 0) == 1)
    }
}
