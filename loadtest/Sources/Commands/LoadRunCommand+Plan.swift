import Config
import Core
import Glibc
import Platform

/// From options to a plan: everything resolved and checked before anything is sent.
extension LoadRunCommand {
    private static let defaultRate = 1000.0
    private static let defaultSeconds = 10.0
    /// A scenario's curve may stay that far below its rate.
    private static let slowest = 10.0
    private static let defaultConnections = 50
    private static let connectionsMax = 1_000_000
    private static let threadsMax = 1024
    private static let paces = 0.001...1_000_000
    /// How much of the schedule may wait for a connection, by default.
    private static let backlogSeconds = 10.0

    func plan() throws -> LoadPlan {
        try refuseContradictions()
        let target = try LoadTarget.parse(url)
        let scenario = try requests.scenario.map { try ScenarioFile.named($0).scenario }
        let connections = try whole(
            load.connections ?? scenario?.connections ?? Self.defaultConnections,
            "-c", 1...Self.connectionsMax)
        let workers = try whole(load.workers, "--workers", 1...Self.threadsMax)
        let threads = try whole(load.threads, "-t", 1...(Self.threadsMax / workers))
        if connections < workers * threads {
            throw PlanRefusal(
                "\(connections) connections for \(workers * threads) threads",
                hint: "a thread without a connection sends nothing: raise -c or lower -t")
        }
        let log = try recordedLog()
        let shape = try shape(scenario, log)
        // A log that is replayed at its own times is replayed once.
        let count = load.count ?? (load.duration == nil ? log.map { UInt64($0.count) } : nil)
        let timing = try timing(shape, count)
        var plan = LoadPlan(
            target: target, model: load.closed ? .closed : .open, connections: connections,
            workers: workers, threads: threads, seconds: timing.seconds, requests: count,
            rate: try profile(shape, scenario, timing), seed: requests.seed ?? randomUInt64(),
            run: UInt32(truncatingIfNeeded: randomUInt64()), backlogMax: 0)
        plan.scenario = scenario
        plan.backlogMax = try whole(
            load.backlog ?? Self.backlog(for: plan.rate), "--backlog", 1...100_000_000)
        try addRequests(to: &plan, scenario)
        return plan
    }

    private static func backlog(for rate: RateProfile) -> Int {
        let highest = rate.pieces.reduce(0) { max($0, $1.from, $1.to) }
        return Int(min(max(highest * backlogSeconds, 1000), 10_000_000))
    }

    private func refuseContradictions() throws(PlanRefusal) {
        let rates = [("--rate", load.rate), ("--ramp", load.ramp), ("--step", load.step)]
            .filter { $0.1 != nil }.map(\.0)
        if rates.count > 1 {
            throw PlanRefusal(
                "\(rates.joined(separator: " and ")) contradict each other", hint: "give one")
        }
        if load.closed, let rate = rates.first ?? load.findMax.map({ _ in "--find-max" }) {
            throw PlanRefusal(
                "\(rate) and --closed contradict each other",
                hint: "a closed model has no rate of its own: leave one out")
        }
        if load.findMax != nil, load.ramp != nil || load.step != nil || load.count != nil {
            throw PlanRefusal(
                "--find-max sets the rate of each trial itself",
                hint: "leave --ramp, --step and -n out; -z is the length of a trial")
        }
        if load.findMax != nil, results.ledger != nil {
            throw PlanRefusal(
                "--find-max and --ledger contradict each other",
                hint: "a ledger holds one run, and each trial is one: find the rate first")
        }
        if requests.scenario != nil && requests.replay != nil {
            throw PlanRefusal(
                "--scenario and --replay contradict each other", hint: "give one")
        }
        if requests.pace != nil && (requests.replay == nil || !rates.isEmpty) {
            throw PlanRefusal(
                "--pace is how fast a log is replayed",
                hint: "give it with --replay FILE, and without --rate")
        }
        if let pace = requests.pace, !Self.paces.contains(pace) {
            throw PlanRefusal(
                "--pace \(pace): no log can be replayed at that",
                hint: "1 is as recorded, 10 ten times faster, 0.5 half as fast")
        }
        if load.count == 0 {
            throw PlanRefusal("-n 0: sends nothing", hint: "give at least 1")
        }
        if requests.data != nil && requests.dataFile != nil {
            throw PlanRefusal("-d and -D contradict each other", hint: "give one")
        }
        if !results.against.isEmpty && results.ledger == nil && load.findMax == nil {
            throw PlanRefusal(
                "--against needs a ledger to be held against it", hint: "add --ledger FILE")
        }
    }

    private func whole(
        _ value: Int, _ option: String, _ range: ClosedRange<Int>
    ) throws(PlanRefusal) -> Int {
        if range.contains(value) { return value }
        throw PlanRefusal(
            "\(option) \(value): must be \(range.lowerBound) to \(range.upperBound)",
            hint: "any number of that range will do")
    }

