/// How the rate goes, as `--rate`, `--ramp` and `--step` say it, before it is known how long the run
/// lasts.
enum RateShape: Equatable, Sendable {
    /// `--rate 20k`
    case constant(Double)
    /// `--ramp 0:20k/30s`; then it stays at `to`.
    case ramp(from: Double, to: Double, seconds: Double)
    /// `--step 1k,2k,5k/10s`, each for so long; then it stays at the last.
    case steps([Double], secondsEach: Double)

    /// How long it takes by itself; nil: a constant rate has no end of its own.
    var seconds: Double? {
        switch self {
        case .constant: nil
        case .ramp(_, _, let seconds): seconds
        case .steps(let rates, let secondsEach): Double(rates.count) * secondsEach
        }
    }

    /// For a run of that length: cut, or going on at the last rate.
    func profile(seconds: Double) -> RateProfile { pieces.lasting(seconds: seconds) }

    /// For a run that ends when so many requests are due. Throws when the rate ends at zero before.
    func profile(requests: UInt64) throws(PlanRefusal) -> RateProfile {
        let pieces = pieces
        let due = pieces.requests
        if due >= Double(requests) {
            var cursor = RateCursor(pieces)
            // The next request would be the first too many.
            let end = cursor.dueNanoseconds(count: Double(requests)).map { Double($0) / 1e9 }
            return pieces.lasting(seconds: end ?? pieces.seconds)
        }
        let rate = pieces.pieces.last!.to
        guard rate > 0 else {
            throw PlanRefusal(
                "the rate ends at 0 after \(UInt64(due)) of \(requests) requests",
                hint: "end with a rate above 0, or ask for fewer requests with -n")
        }
        let rest = (Double(requests) - due) / rate
        guard pieces.seconds + rest <= LoadDuration.secondsMax else {
            throw PlanRefusal(
                "\(requests) requests at that rate take longer than "
                    + "\(LoadDuration(seconds: LoadDuration.secondsMax))",
                hint: "raise the rate, or ask for fewer requests with -n")
        }
        return pieces.lasting(seconds: pieces.seconds + rest)
    }

    private var pieces: RateProfile {
        switch self {
        case .constant(let rate):
            RateProfile(pieces: [.init(seconds: 0, from: rate, to: rate)])
        case .ramp(let from, let to, let seconds):
            RateProfile(pieces: [.init(seconds: seconds, from: from, to: to)])
        case .steps(let rates, let secondsEach):
            RateProfile(pieces: rates.map { .init(seconds: secondsEach, from: $0, to: $0) })
        }
    }
}

/// The texts of `--rate`, `--ramp` and `--step`.
enum RateText {
    /// Requests a second; above what any one host sends.
    static let rateMax = 20_000_000.0
    static let rateMin = 0.001
    static let stepsMax = 1000

    static let rateExample =
        "write requests a second, for all connections together: 500, 20k or 1.5M"
    static let rampExample = "write FROM:TO/TIME: --ramp 0:20k/30s"
    static let stepExample =
        "write RATES/TIME or FROM:TO:BY/TIME: "
        + "--step 1k,2k,5k/10s or --step 1k:10k:1k/10s"

    /// "20k"
    static func rate(_ text: String) throws(PlanRefusal) -> RateShape {
        let rate = try number(text[...], in: text, example: rateExample)
        guard rate > 0 else {
            throw PlanRefusal(
                "a rate of \(PlanRefusal.quoted(text)) sends nothing", hint: rateExample)
        }
        return .constant(rate)
    }

