import Platform

/// One connection of a generator thread. Lives in the thread's slab and never moves.
struct LoadConnection {
    enum State: UInt8 {
        /// No socket. `retryAtMs` says when the next attempt is due.
        case down
        case connecting
        case handshaking
        case open
        /// `didClose` is awaited.
        case closing
    }

    var stream = StreamStorage()
    let generator: Generating
    let index: UInt32
    var state = State.down
    /// Listed in `FreeConnections`. (It may have gone down since: then it is passed over.)
    var isListed = false
    /// Its socket stopped taking bytes: a queued write holds the rest.
    var isBlocked = false
    var inFlight: InFlight
    var reader = AnswerReader()
    var tls: UnsafeMutablePointer<TLSSession>?
    /// Which connection of its thread this is, counting reconnections.
    var ordinal: UInt64 = 0
    /// How many more requests it may send; nil: any number.
    var requestsLeft: Int?
    /// Since it was made an answer came on it.
    var hasAnswered = false
    /// Loop time from which it may connect again, and how long it waited before that.
    var retryAtMs: UInt64 = 0
    var retryDelayMs: UInt64 = 0

    /// Whether it can take a request now.
    var canSend: Bool {
        state == .open && !isBlocked && !inFlight.isFull && requestsLeft != 0
    }
}