    // MARK: Rate and time

    /// The log whose times are to be kept.
    private func recordedLog() throws(LoadFailure) -> ReplayLog? {
        guard let path = requests.replay, requests.pace != nil else { return nil }
        return try ReplayLog(reading: path)
    }

    private func shape(_ scenario: Scenario?, _ log: ReplayLog?) throws(PlanRefusal) -> RateShape {
        if let log, let pace = requests.pace {
            // For the backlog and for what is shown; when a request is due the log says.
            return .constant(max(Double(log.count) / max(log.seconds, 1) * pace, 0.001))
        }
        if let text = load.rate { return try RateText.rate(text) }
        if let text = load.ramp { return try RateText.ramp(text) }
        if let text = load.step { return try RateText.steps(text) }
        return .constant(scenario?.rate ?? Self.defaultRate)
    }

    private struct Timing {
        /// Nil: ends when `requests` are sent.
        var seconds: Double?
        var requests: UInt64?
    }

    private func timing(_ shape: RateShape, _ count: UInt64?) throws(PlanRefusal) -> Timing {
        if let text = load.duration {
            return Timing(seconds: try LoadDuration.parse(text).seconds, requests: count)
        }
        if let count { return Timing(requests: count) }
        return Timing(seconds: shape.seconds ?? Self.defaultSeconds)
    }

    private func profile(
        _ shape: RateShape, _ scenario: Scenario?, _ timing: Timing
    ) throws -> RateProfile {
        if load.closed { return RateProfile(pieces: []) }
        if case .constant(let rate) = shape, let scenario {
            // By count it ends when they are due; that long it may take at the day's lowest rate.
            let seconds = timing.seconds ?? Double(timing.requests ?? 1) / rate * Self.slowest + 1
            return try RateProfile(scenario: scenario, rate: rate, seconds: seconds)
        }
        if let seconds = timing.seconds { return shape.profile(seconds: seconds) }
        return try shape.profile(requests: timing.requests ?? 1)
    }

    // MARK: Requests

    private func addRequests(to plan: inout LoadPlan, _ scenario: Scenario?) throws {
        plan.staysAwake = load.spin
        plan.timeoutSeconds = try LoadDuration.parse(load.timeout).seconds
        plan.arrivals = load.poisson || scenario?.arrivals == .poisson ? .poisson : .even
        plan.pipeline = try whole(load.pipeline ?? scenario?.pipeline ?? 1, "--pipeline", 1...1024)
        plan.requestsPerConnection = try load.requestsPerConnection.map {
            try whole($0, "--requests-per-connection", 1...Int.max)
        }
        plan.replay = requests.replay.map { LoadPlan.Replay(file: $0, pace: requests.pace) }
        plan.headers = try requests.header.map { try Self.header($0) }
        plan.body = try body()
        plan.method = try Self.method(requests.method ?? (plan.body.isEmpty ? "GET" : "POST"))
        plan.ledger = results.ledger
        plan.tls = LoadPlan.TLS(verifiesPeer: !requests.insecure, authorities: requests.cacert)
    }

    private func body() throws -> [UInt8] {
        if let text = requests.data { return Array(text.utf8) }
        guard let path = requests.dataFile else { return [] }
        do throws(Failure) {
            return try SmallFile.read(path)
        } catch {
            throw LoadFailure(
                "-D \(path): \(error.reason.lowercased())", hint: "name a file of at most 1 MiB",
                exitCode: LoadExit.noInput)
        }
    }

    private static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0)
            }
    }

    private static func method(_ text: String) throws(PlanRefusal) -> String {
        if isToken(text), text.utf8.count <= 32 { return text }
        throw PlanRefusal(
            "-m \(PlanRefusal.quoted(text)) is no HTTP method", hint: "as in -m POST")
    }

    /// "Name: value"
    private static func header(_ text: String) throws(PlanRefusal) -> LoadPlan.Header {
        let colon = text.firstIndex(of: ":")
        let name = text[..<(colon ?? text.startIndex)]
        let value = colon.map { text[text.index(after: $0)...].drop { $0 == " " } } ?? ""
        guard isToken(name), value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 9 }) else {
            throw PlanRefusal(
                "-H \(PlanRefusal.quoted(text)) is no header", hint: "as in -H 'X-Test: 1'")
        }
        return LoadPlan.Header(name: String(name), value: String(value))
    }
}

/// What --find-max was given.
struct RateSearchOptions {
    let expectations: [Expectation]
    let condition: String

    init(_ text: String, _ load: LoadOptions) throws {
        condition = text
        expectations = try Expectation.parse(text)
    }
}
