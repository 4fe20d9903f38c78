import Logging

/// One message before it is laid out.
struct LogLine: Sendable {
    var level: Logger.Level
    var message: String
    /// Sorted by key.
    var fields: [(key: String, value: String)]

    /// What makes two lines identical, whenever they were written.
    var identity: String {
        fields.reduce(into: "\(level.rawValue) \(message)") {
            $0 += "\u{0}\($1.key)\u{0}\($1.value)"
        }
    }
}
