/// What a command asks of a running cluster: one line over the control socket.
///
///     status               one line of JSON
///     status table         the same for a person
///     flush <timeout ms>   lines "progress …", then "done …", "stuck …" or "stopping …"
///     stop, stop now,      lines "progress …" while rows are delivered, then "done …" when all have
///     stop deliver,        left, or "left …" when rows were to be delivered and were not
///     stop keep            or "refused …" when it is too late for that wish
///     reload               lines "problem …" and "hint …", then "refused …"; or "done …", "failed …"
///                          or "stopping …"
///
/// Then the supervisor closes.
enum ControlRequest: Equatable {
    case status
    case statusTable
    case flush(timeoutMs: UInt64)
    case stop
    case stopNow
    /// Whatever `on_stop` says.
    case stopDeliver
    case stopKeep
    case reload

    static let lineBytesMax = 256
    static let flushTimeoutMsMax: UInt64 = 24 * 3600 * 1000

    init?(line: String) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("status", 1): self = .status
        case ("status", 2) where words[1] == "table": self = .statusTable
        case ("stop", 1): self = .stop
        case ("stop", 2) where words[1] == "now": self = .stopNow
        case ("stop", 2) where words[1] == "deliver": self = .stopDeliver
        case ("stop", 2) where words[1] == "keep": self = .stopKeep
        case ("reload", 1): self = .reload
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
        case .stopDeliver: "stop deliver"
        case .stopKeep: "stop keep"
        case .reload: "reload"
        }
    }
}
