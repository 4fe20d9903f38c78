/// Requests that are due and wait for a free connection, oldest first. Bounded: memory is reserved
/// once, and touched only as far as it is used.
struct Backlog {
    struct Waiting {
        var sequence: UInt64
        /// In ns of CLOCK_MONOTONIC.
        var due: UInt64
    }

    private let places: UnsafeMutablePointer<Waiting>
    let limit: Int
    private var first = 0
    private(set) var count = 0

    init(limit: Int) {
        self.limit = limit
        places = .allocate(capacity: max(limit, 1))
    }

    var isEmpty: Bool { count == 0 }

    /// False when there is no room.
    mutating func push(_ waiting: Waiting) -> Bool {
        if count == limit { return false }
        var at = first + count
        if at >= limit { at -= limit }
        (places + at).initialize(to: waiting)
        count += 1
        return true
    }

    /// The oldest. Only when there is one.
    mutating func pop() -> Waiting {
        precondition(count > 0)
        let waiting = places[first]
        first = first + 1 == limit ? 0 : first + 1
        count -= 1
        return waiting
    }

    mutating func removeAll() { (first, count) = (0, 0) }

    func free() { places.deallocate() }
}
