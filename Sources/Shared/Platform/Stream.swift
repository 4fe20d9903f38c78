import CLibuv
import CLinux
import Glibc

/// What a stream tells its owner. C function pointers and the owner's address: nothing is captured,
/// so nothing is counted. One table a kind of owner, made at compile time.
public struct StreamEvents: Sendable {
    public typealias Owner = UnsafeMutableRawPointer

    /// Where the next read may land; nil means the loop's shared buffer (64 KiB).
    public var provideBuffer:
        (
            @convention(c) @Sendable (
                Owner, UnsafeMutablePointer<UnsafeMutableRawPointer?>, UnsafeMutablePointer<Int>
            ) -> Void
        )?
    /// `count` bytes (≥ 1) are at the address; with the shared buffer, only until this returns.
    public var didRead: @convention(c) @Sendable (Owner, UnsafeMutableRawPointer, Int) -> Void
    /// Reading is over: `endOfFile`, or a negative libuv code. Called once; the stream is still to
    /// be closed by its owner.
    public var didEnd: @convention(c) @Sendable (Owner, Int32) -> Void
    /// A queued write left for the kernel (0), or failed (negative).
    public var didWrite: (@convention(c) @Sendable (Owner, Int32) -> Void)?
    /// The outcome of `connect`: 0, or a negative libuv code.
    public var didConnect: (@convention(c) @Sendable (Owner, Int32) -> Void)?
    /// The handle is gone; its memory may be used again. Called once after `close`.
    public var didClose: @convention(c) @Sendable (Owner) -> Void

    public init(
        provideBuffer: (
            @convention(c) @Sendable (
                Owner, UnsafeMutablePointer<UnsafeMutableRawPointer?>, UnsafeMutablePointer<Int>
            ) -> Void
        )? = nil,
        didRead: @convention(c) @Sendable (Owner, UnsafeMutableRawPointer, Int) -> Void,
        didEnd: @convention(c) @Sendable (Owner, Int32) -> Void,
        didWrite: (@convention(c) @Sendable (Owner, Int32) -> Void)? = nil,
        didConnect: (@convention(c) @Sendable (Owner, Int32) -> Void)? = nil,
        didClose: @convention(c) @Sendable (Owner) -> Void
    ) {
        self.provideBuffer = provideBuffer
        self.didRead = didRead
        self.didEnd = didEnd
        self.didWrite = didWrite
        self.didConnect = didConnect
        self.didClose = didClose
    }
}

/// The memory of a stream. It must not move from `open…` until `didClose`; a slab of owners may
/// embed it.
public struct StreamStorage {
    var handle = uv_any_stream()
    var owner: UnsafeMutableRawPointer?
    var events: UnsafePointer<StreamEvents>?

    public init() {}
}

/// The memory of one queued write. It must not move while the write is queued.
public struct StreamWriteStorage {
    var request = uv_write_t()

    public init() {}
}

extension uv_buf_t {
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        let base = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        self.init(base: base?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }
}

/// A TCP or Unix stream under libuv. A value: the address of its storage.
public struct Stream {
    public let storage: UnsafeMutablePointer<StreamStorage>

    /// Storage of the caller's.
    public init(at storage: UnsafeMutablePointer<StreamStorage>) { self.storage = storage }

    /// Fresh storage on the heap; give it back with `deallocate` in or after `didClose`.
    public static func allocate() -> Stream {
        let storage = UnsafeMutablePointer<StreamStorage>.allocate(capacity: 1)
        storage.initialize(to: StreamStorage())
        return Stream(at: storage)
    }

    public func deallocate() { storage.deallocate() }

    @inline(always)
    private var raw: UnsafeMutablePointer<uv_stream_t> { uvx_stream(storage) }

    @inline(always)
    private func adopt(owner: UnsafeMutableRawPointer, events: UnsafePointer<StreamEvents>) {
        storage.pointee.owner = owner
        storage.pointee.events = events
        raw.pointee.data = UnsafeMutableRawPointer(storage)
    }

    // MARK: Opening

    /// An empty TCP handle, for `accept` or `connect`.
    public func openTCP(
        in loop: Loop, owner: UnsafeMutableRawPointer, events: UnsafePointer<StreamEvents>
    ) {
        must("uv_tcp_init", uv_tcp_init(loop.raw, uvx_any_tcp(raw)))
        adopt(owner: owner, events: events)
    }

