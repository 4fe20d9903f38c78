/// Why a plan's requests cannot be made.
struct TrafficFlaw: Error, Equatable, CustomStringConvertible {
    var message: String
    var hint: String

    init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }

    var description: String { "\(message)\n  hint: \(hint)" }
}
