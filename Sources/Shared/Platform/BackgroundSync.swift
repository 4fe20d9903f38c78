import CLibuv
import Glibc

/// Makes files durable on libuv's thread pool, where fdatasync(2) keeps nobody waiting. Up to two files
/// at a time, one after the other.
///
/// The files stay open until it is done: that is the caller's to see.
public struct BackgroundSync {
    /// −1 where there is no file to sync.
    private struct Job {
        var file: Int32 = -1
        var failure: Failure?

        mutating func run() {
            failure = nil
            if file < 0 { return }
            do throws(Failure) {
                try Files.syncData(file)
            } catch {
                failure = error
            }
        }
    }

    private struct Storage {
        var request = uv_work_t()
        let loop: Loop
        let owner: UnsafeMutableRawPointer
        let done: OwnerCall
        var first = Job()
        var second = Job()
        var nanoseconds: UInt64 = 0
        var isUnderWay = false
    }

    private let storage: UnsafeMutablePointer<Storage>

    /// `done` follows each `start`, in a later turn. Lives as long as its process.
    public init(in loop: Loop, owner: UnsafeMutableRawPointer, done: @escaping OwnerCall) {
        storage = .allocate(capacity: 1)
        storage.initialize(to: Storage(loop: loop, owner: owner, done: done))
        storage.pointee.request.data = UnsafeMutableRawPointer(storage)
    }

    private init(data: UnsafeMutableRawPointer?) {
        storage = data!.assumingMemoryBound(to: Storage.self)
    }

    public var isUnderWay: Bool { storage.pointee.isUnderWay }
    /// Why the file given first, or second, is not durable; nil when it is. Of the last sync.
    public var firstFailure: Failure? { storage.pointee.first.failure }
    public var secondFailure: Failure? { storage.pointee.second.failure }
    /// How long the last sync took, both files together.
    public var nanoseconds: UInt64 { storage.pointee.nanoseconds }

    public func start(_ first: Int32, _ second: Int32) {
        precondition(!isUnderWay, "one sync at a time")
        storage.pointee.first.file = first
        storage.pointee.second.file = second
        storage.pointee.isUnderWay = true
        must(
            "uv_queue_work",
            uv_queue_work(
                storage.pointee.loop.raw, &storage.pointee.request,
                { BackgroundSync(data: $0!.pointee.data).work() },
                { request, _ in BackgroundSync(data: request!.pointee.data).finish() }))
    }

    /// On the pool's thread, which alone touches the jobs meanwhile.
    private func work() {
        let start = monotonicNanoseconds()
        storage.pointee.first.run()
        storage.pointee.second.run()
        storage.pointee.nanoseconds = monotonicNanoseconds() - start
    }

    private func finish() {
        storage.pointee.isUnderWay = false
        storage.pointee.done(storage.pointee.owner)
    }
}
