/// Why a ledger cannot be written, or cannot be held against anything: in words, with the remedy.
struct LedgerFailure: Error, Equatable, CustomStringConvertible {
    var message: String
    var hint: String

    var description: String { "error: \(message)\nhint: \(hint)" }
}
