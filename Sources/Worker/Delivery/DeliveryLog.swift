import Core

/// Holds back repetitions: a trouble is told at once, then at most once in a while, with the number
/// of times it was not. Its end is told once for each time it was told.
struct DeliveryLog {
    private struct Topic {
        var name: String
        var toldAtMs: UInt64
        var withheld = 0
    }

    /// More kinds of trouble at once push out the one told longest ago.
    private static let topicsMax = 8

    private let everyMs: UInt64
    private var topics: [Topic] = []
    private var owesEnd = false

    init(everyMs: UInt64) { self.everyMs = everyMs }

    /// The line to write for this trouble, or nil. `topic` says what counts as the same.
    mutating func trouble(_ topic: String, _ text: String, nowMs: UInt64) -> String? {
        var line = text
        if let at = topics.firstIndex(where: { $0.name == topic }) {
            if nowMs < topics[at].toldAtMs + everyMs {
                topics[at].withheld += 1
                return nil
            }
            if topics[at].withheld > 0 { line += " (\(topics[at].withheld) more since)" }
            topics.remove(at: at)
        }
        if topics.count == Self.topicsMax { topics.removeFirst() }
        topics.append(Topic(name: topic, toldAtMs: nowMs))
        owesEnd = true
        return line
    }

    /// The line to write when all is well again, or nil when no trouble was told.
    mutating func end(_ text: @autoclosure () -> String) -> String? {
        defer { owesEnd = false }
        return owesEnd ? text() : nil
    }
}
