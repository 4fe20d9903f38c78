import Core
import Testing

@testable import LoadTest

@Suite struct TrafficRateTests {
    private static func profile(
        _ seconds: Double, _ change: (inout Scenario) -> Void = { _ in }
    ) throws -> RateProfile {
        var scenario = Scenario(name: "x")
        change(&scenario)
        return try RateProfile(scenario: scenario, rate: 100, seconds: seconds)
    }

    @Test func `without bursts and day the rate stays`() throws {
        #expect(try Self.profile(30) == .constant(100, seconds: 30))
    }

    @Test func `bursts begin after each interval`() throws {
        let profile = try Self.profile(25) {
            $0.bursts = .init(everySeconds: 10, seconds: 2, factor: 5)
        }
        #expect(
            profile.pieces == [
                .init(seconds: 10, from: 100, to: 100), .init(seconds: 2, from: 500, to: 500),
                .init(seconds: 8, from: 100, to: 100), .init(seconds: 2, from: 500, to: 500),
                .init(seconds: 3, from: 100, to: 100),
            ])
    }

    @Test func `a burst is cut by the end of the run`() throws {
        let profile = try Self.profile(11) {
            $0.bursts = .init(everySeconds: 10, seconds: 2, factor: 0)
        }
        #expect(
            profile.pieces == [
                .init(seconds: 10, from: 100, to: 100), .init(seconds: 1, from: 0, to: 0),
            ])
    }

    @Test func `the day's curve is straight between the hours and goes round`() throws {
        let profile = try Self.profile(4) {
            $0.day.seconds = 48
            $0.day.startHour = 22.5
            $0.day.curve = (0..<24).map(Double.init)
        }
        // Two seconds an hour, from half past ten in the evening.
        #expect(
            profile.pieces == [
                .init(seconds: 1, from: 2250, to: 2300), .init(seconds: 2, from: 2300, to: 0),
                .init(seconds: 1, from: 0, to: 50),
            ])
    }

    @Test func `pieces add up to the run, whatever the scenario`() throws {
        var draws = SplitMix64(state: 11)
        for _ in 0..<300 {
            let seconds = 0.001 + draws.nextUnit() * 500
            let profile = try Self.profile(seconds) {
                $0.bursts.everySeconds = 0.5 + draws.nextUnit() * 20
                $0.bursts.seconds = draws.nextUnit() * $0.bursts.everySeconds * 0.99
                $0.day.seconds = 2 + draws.nextUnit() * 300
                $0.day.startHour = draws.nextUnit() * 24
            }
            #expect(abs(profile.seconds - seconds) < 1e-6 * seconds + 1e-6)
            #expect(profile.pieces.allSatisfy { $0.seconds > 0 && $0.from >= 0 && $0.to >= 0 })
        }
    }

    @Test func `more pieces than can be planned are refused`() {
        #expect(throws: TrafficFlaw.self) {
            try Self.profile(86_400) {
                $0.bursts = .init(everySeconds: 0.1, seconds: 0.05, factor: 2)
            }
        }
    }
}