    /// Takes a connected or listening TCP descriptor.
    public func openTCP(
        descriptor: Int32, in loop: Loop, owner: UnsafeMutableRawPointer,
        events: UnsafePointer<StreamEvents>
    ) throws(Failure) {
        openTCP(in: loop, owner: owner, events: events)
        try uv("uv_tcp_open", uv_tcp_open(uvx_any_tcp(raw), descriptor))
    }

    /// Takes a connected or listening Unix descriptor (socketpair, control socket).
    public func openUnix(
        descriptor: Int32, in loop: Loop, owner: UnsafeMutableRawPointer,
        events: UnsafePointer<StreamEvents>
    ) throws(Failure) {
        must("uv_pipe_init", uv_pipe_init(loop.raw, uvx_any_pipe(raw), 0))
        adopt(owner: owner, events: events)
        try uv("uv_pipe_open", uv_pipe_open(uvx_any_pipe(raw), descriptor))
    }

    /// Takes the connection that a listener announced. The storage must be open and empty. The
    /// announcement is used up, even when this fails.
    public func accept(from listener: Listener) throws(Failure) {
        listener.storage.pointee.isKnocking = false
        try uv("uv_accept", uv_accept(uvx_stream(listener.storage), raw))
    }

    public func setNoDelay() { _ = uv_tcp_nodelay(uvx_any_tcp(raw), 1) }

    /// Starts connecting to a resolved address; `didConnect` follows.
    public func connect(to address: SocketAddress) throws(Failure) {
        let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
        let status = address.withSockaddr {
            uv_tcp_connect(request, uvx_any_tcp(raw), $0) { request, status in
                let storage = request!.pointee.handle.pointee.data
                    .assumingMemoryBound(to: StreamStorage.self)
                request!.deallocate()
                storage.pointee.events!.pointee.didConnect!(storage.pointee.owner!, status)
            }
        }
        if status < 0 { request.deallocate() }
        try uv("uv_tcp_connect", status)
    }

    // MARK: Reading

    public func startReading() throws(Failure) {
        try uv("uv_read_start", uv_read_start(raw, provideReadBuffer, streamDidRead))
    }

    public func stopReading() { uv_read_stop(raw) }

    // MARK: Writing

    /// Writes what the kernel takes now. Bytes written (0 when it takes none), or a negative code.
    public func tryWrite(_ bytes: UnsafeRawPointer, _ count: Int) -> Int {
        var buffer = uv_buf_t(
            base: UnsafeMutableRawPointer(mutating: bytes).assumingMemoryBound(to: CChar.self),
            len: count)
        let written = uv_try_write(raw, &buffer, 1)
        return written == UV_EAGAIN.rawValue ? 0 : Int(written)
    }

    /// The same of two pieces, one behind the other, in one call to the kernel.
    public func tryWrite(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Int {
        var buffers = (uv_buf_t(first), uv_buf_t(second))
        let written = withUnsafePointer(to: &buffers) {
            $0.withMemoryRebound(to: uv_buf_t.self, capacity: 2) { uv_try_write(raw, $0, 2) }
        }
        return written == UV_EAGAIN.rawValue ? 0 : Int(written)
    }

    /// Queues a copy of the bytes; `didWrite` follows. Allocates: the slow path, when the kernel's
    /// buffer is full. The caller bounds how much it queues.
    public func writeCopying(_ bytes: UnsafeRawPointer, _ count: Int) throws(Failure) {
        let room = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<uv_write_t>.size + count, alignment: 16)
        let payload = room + MemoryLayout<uv_write_t>.size
        payload.copyMemory(from: bytes, byteCount: count)
        let request = room.assumingMemoryBound(to: uv_write_t.self)
        var buffer = uv_buf_t(base: payload.assumingMemoryBound(to: CChar.self), len: count)
        let status = uv_write(request, raw, &buffer, 1) { request, status in
            let storage = request!.pointee.handle.pointee.data
                .assumingMemoryBound(to: StreamStorage.self)
            UnsafeMutableRawPointer(request!).deallocate()
            storage.pointee.events!.pointee.didWrite?(storage.pointee.owner!, status)
        }
        if status < 0 { room.deallocate() }
        try uv("uv_write", status)
    }

