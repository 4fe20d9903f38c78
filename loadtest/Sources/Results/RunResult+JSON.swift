import Foundation

/// Why a file is not a result that can be read.
struct ResultFileError: Error, CustomStringConvertible, Equatable {
    let description: String
}

extension RunResult {
    /// The whole result: pretty, keys in alphabetical order, so that two files can be compared. The
    /// key `figures` holds what people look for first; it follows from the rest and is not read back.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return JSONLayout.pretty([UInt8](try encoder.encode(WithFigures(result: self))))
    }

    /// - Throws: `ResultFileError`, which says what is wrong with the file.
    init(json: [UInt8]) throws {
        let decoder = JSONDecoder()
        let data = Data(json)
        guard let head = try? decoder.decode(FormatHead.self, from: data) else {
            throw ResultFileError(
                description: "not a result of `hydrant load`: it must be a JSON object with "
                    + "`format` and `hydrantVersion`, as --json writes it")
        }
        guard head.format == Self.formatVersion else {
            throw ResultFileError(
                description: "a result of format \(head.format), made by Hydrant "
                    + "\(head.hydrantVersion); this one reads format \(Self.formatVersion): "
                    + "use the version that made it")
        }
        do {
            self = try decoder.decode(RunResult.self, from: data)
        } catch let error as DecodingError {
            throw ResultFileError(description: "a damaged result: \(error.place)")
        }
        try checkNumbers()
    }

    /// Reports add these up and draw them: what no run can have counted ends here.
    private func checkNumbers() throws {
        func check(_ isFine: Bool, _ what: String) throws {
            if !isFine { throw ResultFileError(description: "a damaged result: \(what)") }
        }
        let dictionaries =
            [totals.counters, totals.statuses] + seconds.flatMap { [$0.counters, $0.statuses] }
            + server.map(\.counters)
        for counts in dictionaries {
            for (name, count) in counts {
                try check(count <= LatencyCells.countMax, "\(name) is beyond 2^53")
            }
        }
        let time = 0.0...1e9
        try check(time.contains(elapsedSeconds), "elapsedSeconds is not 0 to 1e9")
        try check(startedAtMicroseconds < 1 << 62, "startedAtMicroseconds is beyond 2^62")
        for second in seconds {
            try check((0...1_000_000_000).contains(second.index), "index is not 0 to 1e9")
            try check(time.contains(second.spanSeconds), "spanSeconds is not 0 to 1e9")
            try check((0...1).contains(second.stolenShare ?? 0), "stolenShare is not 0 to 1")
            let levels = [second.backlog, second.inFlight, second.connectionsOpen]
            try check(levels.allSatisfy { $0 <= LatencyCells.countMax }, "a level is beyond 2^53")
        }
        try check(server.allSatisfy { time.contains($0.second) }, "a server sample's second")
        let ascending = zip(seconds, seconds.dropFirst()).allSatisfy { $0.index < $1.index }
        try check(ascending, "seconds must ascend")
    }
}

private struct FormatHead: Decodable {
    var format: Int
    var hydrantVersion: String
}

/// The result, and beside it what a reader would have to compute.
private struct WithFigures: Encodable {
    let result: RunResult

    enum Key: String, CodingKey { case figures }

    func encode(to encoder: any Encoder) throws {
        try result.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(ResultFigures(result), forKey: .figures)
    }
}

/// What scripts ask a result for: rates a second and milliseconds.
private struct ResultFigures: Encodable {
    var askedRate: Double
    var sentRate: Double
    var answeredRate: Double
    var successShare: Double
    var accepted: UInt64
    var bad: UInt64
    var refused: UInt64
    var errors: UInt64
    var unanswered: UInt64
    var responseMilliseconds: [String: Double]
    var serviceMilliseconds: [String: Double]
    var scheduleMilliseconds: [String: Double]
    /// Of `calmSeconds` seconds, in which the host took no CPU time; none where that is not known.
    var calmResponseMilliseconds: [String: Double]
    var calmSeconds: Int

    init(_ result: RunResult) {
        askedRate = result.askedRate
        sentRate = result.sentRate
        answeredRate = result.answeredRate
        successShare = result.successShare
        accepted = result.totals.answers(.accepted)
        bad = result.totals.answers(.bad)
        refused = result.totals.answers(.refused)
        errors = result.totals.errors
        unanswered = result.unanswered
        responseMilliseconds = Self.milliseconds(result.response)
        serviceMilliseconds = Self.milliseconds(result.service)
        scheduleMilliseconds = Self.milliseconds(result.schedule)
        calmResponseMilliseconds = Self.milliseconds(result.calmResponse)
        calmSeconds = result.calmSeconds.count
    }

    private static func milliseconds(_ cells: LatencyCells) -> [String: Double] {
        guard !cells.isEmpty else { return [:] }
        let distribution = LatencyDistribution(cells)
        var out = ["mean": distribution.mean / 1000]
        for percentile in [50, 90, 99, 99.9, 99.99] {
            out[NumberText.percentileName(percentile)] =
                Double(distribution.percentile(percentile)) / 1000
        }
        out["max"] = Double(distribution.maximum) / 1000
        return out
    }
}

extension DecodingError {
    /// Which key, and what is wrong with it, on one line.
    fileprivate var place: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(path(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(path(context.codingPath)): \(context.debugDescription)"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is not JSON" : "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default: "it cannot be read"
        }
    }

    private func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }
}
