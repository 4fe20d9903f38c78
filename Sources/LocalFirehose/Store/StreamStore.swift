import Core
import Glibc
import Platform

/// Everything the local Firehose keeps: streams with their buffers, the objects made of them, and
/// the warehouse they are loaded into. No sockets and no timers: its owner calls `step` while there
/// is work, and `sealDue` now and then.
///
///     local/streams/NAME/   stream.json, buffer-…
///     s3/BUCKET/…           objects
///     warehouse.db          rows
final class StreamStore {
    enum Sink { case warehouse, objects, discard }

    struct Options {
        var dataFolder: String
        var sink: Sink
        var bufferIntervalMs: UInt64 = 2000
        /// A buffer this long becomes an object at once.
        var bufferBytesMax = 5 << 20
        /// Buffers that wait to be made objects and loaded; beyond it calls are answered "Slow
        /// down.", so that a loader that cannot keep up does not fill the disk.
        var backlogBytesMax = 1 << 30
        /// As the service's default quota was; each costs a folder and, while it fills, a file.
        var streamsMax = 500
        var good: WarehouseTable
        var bad: WarehouseTable
    }

    let options: Options
    let warehouse: Warehouse?
    private let counters: CounterPage
    private let log: (String) -> Void
    private let streamsFolder: String
    private let bucketsFolder: String
    private let lock: Int32
    private(set) var streams: [String: DeliveryStream] = [:]
    private var jobs: [ObjectJob] = []
    private var jobsDone = 0
    /// Bytes of sealed buffers whose job is not done.
    private(set) var backlogBytes = 0
    /// Why the oldest job cannot go on, in words; nil while all is well.
    private(set) var trouble: String?

    /// Opens the folder, finds the streams that are there, adds the configured ones, and queues
    /// every buffer that an earlier process left.
    ///
    /// Throws `Failure`, `DatabaseFailure`, or `StoreFailure` when another process has the folder.
    init(
        options: Options, goodStreams: [String], badStreams: [String], counters: CounterPage,
        log: @escaping (String) -> Void
    ) throws {
        self.options = options
        self.counters = counters
        self.log = log
        streamsFolder = options.dataFolder + "/local/streams"
        bucketsFolder = options.dataFolder + "/s3"
        try Files.makeFolders(streamsFolder)
        lock = try FolderLock.take(options.dataFolder + "/local/lock")
        warehouse = options.sink == .warehouse ? try Self.openWarehouse(options) : nil
        try openKeptStreams()
        for name in goodStreams { try configure(name, .good) }
        for name in badStreams { try configure(name, .bad) }
        queueLeftBuffers()
    }

    deinit { Files.close(lock) }

    private static func openWarehouse(_ options: Options) throws -> Warehouse {
        let path = options.dataFolder + "/warehouse.db"
        // SQLite would make it readable by everyone; its log takes the rights of this file.
        Files.close(try Files.open(path, O_RDWR | O_CREAT))
        return try Warehouse(path: path, good: options.good, bad: options.bad)
    }

    private func openKeptStreams() throws {
        for name in Files.names(in: streamsFolder) {
            let path = "\(streamsFolder)/\(name)/stream.json"
            guard let bytes = try Files.contents(path) else { continue }
            guard let definition = StreamDefinition(file: bytes), definition.name == name else {
                log("\(path) is damaged: the stream is not served. Repair or remove its folder.")
                continue
            }
            streams[name] = try DeliveryStream(
                definition: definition, streamsFolder: streamsFolder)
        }
    }

    private func configure(_ name: String, _ kind: StreamDefinition.Kind) throws {
        guard StreamDefinition.isName(name) else { throw StoreFailure.streamName(name) }
        if let kept = streams[name], kept.definition.kind == kind { return }
        try add(
            .configured(
                name: name, kind: kind,
                nowSeconds: Int64(realtimeMicroseconds() / 1_000_000)))
    }

    private func queueLeftBuffers() {
        for stream in streams.values.sorted(by: { $0.definition.name < $1.definition.name }) {
            for buffer in DeliveryStream.buffers(in: stream.folder) { queue(buffer, of: stream) }
        }
    }

    /// A new stream, kept from now on.
    func add(_ definition: StreamDefinition) throws {
        streams[definition.name] = try DeliveryStream(
            definition: definition, streamsFolder: streamsFolder)
    }

