import CLibuv
import Glibc

/// A program run for what it prints, within limits: `credential_process`. Without a shell; its
/// standard input is /dev/null, and what it says on standard error is said on this process's.
///
/// It has a process group of its own, so that what it started dies with it when its time is over.
public struct ProgramRun {
    public struct Limits: Sendable {
        public var timeMs: UInt64
        public var outputBytesMax: Int

        public init(timeMs: UInt64 = 30_000, outputBytesMax: Int = 64 << 10) {
            self.timeMs = timeMs
            self.outputBytesMax = outputBytesMax
        }
    }

    public enum End: Sendable {
        /// What it printed; it exited with 0.
        case output([UInt8])
        /// For people, to stand behind its name.
        case failed(String)
    }

    /// Its output can outlive it, in the hands of something it started; that is not waited for.
    private static let afterExitMs: UInt64 = 500

    private struct Storage {
        var limits: Limits
        var owner: UnsafeMutableRawPointer
        var done: OwnerCall
        let stream = Stream.allocate()
        var timer: Timer
        var pid: Int32 = 0
        var output: [UInt8] = []
        var outputEnded = false
        var exit: ChildEnd?
        var end: End?
        var isStreamClosed = false
        var isClosed = false
    }

    private let storage: UnsafeMutablePointer<Storage>

    private init(_ raw: UnsafeMutableRawPointer) {
        storage = raw.assumingMemoryBound(to: Storage.self)
    }

    /// Starts it; `done` follows once, in a later turn, and then `end` is there.
    ///
    /// - Parameter words: the program, looked up on PATH, and its arguments.
    public init(
        _ words: [String], limits: Limits = Limits(), in loop: Loop,
        owner: UnsafeMutableRawPointer, done: @escaping OwnerCall
    ) throws(Failure) {
        var pipe: (uv_file, uv_file) = (-1, -1)
        try uv(
            "uv_pipe",
            withUnsafeMutablePointer(to: &pipe) {
                $0.withMemoryRebound(to: uv_file.self, capacity: 2) {
                    uv_pipe($0, Int32(UV_NONBLOCK_PIPE.rawValue), 0)
                }
            })
        defer { Glibc.close(pipe.1) }
        storage = .allocate(capacity: 1)
        let raw = UnsafeMutableRawPointer(storage)
        storage.initialize(
            to: Storage(
                limits: limits, owner: owner, done: done,
                timer: Timer(in: loop, owner: raw, fire: { ProgramRun($0).timeIsOver() })))
        do throws(Failure) {
            try storage.pointee.stream.openUnix(
                descriptor: pipe.0, in: loop, owner: raw, events: Self.events)
            storage.pointee.pid = try spawn(
                path: words[0], arguments: words, descriptors: [-1, pipe.1, 2],
                ownGroup: true, in: loop, owner: raw,
                exited: { owner, _, status, signal in
                    ProgramRun(owner).didExit(ChildEnd(status: status, signal: signal))
                })
            try storage.pointee.stream.startReading()
        } catch {
            if storage.pointee.pid == 0 { storage.pointee.exit = ChildEnd(status: 0, signal: 0) }
            close()
            throw error
        }
        storage.pointee.timer.start(afterMs: limits.timeMs)
    }

    /// Nil until `done`.
    public var end: End? { storage.pointee.end }

    /// Forgets it, and kills it if it still runs; `done` is not called any more.
    public func close() {
        storage.pointee.isClosed = true
        killGroup()
        storage.pointee.timer.close()
        storage.pointee.stream.close()
    }

    // MARK: What happens

    private func killGroup() {
        // Once it has been reaped its number may be another's; its group's too.
        let pid = storage.pointee.pid
        if pid > 0, storage.pointee.exit == nil { kill(-pid, SIGKILL) }
    }

    private func didRead(_ bytes: UnsafeRawBufferPointer) {
        guard storage.pointee.end == nil else { return }
        storage.pointee.output += bytes
        if storage.pointee.output.count > storage.pointee.limits.outputBytesMax {
            let limit = storage.pointee.limits.outputBytesMax
            finish(.failed("printed more than \(limit) bytes"))
        }
    }

    private func didEnd() {
        storage.pointee.outputEnded = true
        settle()
    }

    private func didExit(_ exit: ChildEnd) {
        storage.pointee.exit = exit
        if storage.pointee.isClosed {
            freeIfOver()
            return
        }
        if storage.pointee.end == nil { storage.pointee.timer.start(afterMs: Self.afterExitMs) }
        settle()
    }

    private func timeIsOver() {
        guard storage.pointee.end == nil else { return }
        if storage.pointee.exit != nil {
            storage.pointee.outputEnded = true
            settle()
        } else {
            finish(.failed("did not end within \(storage.pointee.limits.timeMs / 1000) s"))
        }
    }

    private func settle() {
        guard storage.pointee.end == nil, storage.pointee.outputEnded,
            let exit = storage.pointee.exit
        else { return }
        if exit.signal != 0 {
            finish(.failed("was killed by signal \(exit.signal)"))
        } else if exit.status != 0 {
            finish(.failed("exited with status \(exit.status)"))
        } else {
            finish(.output(storage.pointee.output))
        }
    }

    private func finish(_ end: End) {
        storage.pointee.end = end
        storage.pointee.timer.stop()
        killGroup()
        storage.pointee.done(storage.pointee.owner)
    }

    private func didClose() {
        storage.pointee.isStreamClosed = true
        freeIfOver()
    }

    private func freeIfOver() {
        guard storage.pointee.isStreamClosed, storage.pointee.exit != nil else { return }
        storage.pointee.stream.deallocate()
        storage.deinitialize(count: 1)
        storage.deallocate()
    }

    nonisolated(unsafe) private static let events: UnsafePointer<StreamEvents> = {
        let table = UnsafeMutablePointer<StreamEvents>.allocate(capacity: 1)
        table.initialize(
            to: StreamEvents(
                didRead: { owner, bytes, count in
                    ProgramRun(owner).didRead(UnsafeRawBufferPointer(start: bytes, count: count))
                },
                didEnd: { owner, _ in ProgramRun(owner).didEnd() },
                didClose: { owner in ProgramRun(owner).didClose() }))
        return UnsafePointer(table)
    }()
}
