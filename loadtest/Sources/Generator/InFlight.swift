/// A request that was sent and is not answered.
struct SentRequest {
    var sequence: UInt64
    /// In ns of CLOCK_MONOTONIC; closed model: the same as `sent`.
    var due: UInt64
    var sent: UInt64
    var answerHasNoBody: Bool
}

/// What a connection has in flight, in the order the answers come.
struct InFlight {
    private let places: UnsafeMutablePointer<SentRequest>
    private let limit: Int
    private var first = 0
    private(set) var count = 0

    /// Memory of the caller's, `limit` places.
    init(at places: UnsafeMutablePointer<SentRequest>, limit: Int) {
        self.places = places
        self.limit = limit
    }

    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count == limit }
    /// The one whose answer comes next. Only when there is one.
    var oldest: SentRequest { places[first] }

    @inline(__always)
    mutating func push(_ request: SentRequest) {
        var at = first + count
        if at >= limit { at -= limit }
        (places + at).initialize(to: request)
        count += 1
    }

    @inline(__always)
    mutating func pop() -> SentRequest {
        let request = places[first]
        first = first + 1 == limit ? 0 : first + 1
        count -= 1
        return request
    }
}
