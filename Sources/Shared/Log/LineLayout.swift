import Core
import Glibc
import Logging

/// How a line looks. Pure: the time is given.
///
///     2026-11-23T01:02:03.123Z INFO  worker 0 [4711]: message key=value
///     {"time":"2026-11-23T01:02:03.123Z","level":"info","process":"worker 0","pid":4711,…}
///     <6>worker 0 [4711]: message key=value        (under systemd, which keeps the time itself)
struct LineLayout: Sendable {
    /// With the line end. A pipe takes this much in one piece (PIPE_BUF is 4096), so that lines of
    /// several processes never mix.
    static let byteCountMax = 2048

    /// What `auto` is decided by.
    struct Surroundings: Sendable {
        var isTerminal = false
        var isJournal = false
        var noColor = false
    }

    enum Style { case text, colored, journal, json }

    let process: String
    let pid: Int32
    let style: Style
    private let surroundings: Surroundings

    init(process: String, pid: Int32, format: Settings.LogFormat, surroundings: Surroundings) {
        self.process = process
        self.pid = pid
        self.surroundings = surroundings
        let colored = surroundings.isTerminal && !surroundings.noColor
        style =
            switch format {
            case .json: .json
            case .auto where surroundings.isJournal: .journal
            case .auto, .text: colored ? .colored : .text
            }
    }

    /// The same process where it is, with another setting.
    func with(format: Settings.LogFormat) -> LineLayout {
        LineLayout(process: process, pid: pid, format: format, surroundings: surroundings)
    }

    /// The line with its line end, at most `byteCountMax` bytes.
    func bytes(for line: LogLine, timeMs: UInt64) -> [UInt8] {
        style == .json ? json(line, timeMs: timeMs) : text(line, timeMs: timeMs)
    }

    private func text(_ line: LogLine, timeMs: UInt64) -> [UInt8] {
        let word = Self.word(for: line.level)
        var out = BoundedLine(byteCountMax: Self.byteCountMax - 1)
        switch style {
        case .journal:
            out.append("<\(Self.priority(of: line.level))>")
        case .colored:
            out.append("\(Self.timestamp(timeMs)) \(Self.color(of: line.level))\(word)\u{1B}[0m ")
        case .text, .json:
            out.append("\(Self.timestamp(timeMs)) \(word) ")
        }
        out.append("\(process) [\(pid)]: ")
        out.appendEscaped(line.message)
        for (key, value) in line.fields {
            out.append(" ")
            out.appendEscaped(key)
            out.append("=")
            let needsQuotes =
                value.isEmpty || value.utf8.contains { $0 == 32 || $0 == 34 || $0 == 61 }
            if needsQuotes { out.append("\"") }
            out.appendEscaped(value, quotes: needsQuotes)
            if needsQuotes { out.append("\"") }
        }
        return out.finished
    }

    private func json(_ line: LogLine, timeMs: UInt64) -> [UInt8] {
        var out = BoundedLine(byteCountMax: Self.byteCountMax - 2)
        out.append("{\"time\":\"\(Self.timestamp(timeMs))\",\"level\":\"\(line.level)\",")
        out.append("\"process\":\"\(process)\",\"pid\":\(pid),\"message\":")
        out.appendJSON(line.message)
        for (key, value) in line.fields {
            // A field that does not fit is left out: half a field is no JSON.
            out.appendJSONField(key, value)
        }
        return out.closed(with: "}")
    }

    // MARK: Words

    static func word(for level: Logger.Level) -> String {
        switch level {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO "
        case .notice: "NOTE "
        case .warning: "WARN "
        case .error: "ERROR"
        case .critical: "FATAL"
        }
    }

    /// syslog's numbers.
    private static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func color(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31;1m"
        }
    }

    /// Milliseconds since 1970 as "2026-11-23T01:02:03.123Z".
    static func timestamp(_ timeMs: UInt64) -> String {
        let days = Int(timeMs / 86_400_000)
        let (year, month, day) = civil(daysSince1970: days)
        let ms = Int(timeMs % 86_400_000)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + "\(padded(ms / 3_600_000, 2)):\(padded(ms / 60_000 % 60, 2)):"
            + "\(padded(ms / 1000 % 60, 2)).\(padded(ms % 1000, 3))Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days since 1970 as a date (Hinnant's algorithm, for dates after 1970).
    private static func civil(daysSince1970 days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension LineLayout.Surroundings {
    static func current() -> Self {
        var found = Self()
        found.isTerminal = isatty(STDERR_FILENO) == 1
        found.noColor = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        if let term = getenv("TERM"), strcmp(term, "dumb") == 0 { found.noColor = true }
        found.isJournal = isJournal()
        return found
    }

    /// systemd names the device and inode of the stream it gave us; a redirected stderr differs.
    private static func isJournal() -> Bool {
        guard let named = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return String(cString: named) == "\(status.st_dev):\(status.st_ino)"
    }
}
