/// Connections that can take a request, in the order they became free: load goes round all of them,
/// as it does from as many clients. Each is in it at most once.
struct FreeConnections {
    private let places: UnsafeMutablePointer<UInt32>
    private let limit: Int
    private var first = 0
    private(set) var count = 0

    init(limit: Int) {
        self.limit = limit
        places = .allocate(capacity: max(limit, 1))
    }

    mutating func push(_ connection: UInt32) {
        precondition(count < limit)
        var at = first + count
        if at >= limit { at -= limit }
        (places + at).initialize(to: connection)
        count += 1
    }

    mutating func pop() -> UInt32? {
        if count == 0 { return nil }
        let connection = places[first]
        first = first + 1 == limit ? 0 : first + 1
        count -= 1
        return connection
    }

    func free() { places.deallocate() }
}
