/// Lets identical lines through once in ten seconds and counts the others. Pure: the time is given.
struct RepeatFilter {
    static let windowMs: UInt64 = 10_000
    /// Lines watched at once; the oldest is forgotten first.
    static let linesMax = 64

    private struct Watched {
        var identity: String
        var line: LogLine
        var sinceMs: UInt64
        var suppressed = 0
    }

    /// A line to write, and how often it came besides since it was last written.
    struct Due {
        var line: LogLine
        var repeats: Int
    }

    /// Oldest first.
    private var watched: [Watched] = []

    /// What is to be written now that this line has come: first those whose ten seconds are over
    /// and that came again meanwhile, then this one, unless it came within the ten seconds.
    mutating func arrived(_ line: LogLine, nowMs: UInt64) -> [Due] {
        var due = takeOver(nowMs: nowMs)
        let identity = line.identity
        if let index = watched.firstIndex(where: { $0.identity == identity }) {
            watched[index].suppressed += 1
            return due
        }
        if watched.count == Self.linesMax {
            let oldest = watched.removeFirst()
            if oldest.suppressed > 0 {
                due.append(Due(line: oldest.line, repeats: oldest.suppressed))
            }
        }
        watched.append(Watched(identity: identity, line: line, sinceMs: nowMs))
        due.append(Due(line: line, repeats: 0))
        return due
    }

    /// Everything that was counted and not told yet.
    mutating func flush() -> [Due] {
        defer { watched.removeAll() }
        return watched.filter { $0.suppressed > 0 }.map {
            Due(line: $0.line, repeats: $0.suppressed)
        }
    }

    /// Forgets the lines whose window is over. A clock that went backwards ends windows too.
    private mutating func takeOver(nowMs: UInt64) -> [Due] {
        func isOver(_ entry: Watched) -> Bool {
            nowMs < entry.sinceMs || nowMs - entry.sinceMs >= Self.windowMs
        }
        let over = watched.filter(isOver)
        watched.removeAll(where: isOver)
        return over.filter { $0.suppressed > 0 }.map { Due(line: $0.line, repeats: $0.suppressed) }
    }
}
