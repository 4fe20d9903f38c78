/// Looks for the highest rate at which a condition holds. Decides which rate to try next; whoever
/// runs the trials tells what came of each.
///
///     climb    double from the start rate until one misses (sink: halve until one holds)
///     bisect   between the highest that held and the lowest that missed, until they are close
///     repeat   the highest that held, some times; a miss goes a step down and begins anew
struct FindMaxMachine {
    struct Settings: Equatable, Sendable {
        /// As given, "p99<10ms,errors<0.1%".
        var condition: String
        var startRate = 1000.0
        /// Nothing above is tried.
        var limitRate = RateText.rateMax
        /// Nothing below is tried.
        var lowestRate = 1.0
        /// Bisecting ends when the bracket is no wider than this share of its lower end.
        var tolerance = 0.05
        var repeats = 3
        /// Misses in a row at one rate until it counts as missed. More than one where the machine
        /// is disturbed now and then by others: a search that believes every miss ends far too low.
        var missesToBelieve = 1
        /// With repeats. Doubling from 1 to 20M, bisecting and three rounds of repeats fit.
        var trialsMax = 48
    }

    enum Action: Equatable {
        case measure(rate: Double, isRepeat: Bool)
        case finished(RunResult.RateSearch)
    }

    private enum Phase: Equatable {
        case searching
        /// `answered`: answered rates of the repeats that held at this rate so far.
        case repeating(answered: [Double])
        case finished
    }

    private let settings: Settings
    private var phase = Phase.searching
    /// The rate of the trial that is under way.
    private var rate: Double
    private var highestHeld: Double?
    private var lowestMissed: Double?
    /// How far the next step down goes, as a share of the rate. Each step is twice the one before:
    /// a search that was lucky at rates far too high comes down in a few trials.
    private var step: Double
    /// Misses in a row at `rate`.
    private var misses = 0
    private(set) var trials: [RunResult.RateSearch.Trial] = []

    init(_ settings: Settings) {
        precondition(settings.missesToBelieve >= 1)
        precondition(settings.repeats >= 1 && settings.trialsMax > settings.repeats)
        precondition(settings.tolerance > 0 && settings.lowestRate > 0)
        precondition(settings.limitRate >= settings.lowestRate)
        self.settings = settings
        step = settings.tolerance
        rate = min(max(settings.startRate, settings.lowestRate), settings.limitRate)
    }

    /// The first trial.
    func start() -> Action { .measure(rate: rate, isRepeat: false) }

    /// The trial under way met the condition. `found`: its figures in words; `answeredRate`: whole
    /// answers a second.
    mutating func held(found: String, answeredRate: Double) -> Action {
        record(found, isHeld: true)
        misses = 0
        switch phase {
        case .searching:
            highestHeld = max(highestHeld ?? 0, rate)
            return search()
        case .repeating(let answered):
            return repeated(answered + [answeredRate])
        case .finished: preconditionFailure("a trial after the last")
        }
    }

    /// The trial under way did not meet the condition.
    mutating func missed(found: String) -> Action {
        record(found, isHeld: false)
        misses += 1
        if misses < settings.missesToBelieve && trials.count < settings.trialsMax {
            return measure(rate)
        }
        misses = 0
        switch phase {
        case .searching:
            lowestMissed = min(lowestMissed ?? .infinity, rate)
            return search()
        case .repeating: return stepDown()
        case .finished: preconditionFailure("a trial after the last")
        }
    }

    private mutating func record(_ found: String, isHeld: Bool) {
        trials.append(
            .init(rate: rate, isHeld: isHeld, found: found, isRepeat: phase != .searching))
    }

    // MARK: Climb, sink, bisect

    private mutating func search() -> Action {
        let mustRepeat = trials.count + settings.repeats >= settings.trialsMax
        switch (highestHeld, lowestMissed) {
        case (let held?, _) where mustRepeat || held >= settings.limitRate:
            return beginRepeats(at: held)
        case (let held?, nil):
            return measure(min(held * 2, settings.limitRate))
        case (let held?, let missed?):
            guard missed - held > settings.tolerance * held else { return beginRepeats(at: held) }
            return measure(Self.rounded((held + missed) / 2, within: held...missed))
        case (nil, let missed?):
            guard missed > settings.lowestRate, trials.count < settings.trialsMax else {
                return finish(nil)
            }
            return measure(
                max(settings.lowestRate, Self.rounded(missed / 2, within: missed / 4...missed)))
        case (nil, nil): preconditionFailure("no trial yet")
        }
    }

    private mutating func measure(_ next: Double) -> Action {
        rate = next
        return .measure(rate: next, isRepeat: phase != .searching)
    }

    /// Rates a person can read: three digits where the bracket is wide enough for them.
    private static func rounded(_ rate: Double, within bracket: ClosedRange<Double>) -> Double {
        var unit = 1.0
        while unit * 1000 < rate { unit *= 10 }
        while unit >= 1 {
            let near = (rate / unit).rounded() * unit
            if near > bracket.lowerBound, near < bracket.upperBound { return near }
            unit /= 10
        }
        return rate
    }

    // MARK: Repeat

    private mutating func beginRepeats(at rate: Double) -> Action {
        guard trials.count < settings.trialsMax else { return finish(nil) }
        phase = .repeating(answered: [])
        return measure(rate)
    }

    private mutating func repeated(_ answered: [Double]) -> Action {
        if answered.count == settings.repeats { return finish(answered) }
        phase = .repeating(answered: answered)
        return trials.count < settings.trialsMax ? measure(rate) : finish(nil)
    }

    /// To the next lower rate that held, or a step below, whichever is nearer.
    private mutating func stepDown() -> Action {
        let below = rate * (1 - min(step, 0.5))
        let held = trials.filter { $0.isHeld && $0.rate < rate }.map(\.rate).max() ?? 0
        let next = max(held, Self.rounded(below, within: below / 2...rate))
        step *= 2
        guard next >= settings.lowestRate, next < rate else { return finish(nil) }
        return beginRepeats(at: next)
    }

    /// `answered`: of the repeats at `rate`, all of which held; nil when no rate held so often.
    private mutating func finish(_ answered: [Double]?) -> Action {
        phase = .finished
        return .finished(
            RunResult.RateSearch(
                condition: settings.condition, trials: trials,
                rate: answered == nil ? nil : rate,
                lowest: answered?.min(), highest: answered?.max()))
    }
}
