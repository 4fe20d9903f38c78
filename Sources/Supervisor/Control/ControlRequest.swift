/// What a command asks of a running cluster: one line over the control socket.
///
///     status               one line of JSON
///     status table         the same for a person
///     flush <timeout ms>   lines "progress …", then "done …" or "stuck …"
///     stop, stop now       a line "done …" when all have left
///
/// Then the supervisor closes.
enum ControlRequest: Equatable {
    case status
    case statusTable
    case flush(timeoutMs: UInt64)
    case stop
    case stopNow

    static let lineBytesMax = 256
    static let flushTimeoutMsMax: UInt64 = 24 * 3600 * 1000

    init?(line: String) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("status", 1): self = .status
        case ("status", 2) where words[1] == "table": self = .statusTable
        case ("stop", 1): self = .stop
        case ("stop", 2) where words[1] == "now": self = .stopNow
        case ("flush", 2):
            guard let ms = UInt64(words[1]), ms <= Self.flushTimeoutMsMax else { return nil }
            self = .flush(timeoutMs: ms)
        default: return nil
        }
    }

    var line: String {
        switch self {
        case .status: "status"
        case .statusTable: "status table"
        case .flush(let timeoutMs): "flush \(timeoutMs)"
        case .stop: "stop"
        case .stopNow: "stop now"
        }
    }
}
