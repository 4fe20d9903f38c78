import Core

extension RateProfile {
    /// More pieces than that are no plan but noise, and make results large.
    static let piecesMax = 100_000

    /// The rate of a scenario over a run: `rate` (a scenario's own, or --rate), times the day's
    /// curve, times the bursts.
    init(scenario: Scenario, rate: Double, seconds: Double) throws(TrafficFlaw) {
        let shape = LoadShape(scenario)
        let count = shape.bordersExpected(seconds)
        guard count <= Double(Self.piecesMax) else {
            throw TrafficFlaw(
                "bursts and hours of scenario \(scenario.name) cut \(Int(seconds)) s into about"
                    + " \(Int(min(count, 1e15))) pieces; at most \(Self.piecesMax) are planned",
                hint: "run for less time, or raise bursts.every_seconds or day.seconds")
        }
        var pieces: [Piece] = []
        let borders = shape.borders(seconds)
        for (start, end) in zip(borders, borders.dropFirst()) {
            let burst = shape.burstFactor(at: (start + end) / 2)
            pieces.append(
                Piece(
                    seconds: end - start, from: rate * shape.dayFactor(at: start) * burst,
                    to: rate * shape.dayFactor(at: end) * burst))
        }
        self.init(pieces: pieces)
    }
}

/// How a scenario's load moves over time, as factors of its rate.
private struct LoadShape {
    private let bursts: Scenario.Bursts
    private let day: Scenario.Day

    init(_ scenario: Scenario) {
        bursts = scenario.bursts
        day = scenario.day
    }

    private var hourSeconds: Double { day.seconds / 24 }
    private var hasBursts: Bool { bursts.everySeconds > 0 }
    private var hasDay: Bool { day.seconds > 0 }

    func bordersExpected(_ seconds: Double) -> Double {
        (hasBursts ? 2 * seconds / bursts.everySeconds : 0)
            + (hasDay ? seconds / hourSeconds : 0) + 2
    }

    /// Where the straight pieces meet, from 0 to `seconds`, ascending.
    func borders(_ seconds: Double) -> [Double] {
        var borders: [Double] = [0, seconds]
        if hasBursts {
            var burst = 1.0
            while burst * bursts.everySeconds < seconds {
                borders.append(burst * bursts.everySeconds)
                borders.append(burst * bursts.everySeconds + bursts.seconds)
                burst += 1
            }
        }
        if hasDay {
            var hour = day.startHour.rounded(.up)
            while (hour - day.startHour) * hourSeconds < seconds {
                borders.append((hour - day.startHour) * hourSeconds)
                hour += 1
            }
        }
        borders.sort()
        // Pieces of no length, and of less than a microsecond, are rounding.
        return borders.reduce(into: []) { kept, border in
            guard border <= seconds else { return }
            if let last = kept.last, border - last < 1e-6 {
                if border == seconds { kept[kept.count - 1] = seconds }
            } else {
                kept.append(border)
            }
        }
    }

    func burstFactor(at second: Double) -> Double {
        guard hasBursts, second >= bursts.everySeconds else { return 1 }
        let since = second.truncatingRemainder(dividingBy: bursts.everySeconds)
        return since < bursts.seconds ? bursts.factor : 1
    }

    func dayFactor(at second: Double) -> Double {
        guard hasDay else { return 1 }
        let hour = (day.startHour + second / hourSeconds).truncatingRemainder(dividingBy: 24)
        let before = Int(hour) % 24
        let part = hour - hour.rounded(.down)
        return day.curve[before] * (1 - part) + day.curve[(before + 1) % 24] * part
    }
}