    // MARK: Records in

    var isBacklogFull: Bool { backlogBytes > options.backlogBytesMax }

    /// Writes a call's records, head of the frame included, to the stream's buffer file. When this
    /// returns they survive the death of the process.
    func append(
        frame: UnsafeRawBufferPointer, to stream: DeliveryStream, nowMs: UInt64
    ) throws(Failure) {
        try stream.append(frame: frame, nowMs: nowMs)
        if let open = stream.open, open.byteCount >= options.bufferBytesMax { seal(stream) }
    }

    /// Ends the buffers that are old enough.
    func sealDue(nowMs: UInt64) {
        for stream in streams.values {
            guard let open = stream.open else { continue }
            if nowMs >= open.openedAtMs + options.bufferIntervalMs { seal(stream) }
        }
    }

    func sealAll() { for stream in streams.values { seal(stream) } }

    private func seal(_ stream: DeliveryStream) {
        if let buffer = stream.seal() { queue(buffer, of: stream) }
    }

    private func queue(_ buffer: ObjectName, of stream: DeliveryStream) {
        let job = ObjectJob(
            buffer: buffer, of: stream.definition, folder: stream.folder,
            bucketsFolder: bucketsFolder, warehouse: warehouse)
        backlogBytes += job.bufferBytes
        jobs.append(job)
    }

    // MARK: Objects and rows out

    var hasWork: Bool { jobsDone < jobs.count }
    /// Grows by one for each job; with `finishedJobs` it tells when all that was queued by now is
    /// done.
    private(set) var finishedJobs: UInt64 = 0
    var queuedJobs: UInt64 { finishedJobs + UInt64(jobs.count - jobsDone) }

    /// Works on the oldest job until the deadline of the monotonic clock, at least one small piece.
    /// False when it cannot go on for now: `trouble` says why, and a later call tries again.
    func step(untilNanoseconds deadline: UInt64) -> Bool {
        while hasWork {
            do {
                if try jobs[jobsDone].step() == .done { finishJob() }
                trouble = nil
            } catch {
                let words = "\(jobs[jobsDone].bufferPath): \(error)"
                if words != trouble { log("cannot finish an object, trying again: \(words)") }
                trouble = words
                return false
            }
            if monotonicNanoseconds() >= deadline { break }
        }
        return true
    }

    private func finishJob() {
        let job = jobs[jobsDone]
        if job.madeObject { counters.add(to: .localObjects) }
        counters.add(UInt64(job.rowsLoaded), to: .localRowsLoaded)
        counters.add(UInt64(job.rowsRejected), to: .localRowsRejected)
        backlogBytes -= job.bufferBytes
        finishedJobs += 1
        jobsDone += 1
        if jobsDone == jobs.count || jobsDone >= 1024 {
            jobs.removeFirst(jobsDone)
            jobsDone = 0
        }
    }
}

/// Why a store cannot be opened.
enum StoreFailure: Error, CustomStringConvertible {
    case locked(path: String, holder: String)
    case streamName(String)

    var description: String {
        switch self {
        case .locked(let path, let holder):
            "\(path) is held by process \(holder): another local Firehose uses this data folder. "
                + "Stop it, or give this cluster another `data` folder."
        case .streamName(let name):
            "\"\(name)\" cannot be a stream's name: use 1 to 64 of a-z, A-Z, 0-9, _, . and -"
        }
    }
}

/// One local Firehose a data folder.
enum FolderLock {
    /// Waits up to five seconds for a predecessor that is just leaving.
    static func take(_ path: String) throws -> Int32 {
        let descriptor = try Files.open(path, O_RDWR | O_CREAT)
        for _ in 0..<100 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                try Files.cut(descriptor, to: 0)
                try Array("\(getpid())\n".utf8).withUnsafeBytes {
                    try Files.write($0, to: descriptor)
                }
                return descriptor
            }
            usleep(50_000)
        }
        let holder = (try? Files.contents(path)).flatMap { $0 } ?? []
        Files.close(descriptor)
        let words = String(decoding: holder.prefix { $0 != 0x0a }, as: UTF8.self)
        throw StoreFailure.locked(path: path, holder: words.isEmpty ? "?" : words)
    }
}
