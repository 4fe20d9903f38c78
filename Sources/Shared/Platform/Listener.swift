import CLibuv

/// What a listener tells its owner.
public struct ListenerEvents: Sendable {
    /// A connection waits: take it with `Stream.accept`, or no other is announced.
    public var didKnock: @convention(c) @Sendable (UnsafeMutableRawPointer, Int32) -> Void
    public var didClose: @convention(c) @Sendable (UnsafeMutableRawPointer) -> Void

    public init(
        didKnock: @convention(c) @Sendable (UnsafeMutableRawPointer, Int32) -> Void,
        didClose: @convention(c) @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.didKnock = didKnock
        self.didClose = didClose
    }
}

public struct ListenerStorage {
    var handle = uv_any_stream()
    var owner: UnsafeMutableRawPointer?
    var events: UnsafePointer<ListenerEvents>?
    var isKnocking = false
}

/// A listening TCP or Unix socket, on a descriptor that somebody else bound.
public struct Listener {
    public let storage: UnsafeMutablePointer<ListenerStorage>

    /// A connection was announced and waits to be taken.
    public var isKnocking: Bool { storage.pointee.isKnocking }

    public static func open(
        tcp descriptor: Int32, in loop: Loop, backlog: Int32, owner: UnsafeMutableRawPointer,
        events: UnsafePointer<ListenerEvents>
    ) throws(Failure) -> Listener {
        let it = make(owner: owner, events: events)
        let raw = uvx_stream(it.storage)!
        must("uv_tcp_init", uv_tcp_init(loop.raw, uvx_any_tcp(raw)))
        raw.pointee.data = UnsafeMutableRawPointer(it.storage)
        try uv("uv_tcp_open", uv_tcp_open(uvx_any_tcp(raw), descriptor))
        try uv("listen", uv_listen(raw, backlog, listenerDidKnock))
        return it
    }

    public static func open(
        unix descriptor: Int32, in loop: Loop, backlog: Int32, owner: UnsafeMutableRawPointer,
        events: UnsafePointer<ListenerEvents>
    ) throws(Failure) -> Listener {
        let it = make(owner: owner, events: events)
        let raw = uvx_stream(it.storage)!
        must("uv_pipe_init", uv_pipe_init(loop.raw, uvx_any_pipe(raw), 0))
        raw.pointee.data = UnsafeMutableRawPointer(it.storage)
        try uv("uv_pipe_open", uv_pipe_open(uvx_any_pipe(raw), descriptor))
        try uv("listen", uv_listen(raw, backlog, listenerDidKnock))
        return it
    }

    private static func make(
        owner: UnsafeMutableRawPointer, events: UnsafePointer<ListenerEvents>
    ) -> Listener {
        let storage = UnsafeMutablePointer<ListenerStorage>.allocate(capacity: 1)
        storage.initialize(to: ListenerStorage())
        storage.pointee.owner = owner
        storage.pointee.events = events
        return Listener(storage: storage)
    }

    /// `didClose` follows; the storage is given back after it.
    public func close() {
        if uv_is_closing(uvx_handle(storage)) != 0 { return }
        uv_close(uvx_handle(storage)) { handle in
            let storage = handle!.pointee.data.assumingMemoryBound(to: ListenerStorage.self)
            storage.pointee.events!.pointee.didClose(storage.pointee.owner!)
            storage.deallocate()
        }
    }
}

@c(hydrant_listener_did_knock)
func listenerDidKnock(_ stream: UnsafeMutablePointer<uv_stream_t>?, _ status: Int32) {
    let storage = stream!.pointee.data.assumingMemoryBound(to: ListenerStorage.self)
    storage.pointee.isKnocking = status == 0
    storage.pointee.events!.pointee.didKnock(storage.pointee.owner!, status)
}