    /// Queues bytes that stay in place until `didWrite`.
    public func write(_ bytes: UnsafeRawPointer, _ count: Int) throws(Failure) {
        let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
        var buffer = uv_buf_t(
            base: UnsafeMutableRawPointer(mutating: bytes).assumingMemoryBound(to: CChar.self),
            len: count)
        let status = uv_write(request, raw, &buffer, 1) { request, status in
            let storage = request!.pointee.handle.pointee.data
                .assumingMemoryBound(to: StreamStorage.self)
            request!.deallocate()
            storage.pointee.events!.pointee.didWrite?(storage.pointee.owner!, status)
        }
        if status < 0 { request.deallocate() }
        try uv("uv_write", status)
    }

    /// The same without an allocation: `request` is the caller's, and is in use until `didWrite`.
    public func write(
        _ bytes: UnsafeRawBufferPointer, using request: UnsafeMutablePointer<StreamWriteStorage>
    ) throws(Failure) {
        var buffer = uv_buf_t(bytes)
        let raw = UnsafeMutableRawPointer(request).assumingMemoryBound(to: uv_write_t.self)
        let status = uv_write(raw, self.raw, &buffer, 1) { request, status in
            let storage = request!.pointee.handle.pointee.data
                .assumingMemoryBound(to: StreamStorage.self)
            storage.pointee.events!.pointee.didWrite?(storage.pointee.owner!, status)
        }
        try uv("uv_write", status)
    }

    /// Bytes queued in user space.
    public var queuedBytes: Int { uv_stream_get_write_queue_size(raw) }

    // MARK: Ending

    public var isClosing: Bool { uv_is_closing(uvx_handle(storage)) != 0 }

    public var descriptor: Int32 {
        var fd: uv_os_fd_t = -1
        return uv_fileno(uvx_handle(storage), &fd) < 0 ? -1 : fd
    }

    /// `didClose` follows in a later turn. Twice is once.
    public func close() {
        if isClosing { return }
        uv_close(uvx_handle(storage)) { handle in
            let storage = handle!.pointee.data.assumingMemoryBound(to: StreamStorage.self)
            storage.pointee.events!.pointee.didClose(storage.pointee.owner!)
        }
    }
}

@c(hydrant_provide_read_buffer)
func provideReadBuffer(
    _ handle: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int,
    _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    let storage = handle!.pointee.data.assumingMemoryBound(to: StreamStorage.self)
    if let provide = storage.pointee.events!.pointee.provideBuffer {
        var base: UnsafeMutableRawPointer?
        var count = 0
        provide(storage.pointee.owner!, &base, &count)
        buffer!.pointee.base = base?.assumingMemoryBound(to: CChar.self)
        buffer!.pointee.len = count
    } else {
        buffer!.pointee.base = handle!.pointee.loop.pointee.data
            .assumingMemoryBound(to: CChar.self)
        buffer!.pointee.len = Loop.sharedReadBytes
    }
}

@c(hydrant_stream_did_read)
func streamDidRead(
    _ stream: UnsafeMutablePointer<uv_stream_t>?, _ count: Int,
    _ buffer: UnsafePointer<uv_buf_t>?
) {
    let storage = stream!.pointee.data.assumingMemoryBound(to: StreamStorage.self)
    if count > 0 {
        storage.pointee.events!.pointee.didRead(
            storage.pointee.owner!, UnsafeMutableRawPointer(buffer!.pointee.base), count)
    } else if count < 0 {
        uv_read_stop(stream)
        storage.pointee.events!.pointee.didEnd(storage.pointee.owner!, Int32(count))
    }
}

extension Stream {
    /// Closes so that the peer is reset: what it sent and nobody read, and what waits to be sent, is
    /// gone. `didClose` follows.
    public func closeResetting() {
        if isClosing { return }
        let status = uv_tcp_close_reset(uvx_any_tcp(raw)) { handle in
            let storage = handle!.pointee.data.assumingMemoryBound(to: StreamStorage.self)
            storage.pointee.events!.pointee.didClose(storage.pointee.owner!)
        }
        if status < 0 { close() }
    }

    /// Sends end-of-file after what is written; reading goes on.
    public func shutDownWriting() { _ = shutdown(descriptor, Int32(SHUT_WR)) }
}
