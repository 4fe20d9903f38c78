/// How work is split: thread t of T takes requests t, t + T, t + 2T …, and its part of all that is
/// given for the run as a whole. The parts add up to the whole.
struct ThreadShare: Equatable, Sendable {
    /// Over all processes, 0 ..< threads.
    var thread: Int
    var threads: Int

    init(thread: Int, of threads: Int) {
        precondition(threads > 0 && (0..<threads).contains(thread))
        self.thread = thread
        self.threads = threads
    }

    /// The sequence of this thread's request `index` (0, 1, 2 …).
    func sequence(_ index: UInt64) -> UInt64 { UInt64(thread) + index * UInt64(threads) }

    /// How many of the requests 0 ..< total are this thread's.
    func requests(of total: UInt64) -> UInt64 {
        let (each, rest) = total.quotientAndRemainder(dividingBy: UInt64(threads))
        return each + (UInt64(thread) < rest ? 1 : 0)
    }

    /// Its part of connections, or of the requests that may wait.
    func part(of total: Int) -> Int { Int(requests(of: UInt64(max(0, total)))) }

    /// A thread without a connection could never send its requests.
    static func usableThreads(_ wanted: Int, connections: Int) -> Int {
        max(1, min(wanted, connections))
    }
}