    /// "0:20k/30s"
    static func ramp(_ text: String) throws(PlanRefusal) -> RateShape {
        let (rates, seconds) = try halves(text, example: rampExample)
        let ends = rates.split(separator: ":", omittingEmptySubsequences: false)
        guard ends.count == 2 else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) is not a ramp from one rate to another",
                hint: rampExample)
        }
        let from = try number(ends[0], in: text, example: rampExample)
        let to = try number(ends[1], in: text, example: rampExample)
        guard from + to > 0 else {
            throw PlanRefusal(
                "the ramp \(PlanRefusal.quoted(text)) sends nothing", hint: rampExample)
        }
        return .ramp(from: from, to: to, seconds: seconds)
    }

    /// "1k,2k,5k/10s" or "1k:10k:1k/10s"; the latter ends with the last rate that is not beyond TO,
    /// and goes down when TO is below FROM.
    static func steps(_ text: String) throws(PlanRefusal) -> RateShape {
        let (list, seconds) = try halves(text, example: stepExample)
        let rates = list.contains(":") ? try range(list, in: text) : try listed(list, in: text)
        guard rates.contains(where: { $0 > 0 }) else {
            throw PlanRefusal(
                "the steps \(PlanRefusal.quoted(text)) send nothing", hint: stepExample)
        }
        let total = LoadDuration(seconds: Double(rates.count) * seconds)
        guard total.seconds <= LoadDuration.secondsMax else {
            throw PlanRefusal(
                "the steps \(PlanRefusal.quoted(text)) take \(total) together",
                hint: "fewer or shorter steps: a run lasts at most "
                    + "\(LoadDuration(seconds: LoadDuration.secondsMax))")
        }
        return .steps(rates, secondsEach: seconds)
    }

    private static func listed(
        _ list: Substring, in text: String
    ) throws(PlanRefusal) -> [Double] {
        let words = list.split(separator: ",", omittingEmptySubsequences: false)
        guard words.count <= stepsMax else { throw tooMany(words.count, text) }
        var rates: [Double] = []
        for word in words { rates.append(try number(word, in: text, example: stepExample)) }
        return rates
    }

    private static func range(
        _ list: Substring, in text: String
    ) throws(PlanRefusal) -> [Double] {
        let words = list.split(separator: ":", omittingEmptySubsequences: false)
        guard words.count == 3 else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) is not FROM:TO:BY", hint: stepExample)
        }
        let from = try number(words[0], in: text, example: stepExample)
        let to = try number(words[1], in: text, example: stepExample)
        let by = try number(words[2], in: text, example: stepExample)
        guard by > 0 else {
            throw PlanRefusal(
                "the steps of \(PlanRefusal.quoted(text)) are 0 apart", hint: stepExample)
        }
        // 0.1 goes three times into 0.3, whatever binary fractions make of it.
        let gaps = (abs(to - from) / by + 1e-9).rounded(.down)
        guard gaps < Double(stepsMax) else { throw tooMany(Int(gaps) + 1, text) }
        return (0...Int(gaps)).map { from + (to < from ? -by : by) * Double($0) }
    }

    private static func tooMany(_ count: Int, _ text: String) -> PlanRefusal {
        PlanRefusal(
            "\(PlanRefusal.quoted(text)) has \(count) steps",
            hint: "at most \(stepsMax); for an even rise use a ramp: --ramp 0:20k/30s")
    }

    /// What stands before the last "/", and the seconds after it.
    private static func halves(
        _ text: String, example: String
    ) throws(PlanRefusal) -> (Substring, Double) {
        guard let slash = text.lastIndex(of: "/") else {
            throw PlanRefusal(
                "\(PlanRefusal.quoted(text)) does not say for how long", hint: example)
        }
        do throws(PlanRefusal) {
            let time = try LoadDuration.parse(String(text[text.index(after: slash)...]))
            return (text[..<slash], time.seconds)
        } catch {
            throw PlanRefusal("in \(PlanRefusal.quoted(text)): \(error.message)", hint: example)
        }
    }

    /// One rate, 0 included.
    private static func number(
        _ word: Substring, in text: String, example: String
    ) throws(PlanRefusal) -> Double {
        let place = word == text ? "" : " in \(PlanRefusal.quoted(text))"
        let shown = PlanRefusal.quoted(word) + place
        if word.hasPrefix("-") {
            throw PlanRefusal("the rate \(shown) is negative", hint: example)
        }
        guard let (value, unit) = DecimalText.prefix(of: word) else {
            throw PlanRefusal("\(shown) is not a rate", hint: example)
        }
        let factors: [Substring: Double] = ["": 1, "k": 1000, "K": 1000, "M": 1_000_000]
        guard let factor = factors[unit] else {
            throw PlanRefusal(
                "the rate \(shown) has a unit that is not k (thousand) or M (million)",
                hint: example)
        }
        let rate = value * factor
        guard rate <= rateMax else {
            throw PlanRefusal(
                "the rate \(shown) is above 20M a second, more than one host can send",
                hint: "use several hosts, each with its part, and join their results with "
                    + "`hydrant load merge`")
        }
        guard rate == 0 || rate >= rateMin else {
            throw PlanRefusal(
                "the rate \(shown) is below one request in \(Int(1 / rateMin)) s", hint: example)
        }
        return rate
    }
}
