import Synchronization

/// The memory that generator threads, in whatever process, share with the one that watches them.
/// Each thread has its own section and is its only writer; the reader takes sums.
///
///     0        magic, version, threads            written once, before any thread starts
///     64       start time, ns of CLOCK_MONOTONIC  0 until all are ready
///     72       stop word                          0 run, 1 end the run early
///     4096     section of thread 0, whole pages:
///                words      one a `LoadCounter`, then one a status code (0 …< 600)
///                cells      of `Latency` response, service, schedule, one array after another
struct LoadBoard: @unchecked Sendable {
    static let magic: UInt64 = 0x3130_4c48_5244_5948  // "HYDRHL01"
    static let statusCodes = 600
    private static let headerBytes = 4096
    private static let startOffset = 64
    private static let stopOffset = 72

    /// The distributions a thread keeps, each in cells of `LatencyScale`.
    enum Latency: Int, CaseIterable, Codable {
        /// From the time the request was due to the end of its answer. Closed model: as `service`.
        case response
        /// From the time it was written to the end of its answer.
        case service
        /// From the time it was due to the moment the thread got to it: the generator's own error.
        case schedule
    }

    typealias Word = Atomic<UInt64>

    let base: UnsafeMutableRawPointer
    let threads: Int

    private static let words = LoadCounter.allCases.count + statusCodes
    private static let sectionBytes =
        ((words + Latency.allCases.count * LatencyScale.cellCount) * 8 + 4095) & ~4095

    static func byteCount(threads: Int) -> Int { headerBytes + threads * sectionBytes }

    /// Lays out fresh, zeroed memory of `byteCount(threads:)`.
    init(creatingAt base: UnsafeMutableRawPointer, threads: Int) {
        self.base = base
        self.threads = threads
        base.storeBytes(of: Self.magic, as: UInt64.self)
        base.storeBytes(of: UInt64(threads), toByteOffset: 8, as: UInt64.self)
    }

    /// Memory that another process laid out; nil when it is not such memory.
    init?(openingAt base: UnsafeMutableRawPointer, byteCount: Int) {
        guard byteCount >= Self.headerBytes, base.load(as: UInt64.self) == Self.magic else {
            return nil
        }
        let threads = base.load(fromByteOffset: 8, as: UInt64.self)
        guard threads <= 65_536, byteCount >= Self.byteCount(threads: Int(threads)) else {
            return nil
        }
        self.base = base
        self.threads = Int(threads)
    }

    private func word(at offset: Int) -> UnsafeMutablePointer<Word> {
        (base + offset).assumingMemoryBound(to: Word.self)
    }

    /// When the run's clock is zero, in ns of CLOCK_MONOTONIC; 0 while threads get ready.
    var startNanoseconds: UInt64 {
        get { word(at: Self.startOffset).pointee.load(ordering: .acquiring) }
        nonmutating set {
            word(at: Self.startOffset).pointee.store(newValue, ordering: .releasing)
        }
    }

    /// Whether the run is to end before its time.
    var mustStop: Bool {
        get { word(at: Self.stopOffset).pointee.load(ordering: .relaxed) != 0 }
        nonmutating set {
            word(at: Self.stopOffset).pointee.store(newValue ? 1 : 0, ordering: .relaxed)
        }
    }

    func section(_ thread: Int) -> Section {
        precondition((0..<threads).contains(thread))
        return Section(
            words: word(at: Self.headerBytes + thread * Self.sectionBytes))
    }

    /// One thread's part. Its thread alone writes: counting is a plain load and store.
    struct Section: @unchecked Sendable {
        let words: UnsafeMutablePointer<Word>

        @inline(__always)
        func add(_ amount: UInt64 = 1, to counter: LoadCounter) { bump(counter.rawValue, amount) }

        @inline(__always)
        func set(_ counter: LoadCounter, to value: UInt64) {
            words[counter.rawValue].store(value, ordering: .relaxed)
        }

        @inline(__always)
        func count(status: Int) {
            bump(LoadCounter.allCases.count + min(max(status, 0), LoadBoard.statusCodes - 1), 1)
        }

        @inline(__always)
        func record(_ latency: Latency, nanoseconds: UInt64) {
            bump(
                Self.firstCell(latency)
                    + LatencyScale.cell(ofMicroseconds: nanoseconds / 1000), 1)
        }

        func value(_ counter: LoadCounter) -> UInt64 {
            words[counter.rawValue].load(ordering: .relaxed)
        }

        func answers(status: Int) -> UInt64 {
            words[LoadCounter.allCases.count + status].load(ordering: .relaxed)
        }

        /// How often the values of a cell were recorded.
        func count(_ latency: Latency, cell: Int) -> UInt64 {
            words[Self.firstCell(latency) + cell].load(ordering: .relaxed)
        }

        private static func firstCell(_ latency: Latency) -> Int {
            LoadBoard.words + latency.rawValue * LatencyScale.cellCount
        }

        @inline(__always)
        private func bump(_ index: Int, _ amount: UInt64) {
            let word = words + index
            word.pointee.store(word.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
        }
    }
}
